"""The two packages as colcon, ament and rosdep see them."""

from __future__ import annotations

import ast
from importlib import import_module
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
import yaml

from enpire_nodes.bringup.table import NODES
from enpire_nodes.rollout.controllers import registry as controllers
from enpire_nodes.tasks import registry as tasks

ROOT = Path(__file__).parents[1]
#: Code that is copied into research workspaces, and not imported from here.
TEMPLATE = ROOT / 'enpire_nodes' / 'improvement' / 'template'
#: Modules that a declared dependency brings, by the name of its rosdep key or package.
BROUGHT = {
    'aiohttp': 'python3-aiohttp',
    'cryptography': 'python3-cryptography',
    'cv2': 'python3-opencv',
    'git': 'python3-git',
    'jinja2': 'python3-jinja2',
    'markupsafe': 'python3-markupsafe',
    'matplotlib': 'python3-matplotlib',
    'multidict': 'python3-multidict',
    'numpy': 'python3-numpy',
    'psutil': 'python3-psutil',
    'rich': 'python3-rich',
    'rosbags': 'python3-rosbags-pip',
    'scipy': 'python3-scipy',
    'torch': 'python3-torch',
    'transforms3d': 'python3-transforms3d',
    'yaml': 'python3-yaml',
    'yarl': 'python3-yarl',
}
#: Without a rosdep key: only in requirements/.
UNKEYED = {
    'i2rt': 'dreamscale-i2rt',
    'lz4': 'lz4',
    'mcap': 'mcap',
    'mujoco': 'mujoco',
    'pyarrow': 'pyarrow',
    'safetensors': 'safetensors',
    'tensorboardX': 'tensorboardX',
    'zstandard': 'zstandard',
}


def manifest(folder: Path) -> ET.Element:
    return ET.parse(folder / 'package.xml').getroot()


def entry_points() -> dict[str, dict[str, str]]:
    """Read the entry points out of setup.py without installing anything."""
    code = (
        'import setuptools, runpy\n'
        'setuptools.setup = lambda **arguments: print(arguments["entry_points"])\n'
        'runpy.run_path("setup.py")'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    groups = ast.literal_eval(done.stdout)
    return {
        group: dict(re.split(r'\s*=\s*', line) for line in lines)
        for group, lines in groups.items()
    }


def imported() -> set[str]:
    """Collect the top-level modules that the code imports."""
    found = set()
    for path in (*ROOT.glob('enpire_nodes/**/*.py'), *ROOT.glob('launch/*.py')):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split('.')[0])
    own = {path.stem for path in TEMPLATE.iterdir()}  # as a workspace's files import each other
    return found - set(sys.stdlib_module_names) - own - {'enpire_nodes'}


@pytest.mark.parametrize('folder', [ROOT, ROOT / 'enpire_msgs'], ids=['enpire', 'enpire_msgs'])
def test_manifest_is_valid(folder: Path):
    from catkin_pkg.package import parse_package

    warnings: list[str] = []
    package = parse_package(str(folder), warnings=warnings)
    package.validate(warnings=warnings)
    assert warnings == []
    assert package.licenses == ['Apache-2.0']


def test_both_packages_and_setup_have_one_version():
    versions = {manifest(ROOT / folder).findtext('version') for folder in ('', 'enpire_msgs')}
    versions |= set(re.findall(r"version='([\d.]+)'", (ROOT / 'setup.py').read_text()))
    assert len(versions) == 1
    for log in (ROOT / 'CHANGELOG.rst', ROOT / 'enpire_msgs' / 'CHANGELOG.rst'):
        assert re.search(rf'^{re.escape(versions.copy().pop())} \(', log.read_text(), re.MULTILINE)


def test_colcon_finds_both_packages_with_their_ros_types():
    """An invalid manifest would silently turn a package into plain cmake or python."""
    environment = {**os.environ, 'COLCON_DEFAULTS_FILE': 'colcon_defaults.yaml'}
    done = subprocess.run(
        [sys.executable, '-m', 'colcon', '--log-base', os.devnull, 'list', '--topological-order'],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=50, check=True,
    )  # fmt: skip
    found = [line.split('\t')[::2] for line in done.stdout.splitlines()]
    assert found == [['enpire_msgs', '(ros.ament_cmake)'], ['enpire', '(ros.ament_python)']]


def test_colcon_defaults_name_both_packages_for_every_verb():
    defaults = yaml.safe_load((ROOT / 'colcon_defaults.yaml').read_text())
    for verb in ('list', 'build', 'test'):
        assert defaults[verb]['base-paths'] == ['.', 'enpire_msgs']


def test_every_import_is_a_declared_dependency():
    declared = {
        element.text for element in manifest(ROOT) if element.tag in ('depend', 'exec_depend')
    }
    requirements = '\n'.join(path.read_text() for path in (ROOT / 'requirements').glob('*.txt'))
    for module in imported():
        if module in UNKEYED:
            assert f'\n{UNKEYED[module]}==' in requirements, module
        else:
            assert BROUGHT.get(module, module) in declared, module


def test_every_node_has_an_executable():
    executables = entry_points()['console_scripts']
    for node in NODES.values():
        module = node.location.split(':')[0]
        assert executables[node.executable] == f'{module}:main'


def test_every_executable_can_be_called():
    for target in entry_points()['console_scripts'].values():
        module, function = target.split(':')
        assert callable(getattr(import_module(module), function)), target


def test_tasks_and_controllers_that_ship_are_entry_points():
    groups = entry_points()
    assert groups[tasks.GROUP] == tasks.BUILT_IN
    assert groups[controllers.GROUP] == controllers._BUILT_IN


def test_every_package_folder_is_installed():
    from setuptools import find_packages

    found = set(find_packages(str(ROOT), include=['enpire_nodes', 'enpire_nodes.*']))
    code = [path for path in ROOT.glob('enpire_nodes/**/*.py') if TEMPLATE not in path.parents]
    folders = {path.parent for path in code}
    assert {'.'.join(folder.relative_to(ROOT).parts) for folder in folders} == found


def test_the_template_of_workspaces_is_installed_whole():
    code = (
        'import setuptools, runpy, json\n'
        'setuptools.setup = lambda **given: print(json.dumps(given["package_data"]))\n'
        'runpy.run_path("setup.py")'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=50,
        check=True,
    )  # fmt: skip
    patterns = json.loads(done.stdout)['enpire_nodes']
    installed = {path for pattern in patterns for path in (ROOT / 'enpire_nodes').glob(pattern)}
    files = {path for path in TEMPLATE.rglob('*') if path.is_file() and path.suffix != '.pyc'}
    assert files
    assert files <= installed


def test_requirements_are_pinned():
    pinned = {'': set()}
    for name in ('constraints.txt', 'constraints-ros-machine.txt'):
        lines = (ROOT / 'requirements' / name).read_text().splitlines()
        pins = [line.split(';')[0].strip() for line in lines if line and line[0] not in '# ']
        assert all('==' in pin for pin in pins), name
        pinned[name] = {pin.split('==')[0].lower() for pin in pins}
    for name in ('run.txt', 'test.txt'):
        lines = (ROOT / 'requirements' / name).read_text().splitlines()
        asked = {re.split('==|;', line)[0].lower() for line in lines if line and line[0] != '#'}
        assert asked <= pinned['constraints.txt']
        assert asked <= pinned['constraints-ros-machine.txt']


def test_a_ros_machine_gets_no_wheel_of_ros():
    text = (ROOT / 'requirements' / 'constraints-ros-machine.txt').read_text()
    assert not re.search(r'^ros-', text, re.MULTILINE)
    assert re.search(r'^numpy==1\.', text, re.MULTILINE)


def test_the_linter_of_commits_is_the_pinned_one():
    pinned = re.search(r'^ruff==(.+)$', (ROOT / 'requirements' / 'test.txt').read_text(), re.M)[1]
    assert f'rev: v{pinned} ' in (ROOT / '.pre-commit-config.yaml').read_text()
