"""The set-up: what it decides, what it repeats, and what it says when something is missing."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

from provision import machine, main, packages, probe
from provision.build import build_environment, build_inputs
from provision.machine import check_machine, find_ros, install_packages, Ros
from provision.packages import adapt_wheels, explain_pip, requirement_files
from provision.probe import check_packages, check_sandbox, explain_import
from provision.problems import Missing, report, SetUpError
from provision.steps import alone, digest, Steps

ROOT = Path(__file__).parents[1]
SUDO = '' if os.geteuid() == 0 else 'sudo '
WHEELS, INSTALLED = Ros(installed=False), Ros(installed=True)


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    return Steps(tmp_path / 'marks')


def test_step_runs_once_for_the_same_inputs(steps: Steps):
    runs = []
    for inputs in ('a', 'a', 'b', 'b'):
        steps.run('name', inputs, 'counting', lambda: runs.append(1))
    assert len(runs) == 2


def test_step_that_failed_is_run_again(steps: Steps):
    steps.run('name', 'a', 'working', lambda: None)
    with pytest.raises(OSError, match='stop'):
        steps.run('name', 'b', 'failing', _stop)
    assert not steps.done('name', 'a')
    assert steps.run('name', 'a', 'working', lambda: None)


def _stop() -> None:
    raise OSError('stop')


def test_digest_sees_names_contents_and_order_of_words(tmp_path: Path):
    first, second = tmp_path / 'one', tmp_path / 'two'
    first.write_text('x')
    second.write_text('x')
    made = [
        digest('ab', 'c'),
        digest('a', 'bc'),
        digest(files=[first]),
        digest(files=[second]),
        digest(files=[first, second]),
    ]
    assert len(set(made)) == len(made)
    assert digest(files=[second, first]) == made[-1]


def test_second_setup_waits_for_the_first(tmp_path: Path):
    code = (
        f'import sys; sys.path.insert(0, {str(ROOT / "scripts")!r})\n'
        'from pathlib import Path; from provision.steps import alone\n'
        f'with alone(Path({str(tmp_path / "lock")!r})): print("in")'
    )
    with alone(tmp_path / 'lock'):
        other = subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=1.0)
    output, _ = other.communicate(timeout=20.0)
    assert output.splitlines() == ['set-up: waiting for another set-up of this tree', 'in']


@pytest.mark.parametrize(
    ('environment', 'importable', 'expected'),
    [
        ({}, False, WHEELS),
        ({}, True, WHEELS),
        ({'ROS_DISTRO': 'jazzy'}, True, INSTALLED),
        ({'ROS_DISTRO': 'jazzy', 'ENPIRE_ROS': 'wheels'}, True, WHEELS),
        ({'ROS_DISTRO': 'humble', 'ENPIRE_ROS': 'wheels'}, False, WHEELS),
    ],
)
def test_ros_of_the_machine_is_used_when_it_is_sourced(
    environment: dict, importable: bool, expected: Ros
):
    assert find_ros(environment, lambda: importable) == expected


def test_other_ros_distribution_is_refused_with_the_way_out():
    with pytest.raises(SetUpError, match=r'humble.*jazzy') as caught:
        find_ros({'ROS_DISTRO': 'humble'}, lambda: True)
    assert 'source /opt/ros/jazzy/setup.bash' in str(caught.value)
    assert 'ENPIRE_ROS=wheels' in str(caught.value)


def test_ros_without_rclpy_is_refused_with_the_way_out():
    with pytest.raises(SetUpError, match='cannot import rclpy') as caught:
        find_ros({'ROS_DISTRO': 'jazzy'}, lambda: False)
    assert 'apt-get install ros-jazzy-ros-base' in str(caught.value)


def test_everything_that_is_missing_is_named_in_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machine.sysconfig, 'get_path', lambda name: str(tmp_path))
    monkeypatch.setitem(sys.modules, 'ensurepip', None)
    with pytest.raises(SetUpError) as caught:
        check_machine(WHEELS, tmp_path, which=lambda name: None)
    version = f'python{sys.version_info.major}.{sys.version_info.minor}'
    assert caught.value.packages == ('git', 'g++', f'{version}-venv', f'{version}-dev')
    assert str(caught.value).splitlines()[-1] == (
        f'  fix: {SUDO}apt-get install git g++ {version}-venv {version}-dev'
    )


def test_complete_machine_passes(tmp_path: Path):
    check_machine(WHEELS, tmp_path, which=lambda name: f'/usr/bin/{name}')


def test_ros_machine_needs_its_build_tools(tmp_path: Path):
    def which(name: str) -> str | None:
        return None if name in ('colcon', 'cmake') else f'/usr/bin/{name}'

    with pytest.raises(SetUpError) as caught:
        check_machine(INSTALLED, tmp_path, which)
    assert caught.value.packages == ('python3-colcon-common-extensions', 'cmake')
    check_machine(WHEELS, tmp_path, which)


def test_too_little_space_is_said_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000_000)
    monkeypatch.setattr(machine.shutil, 'disk_usage', lambda path: usage)
    with pytest.raises(SetUpError, match=r'only 1\.0 GB'):
        check_machine(WHEELS, tmp_path, which=lambda name: name)


def test_system_packages_are_installed_only_when_allowed(monkeypatch: pytest.MonkeyPatch):
    called = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess:
        called.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(machine.subprocess, 'run', run)
    monkeypatch.setattr(machine.os, 'geteuid', lambda: 0)
    monkeypatch.setattr(machine.shutil, 'which', lambda name: name)
    assert not install_packages(('libegl1',), {})
    assert not install_packages((), {'ENPIRE_SETUP_APT': '1'})
    assert called == []
    assert install_packages(('libegl1',), {'ENPIRE_SETUP_APT': '1'})
    assert called[-1][-1] == 'libegl1'


def test_missing_packages_are_installed_until_nothing_new_is_missing(
    monkeypatch: pytest.MonkeyPatch,
):
    rounds = [('g++',), ('g++', 'libegl1'), ('libegl1',)]
    installed = []

    def provide(environment: dict) -> None:
        raise SetUpError([Missing('something', rounds[len(installed)])])

    def install(names: tuple[str, ...], environment: dict) -> bool:
        installed.append(names)
        return bool(names)

    monkeypatch.setattr(main, 'provide', provide)
    monkeypatch.setattr(main, 'install_packages', install)
    with pytest.raises(SetUpError):
        main._provide_with_packages({})
    assert installed == [('g++',), ('libegl1',), ()]


def test_report_joins_packages_and_keeps_commands():
    text = report([Missing('a', ('x', 'y')), Missing('b', ('y',)), Missing('c', command='do it')])
    assert text.splitlines() == [
        'set-up: a',
        'set-up: b',
        'set-up: c',
        f'  fix: {SUDO}apt-get install x y',
        '  fix: do it',
    ]


@pytest.mark.parametrize(
    ('output', 'said'),
    [
        (
            'WARNING: Retrying after NewConnectionError(...)\nERROR: No matching',
            'cannot be reached',
        ),
        ('ERROR: Could not install: [Errno 28] No space left on device', 'disk is full'),
        ('ERROR: No matching distribution found for ros-rcl==9.2.8', 'no wheel of ros-rcl==9.2.8'),
        ('one\n\ntwo\nERROR: something new', 'ERROR: something new'),
    ],
)
def test_what_pip_says_is_explained(output: str, said: str, tmp_path: Path):
    error = explain_pip(output, tmp_path / 'pip.log')
    assert said in str(error)
    assert error.missing[0].command


def test_unreachable_index_is_reported(tmp_path: Path):
    folder = tmp_path / 'requirements'
    folder.mkdir()
    (folder / 'run.txt').write_text('no-such-package-of-enpire\n')
    (folder / 'none.txt').write_text('')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PIP_CONFIG_FILE', os.devnull)
        patch.setenv('PIP_INDEX_URL', 'http://127.0.0.1:9/simple')
        patch.setenv('PIP_RETRIES', '1')
        with pytest.raises(SetUpError, match='index cannot be reached'):
            packages.install(
                Path(sys.executable), [folder / 'run.txt', folder / 'none.txt'], tmp_path / 'log'
            )


def test_ros_wheels_are_installed_only_without_ros():
    names = [[path.name for path in requirement_files(ROOT, ros)] for ros in (WHEELS, INSTALLED)]
    assert names == [
        ['ros.txt', 'run.txt', 'test.txt', 'assets.txt', 'constraints.txt'],
        ['run.txt', 'test.txt', 'assets.txt', 'constraints-ros-machine.txt'],
    ]


def test_include_folders_of_the_wheels_become_those_of_this_python(tmp_path: Path):
    exported = tmp_path / 'rcl' / 'cmake' / 'export.cmake'
    exported.parent.mkdir(parents=True)
    old = '/opt/python/cp311-cp311/'
    exported.write_text(
        f'"${{_IMPORT_PREFIX}}/include;{old}include/python3.11;'
        f'{old}lib/python3.11/site-packages/numpy/_core/include"\n# /opt/ros stays\n'
    )
    (tmp_path / 'untouched.cmake').write_text('set(x 1)\n')
    assert adapt_wheels(tmp_path, '/here/include', '/here/numpy') == 1
    expected = '"${_IMPORT_PREFIX}/include;/here/include;/here/numpy"\n# /opt/ros stays\n'
    assert exported.read_text() == expected
    assert adapt_wheels(tmp_path, '/here/include', '/here/numpy') == 0


@pytest.mark.parametrize(
    ('output', 'package'),
    [
        ('ImportError: libGL.so.1: cannot open shared object file: No such file', 'libgl1'),
        ('OSError: libEGL.so.1: cannot open shared object file', 'libegl1'),
        ('ImportError: libgthread-2.0.so.0: cannot open shared object', 'libglib2.0-0'),
    ],
)
def test_missing_library_is_traced_to_its_package(output: str, package: str):
    assert [found.packages for found in explain_import('cv2', output)] == [(package,)]


def test_all_missing_libraries_are_named_at_once():
    listing = '\tlibGL.so.1 => not found\n\tlibc.so.6 => /l/c.so\n\tlibnew.so.3 => not found'
    error = 'ImportError: libGL.so.1: cannot open shared object file'
    found = explain_import('cv2', f'{listing}\n{error}')
    assert [item.what for item in found] == ['cv2 needs libGL.so', 'cv2 needs libnew.so']
    assert found[0].packages == ('libgl1',)
    assert found[1].command == 'apt-file search libnew.so'


def test_missing_libraries_of_an_installed_package_are_listed():
    done = subprocess.run(
        [sys.executable, '-c', probe._MISSING_LIBRARIES.format('cv2')],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert 'libc.so.6 =>' in done.stderr
    assert 'not found' not in done.stderr


def test_other_import_errors_are_quoted():
    (found,) = explain_import('cv2', 'Traceback ...\nImportError: numpy is too old')
    assert 'numpy is too old' in found.what
    assert found.command


def test_machine_that_cannot_draw_gets_the_packages_named(tmp_path: Path):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\ncase "$2" in *mujoco*) echo no EGL >&2; exit 1;; esac\n')
    python.chmod(0o755)
    with pytest.raises(SetUpError, match='egl nor by osmesa') as caught:
        check_packages(python, {})
    assert caught.value.packages == ('libegl1', 'libgles2', 'libgl1-mesa-dri')
    check_packages(python, {'MUJOCO_GL': 'disable'})


def test_missing_sandbox_gets_the_package_named(tmp_path: Path):
    with pytest.raises(SetUpError, match='bubblewrap is not installed') as caught:
        check_sandbox(Path(sys.executable), ROOT, {'PATH': str(tmp_path)})
    assert caught.value.packages == ('bubblewrap',)


def test_forbidden_sandbox_is_explained_and_no_package_would_help(tmp_path: Path):
    program = tmp_path / 'bwrap'
    program.write_text('#!/bin/sh\necho "bwrap: setting up uid map: denied" >&2\nexit 1\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), '/usr/bin', '/bin'])
    with pytest.raises(SetUpError, match='setting up uid map: denied') as caught:
        check_sandbox(Path(sys.executable), ROOT, {'PATH': path})
    assert caught.value.packages == ()


@pytest.mark.parametrize(('allowed', 'tries'), [(True, 2), (False, 1)])
def test_sandbox_is_installed_where_allowed_and_never_stops_the_set_up(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, capsys, allowed: bool, tries: int
):
    tried = []

    def check(*arguments: object) -> None:
        tried.append(arguments)
        raise SetUpError([Missing('bubblewrap is not installed', ('bubblewrap',))])

    monkeypatch.setattr(main, 'check_sandbox', check)
    monkeypatch.setattr(main, 'install_packages', lambda names, environment: allowed)
    main._try_sandbox(steps, 'inputs', {})
    assert len(tried) == tries
    said = capsys.readouterr().err
    assert f'fix: {SUDO}apt-get install bubblewrap' in said
    assert said.count('going on without a sandbox') == 1
    assert not steps.done('sandbox', 'inputs')


def test_wheels_build_against_the_virtual_environment_alone():
    sourced = {'PATH': '/usr/bin', 'AMENT_PREFIX_PATH': '/other', 'PYTHONPATH': '/other'}
    build = build_environment(sourced, Path('/tree/.venv'), WHEELS)
    assert build['AMENT_PREFIX_PATH'] == build['CMAKE_PREFIX_PATH'] == '/tree/.venv'
    assert 'PYTHONPATH' not in build
    assert build['PATH'].split(os.pathsep) == ['/tree/.venv/bin', '/usr/bin']


def test_ros_machine_builds_in_its_own_environment():
    sourced = {'PATH': '/usr/bin', 'AMENT_PREFIX_PATH': '/opt/ros/jazzy', 'PYTHONPATH': '/opt/x'}
    build = build_environment(sourced, Path('/tree/.venv'), INSTALLED)
    assert build['AMENT_PREFIX_PATH'] == '/opt/ros/jazzy'
    assert build['PYTHONPATH'] == '/opt/x'


def test_new_interfaces_and_new_shared_files_ask_for_a_build(tmp_path: Path):
    tree = tmp_path / 'tree'
    for name in ('setup.py', 'package.xml', 'config/a.yaml', 'enpire_msgs/msg/A.msg'):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text('')
    (tree / 'setup.cfg').write_text('')

    def inputs() -> tuple[str, str]:
        return build_inputs(tree, 'enpire_msgs', 'p'), build_inputs(tree, 'enpire', 'p')

    before = inputs()
    (tree / 'config' / 'a.yaml').write_text('changed: 1')
    assert inputs() == before
    (tree / 'config' / 'b.yaml').write_text('')
    assert inputs()[0] == before[0]
    assert inputs()[1] != before[1]
    (tree / 'enpire_msgs' / 'msg' / 'A.msg').write_text('uint8 UNSET=0')
    assert inputs()[0] != before[0]


def test_old_python_is_told_which_one_to_use():
    source = (ROOT / 'scripts' / 'set_up.py').read_text()
    code = f'import sys; sys.version_info = (3, 8, 1)\n__name__ = "__main__"\n{source}'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert 'is Python 3.8, and enpire needs 3.10 or newer' in done.stderr
    assert 'make PYTHON=' in done.stderr
