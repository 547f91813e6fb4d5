"""Building both packages with colcon."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import subprocess

from provision.machine import Ros, SUPPORTED_ROS
from provision.problems import failure
from provision.steps import digest

#: What a package's build depends on: the contents of these, and the names of those. The files of
#: `enpire` are installed as links, so that only new and removed ones ask for a build.
CONTENTS = {'enpire_msgs': ('enpire_msgs',), 'enpire': ('package.xml', 'setup.py', 'setup.cfg')}
NAMES = {'enpire_msgs': (), 'enpire': ('resource', 'launch', 'config')}


def build_inputs(root: Path, package: str, *parts: str) -> str:
    """Return the digest of what a package's build is made from."""
    names = [str(path.relative_to(root)) for path in files_below(root, NAMES[package])]
    return digest(*parts, *names, files=files_below(root, CONTENTS[package]))


def files_below(root: Path, names: tuple[str, ...]) -> list[Path]:
    """List the files in some of a tree's files and folders."""
    found = []
    for path in (root / name for name in names):
        inside = path.rglob('*') if path.is_dir() else [path]
        found += [file for file in inside if file.is_file() and '__pycache__' not in file.parts]
    return sorted(found)


def build_environment(environment: Mapping[str, str], folder: Path, ros: Ros) -> dict[str, str]:
    """Return the environment for colcon: with wheels, the virtual one is the ROS prefix."""
    build = {**environment, 'PATH': f'{folder / "bin"}{os.pathsep}{environment.get("PATH", "")}'}
    # Not what the outer make exports, nor colcon's own choice, which waits while the load is high.
    build['MAKEFLAGS'] = f'-j{os.cpu_count() or 1}'
    if not ros.installed:
        # A tree that is already sourced would count as an underlay of itself.
        for name in ('AMENT_PREFIX_PATH', 'CMAKE_PREFIX_PATH', 'COLCON_PREFIX_PATH', 'PYTHONPATH'):
            build.pop(name, None)
        build |= {
            'AMENT_PREFIX_PATH': str(folder),
            'CMAKE_PREFIX_PATH': str(folder),
            'ROS_DISTRO': SUPPORTED_ROS,
            'ROS_VERSION': '2',
            'ROS_PYTHON_VERSION': '3',
        }
    return build


def colcon_build(root: Path, python: Path, package: str, environment: Mapping[str, str]) -> None:
    """Build a package, with links into the tree where colcon can make them.

    :raises SetUpError: with the end of colcon's output.
    """
    log = root / 'build' / f'{package}.log'
    command = [
        *(python, '-m', 'colcon', '--log-base', root / 'log', 'build', '--symlink-install'),
        *('--build-base', root / 'build', '--install-base', root / 'install'),
        *('--packages-select', package),
        *('--event-handlers', 'console_cohesion+', 'desktop_notification-'),
        *('--cmake-args', f'-DPython3_EXECUTABLE={python}', '-DBUILD_TESTING=OFF'),
    ]
    with log.open('w') as file:
        done = subprocess.run(
            command,
            cwd=root,
            env={**environment, 'COLCON_DEFAULTS_FILE': str(root / 'colcon_defaults.yaml')},
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        lines = log.read_text(errors='replace').splitlines()
        told = [line.strip() for line in lines if 'rror' in line][:3] or lines[-3:]
        raise failure(
            f'colcon could not build {package}: ' + ' / '.join(told),
            f'read {log}; after a change of compiler, Python or ROS: make clean',
        )
