"""What the machine itself must offer before anything is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import platform
import shutil
import subprocess
import sys
import sysconfig

from provision.problems import failure, Missing, SetUpError

SUPPORTED_ROS = 'jazzy'
#: Bytes; PyTorch without CUDA, MuJoCo and the ROS wheels together take about 2.3 GB.
NEEDED_SPACE = 4_000_000_000

Which = Callable[[str], str | None]


@dataclass(frozen=True)
class Ros:
    """Where ROS 2 comes from: the machine's own installation, or wheels in the environment."""

    installed: bool

    def __str__(self) -> str:
        return f'ROS 2 {SUPPORTED_ROS} of this machine' if self.installed else 'ROS 2 wheels'


def find_ros(environment: Mapping[str, str], imports_rclpy: Callable[[], bool]) -> Ros:
    """Decide where ROS 2 comes from.

    :param environment: of the caller. ``ENPIRE_ROS=wheels``, which our own environment exports,
        means that ``ROS_DISTRO`` is ours.
    :param imports_rclpy: whether the chosen Python can import rclpy.
    :raises SetUpError: a ROS environment is sourced that can't be used.
    """
    distribution = environment.get('ROS_DISTRO', '')
    if not distribution or environment.get('ENPIRE_ROS') == 'wheels':
        return Ros(installed=False)
    if distribution != SUPPORTED_ROS:
        raise failure(
            f'ROS 2 {distribution} is sourced in this shell, and enpire is for {SUPPORTED_ROS}',
            f'source /opt/ros/{SUPPORTED_ROS}/setup.bash in a new shell, or, to use wheels: '
            'env ENPIRE_ROS=wheels make <target>',
        )
    if not imports_rclpy():
        raise failure(
            f'ROS_DISTRO={distribution}, but {sys.executable} cannot import rclpy',
            f'sudo apt-get install ros-{distribution}-ros-base && source '
            f'/opt/ros/{distribution}/setup.bash, or name the Python that ROS was built for: '
            'make PYTHON=/usr/bin/python3 <target>',
        )
    return Ros(installed=True)


def imports_rclpy() -> bool:
    """Tell whether this Python finds rclpy and can load it."""
    done = subprocess.run(
        [sys.executable, '-c', 'import rclpy'], capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


def check_machine(ros: Ros, root: Path, which: Which = shutil.which) -> None:
    """Find everything at once that the installation would stumble over.

    :raises SetUpError: with all of it.
    """
    missing = [*_missing_tools(ros, which), *_missing_python_parts(), *_missing_space(root)]
    if platform.system() != 'Linux':
        missing.append(Missing(f'{platform.system()} is not supported', command='use Linux'))
    if missing:
        raise SetUpError(missing)


def _missing_tools(ros: Ros, which: Which) -> list[Missing]:
    missing = []
    if which('git') is None:
        missing.append(Missing('git is not installed', ('git',)))
    compilers = {'CC': ('cc', 'gcc', 'clang'), 'CXX': ('c++', 'g++', 'clang++')}
    for variable, names in compilers.items():
        chosen = os.environ.get(variable, '').split()
        if not any(which(name) for name in (*chosen[:1], *names)):
            language = {'CC': 'C', 'CXX': 'C++'}[variable]
            missing.append(Missing(f'there is no {language} compiler', ('g++',)))
    if ros.installed:
        if which('colcon') is None:
            missing.append(
                Missing('colcon is not installed', ('python3-colcon-common-extensions',))
            )
        if which('cmake') is None:
            missing.append(Missing('cmake is not installed', ('cmake',)))
    return missing


def _missing_python_parts() -> list[Missing]:
    missing = []
    version = f'{sys.version_info.major}.{sys.version_info.minor}'
    try:
        import ensurepip
        import venv  # noqa: F401

        ensurepip.version()
    except ImportError:
        missing.append(Missing(f'{sys.executable} has no venv module', (f'python{version}-venv',)))
    if not Path(sysconfig.get_path('include'), 'Python.h').exists():
        missing.append(
            Missing(f'the C headers of {sys.executable} are missing', (f'python{version}-dev',))
        )
    return missing


def _missing_space(root: Path) -> list[Missing]:
    if (root / '.venv').exists() or (free := shutil.disk_usage(root).free) >= NEEDED_SPACE:
        return []
    return [
        Missing(
            f'only {free / 1e9:.1f} GB are free below {root}, {NEEDED_SPACE / 1e9:.0f} are needed',
            command='free some space, or clone to another disk',
        )
    ]


def install_packages(packages: tuple[str, ...], environment: Mapping[str, str]) -> bool:
    """Install system packages, where the caller allowed it with ``ENPIRE_SETUP_APT=1``.

    :return: whether anything was installed, so that checking again makes sense.
    """
    allowed = environment.get('ENPIRE_SETUP_APT') == '1' and os.geteuid() == 0
    if not (packages and allowed and shutil.which('apt-get')):
        return False
    quiet = {**environment, 'DEBIAN_FRONTEND': 'noninteractive'}
    print(f'set-up: installing {" ".join(packages)}', flush=True)
    for command in (['update'], ['install', '-y', '--no-install-recommends', *packages]):
        done = subprocess.run(
            ['apt-get', '-q', *command], env=quiet, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode != 0:
            return False
    return True
