"""``scripts/env.sh``: what a shell knows after sourcing it."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess

import pytest

SCRIPT = Path(__file__).parents[1] / 'scripts' / 'env.sh'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a tree that looks as if it was set up with wheels."""
    tree = tmp_path / 'a tree'
    libraries = tree / '.venv/lib/python3.11/site-packages/ros_rcl.libs'
    for folder in (tree / 'scripts', tree / 'install', tree / '.venv/share/rclpy', libraries):
        folder.mkdir(parents=True)
    shutil.copy(SCRIPT, tree / 'scripts')
    for shell in ('sh', 'bash', 'zsh'):
        setup = f'export PYTHONPATH=/built${{PYTHONPATH:+:$PYTHONPATH}} SOURCED={shell}\n'
        (tree / 'install' / f'local_setup.{shell}').write_text(setup)
    return tree


def source(tree: Path, shell: str, **environment: str) -> dict[str, str]:
    """Source the script and return the exported variables."""
    folder = tree if shell == 'sh' else tree.parent
    script = './scripts/env.sh' if shell == 'sh' else f'{tree}/scripts/env.sh'
    done = subprocess.run(
        [shell, '-c', f'. "{script}" && env -0'],
        cwd=folder, env={'PATH': '/usr/bin:/bin', **environment},
        capture_output=True, text=True, timeout=50, check=True,
    )  # fmt: skip
    return dict(entry.split('=', 1) for entry in done.stdout.split('\0') if '=' in entry)


@pytest.mark.parametrize('shell', ['sh', 'bash', 'zsh'])
def test_every_shell_finds_the_tree(tree: Path, shell: str):
    if shutil.which(shell) is None:
        pytest.skip(f'there is no {shell}')
    found = source(tree, shell)
    assert found['VIRTUAL_ENV'] == f'{tree}/.venv'
    assert found['PATH'].startswith(f'{tree}/install/enpire/lib/enpire:{tree}/.venv/bin:')
    assert found['PYTHONPATH'] == f'{tree}:/built'
    assert found['SOURCED'] in (shell, 'bash')


def test_wheels_are_the_ros_prefix_and_python_starts_once(tree: Path):
    found = source(tree, 'bash')
    assert found['AMENT_PREFIX_PATH'] == f'{tree}/.venv'
    assert found['ENPIRE_ROS'] == 'wheels'
    assert found['_ROS_WHEELS_BOOTSTRAP_COMPLETE'] == '1'
    libraries = found['LD_LIBRARY_PATH'].split(':')
    assert set(libraries) == {
        f'{tree}/.venv/lib',
        f'{tree}/.venv/lib/python3.11/site-packages/ros_rcl.libs',
    }


def test_ros_installation_stays_the_prefix(tree: Path):
    shutil.rmtree(tree / '.venv/share')
    found = source(tree, 'bash', AMENT_PREFIX_PATH='/opt/ros/jazzy', PYTHONPATH='/opt/ros/p')
    assert found['AMENT_PREFIX_PATH'] == '/opt/ros/jazzy'
    assert found['PYTHONPATH'] == f'{tree}:/built:/opt/ros/p'
    assert 'ENPIRE_ROS' not in found


def test_stations_stay_on_this_machine_unless_told_otherwise(tree: Path):
    name = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
    assert source(tree, 'bash')[name] == 'LOCALHOST'
    assert source(tree, 'bash', **{name: 'SUBNET'})[name] == 'SUBNET'


def test_tree_without_setup_says_what_to_run(tree: Path):
    shutil.rmtree(tree / 'install')
    done = subprocess.run(
        ['bash', '-c', f'. "{tree}/scripts/env.sh"'], capture_output=True, text=True, timeout=50
    )
    assert done.returncode == 1
    assert f"run: make -C '{tree}' setup" in done.stderr
