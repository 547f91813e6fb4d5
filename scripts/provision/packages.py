"""The virtual environment and the Python packages in it."""

from __future__ import annotations

from pathlib import Path
import re
import shutil
import subprocess
import sys
import venv

from provision.machine import Ros
from provision.problems import failure, Missing, SetUpError

#: Include folders of the machine that built the ROS wheels, as their CMake files name them.
_FOREIGN_NUMPY = re.compile(r'/opt/(?:python|_internal)/[^;"\s]*?/numpy/_?core/include')
_FOREIGN_PYTHON = re.compile(r'/opt/(?:python|_internal)/[^;"\s/]*/include/python3\.\d+')

#: What pip prints -> what it means and what to type.
_PIP_FAILURES = (
    (
        r'NewConnectionError|Name or service not known|Temporary failure in name|ProxyError'
        r'|ConnectTimeout|Read timed out|SSLError|Connection (?:refused|broken|reset)',
        'the Python package index cannot be reached',
        'check the network (a proxy: HTTPS_PROXY; a mirror: PIP_INDEX_URL), then run make again',
    ),
    (r'No space left on device', 'the disk is full', 'free some space, then run make again'),
    (
        r'No matching distribution found for ([^\s(]+)',
        'there is no wheel of {0} for this machine and Python',
        'use Python 3.10 to 3.13 on x86-64 Linux (make PYTHON=python3.12 <target>), '
        'or source ROS 2 Jazzy',
    ),
)


def make_environment(folder: Path, ros: Ros) -> None:
    """Make an empty virtual environment, in place of an older one.

    With a ROS installation it sees the system's packages, which ROS brings NumPy with.
    """
    if folder.exists():
        shutil.rmtree(folder)
    try:
        venv.create(folder, with_pip=True, system_site_packages=ros.installed, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        version = f'{sys.version_info.major}.{sys.version_info.minor}'
        raise SetUpError(
            [Missing(f'no virtual environment could be made: {error}', (f'python{version}-venv',))]
        ) from error


def requirement_files(folder: Path, ros: Ros) -> list[Path]:
    """List the requirement files that apply, the constraints last."""
    lists = ['run.txt', 'test.txt', 'assets.txt']
    constraints = 'constraints-ros-machine.txt' if ros.installed else 'constraints.txt'
    return [folder / name for name in ([] if ros.installed else ['ros.txt']) + lists] + [
        folder / constraints
    ]


def install(python: Path, files: list[Path], log: Path) -> None:
    """Install requirement files; the last one constrains, ``assets.txt`` comes without its needs.

    :param log: what pip printed.
    :raises SetUpError: saying what pip's failure means.
    """
    *lists, constraints = files
    whole = [str(word) for path in lists if path.name != 'assets.txt' for word in ('-r', path)]
    bare = [str(word) for path in lists if path.name == 'assets.txt' for word in ('-r', path)]
    log.write_text('')
    for arguments in (['-c', str(constraints), *whole], ['--no-deps', *bare]):
        pip = (python, '-m', 'pip', '--no-input', '--disable-pip-version-check', 'install')
        with log.open('a') as file:
            done = subprocess.run(
                [*pip, '--prefer-binary', *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise explain_pip(log.read_text(errors='replace'), log)


def explain_pip(output: str, log: Path) -> SetUpError:
    """Turn what pip printed into what is wrong and what to type."""
    for pattern, what, command in _PIP_FAILURES:
        if found := re.search(pattern, output):
            return failure(what.format(*found.groups()), command)
    last = [line for line in output.splitlines() if line.strip()][-3:]
    return failure('pip failed: ' + ' / '.join(last), f'read {log}, then run make again')


def adapt_wheels(share: Path, python_include: str, numpy_include: str) -> int:
    """Let the CMake files of the ROS wheels name this interpreter's include folders.

    :return: how many files were changed.
    """
    changed = 0
    for path in share.rglob('*.cmake'):
        text = path.read_text()
        if '/opt/' not in text:
            continue
        adapted = _FOREIGN_PYTHON.sub(python_include, _FOREIGN_NUMPY.sub(numpy_include, text))
        if adapted != text:
            path.write_text(adapted)
            changed += 1
    return changed


def include_folders(python: Path) -> tuple[str, str]:
    """Ask an environment for the include folders of Python and of NumPy."""
    code = (
        'import numpy, sysconfig; print(sysconfig.get_path("include")); print(numpy.get_include())'
    )
    done = subprocess.run(
        [python, '-c', code], capture_output=True, text=True, check=True, timeout=120
    )
    python_include, numpy_include = done.stdout.splitlines()
    return python_include, numpy_include
