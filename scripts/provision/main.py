"""The order of the steps."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import platform
import sys

from provision.build import build_environment, build_inputs, colcon_build
from provision.machine import check_machine, find_ros, imports_rclpy, install_packages, Ros
from provision.packages import (
    adapt_wheels,
    include_folders,
    install,
    make_environment,
    requirement_files,
)
from provision.probe import check_packages, check_sandbox
from provision.problems import SetUpError
from provision.steps import alone, digest, Steps

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / '.venv'
PYTHON = FOLDER / 'bin' / 'python'
MARKS = FOLDER / '.set_up'


def main() -> int:
    """Set the tree up; return 0, or 1 after saying what is missing."""
    environment = dict(os.environ)
    try:
        with alone(ROOT / 'build' / '.set_up.lock'):
            _provide_with_packages(environment)
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('set-up: interrupted; run make again to go on', file=sys.stderr)
        return 130
    return 0


def provide(environment: Mapping[str, str]) -> None:
    """Bring the tree up to date with its inputs, doing only what is needed."""
    ros = find_ros(environment, imports_rclpy)
    steps = Steps(MARKS)

    machine = digest(sys.base_prefix, platform.python_version(), str(ROOT), str(ros))
    if not (steps.done('environment', machine) and PYTHON.exists()):
        check_machine(ros, ROOT)
        steps.forget('environment')
    title = f'making a virtual environment for {ros}'
    steps.run('environment', machine, title, lambda: make_environment(FOLDER, ros))

    files = requirement_files(ROOT / 'requirements', ros)
    packages = digest(machine, files=files)
    title = 'installing Python packages (two minutes)'
    steps.run('packages', packages, title, lambda: _install(files, ros))

    variables = build_environment(environment, FOLDER, ros)
    for package in ('enpire_msgs', 'enpire'):
        inputs = build_inputs(ROOT, package, packages)
        if not (ROOT / 'install' / package).exists():
            steps.forget(package)
        _build(steps, package, inputs, variables)

    title = 'trying the installed packages'
    steps.run('probe', packages, title, lambda: check_packages(PYTHON, environment))
    _try_sandbox(steps, packages, environment)


def _provide_with_packages(environment: Mapping[str, str]) -> None:
    """Provide, and each time that system packages are missing install them, where allowed."""
    asked: set[str] = set()
    while True:
        try:
            return provide(environment)
        except SetUpError as error:
            new = tuple(name for name in error.packages if name not in asked)
            if not install_packages(new, environment):
                raise
            asked.update(new)


def _try_sandbox(steps: Steps, inputs: str, environment: Mapping[str, str]) -> None:
    """Try the sandbox; without one nearly everything works, so that is said and no more."""
    title = 'trying the sandbox for agents and policies'
    for may_install in (True, False):
        try:
            steps.run('sandbox', inputs, title, lambda: check_sandbox(PYTHON, ROOT, environment))
            return
        except SetUpError as error:
            if may_install and install_packages(error.packages, environment):
                continue
            print(
                f'{error}\nset-up: going on without a sandbox: a station will refuse coding '
                'agents other than the built-in one, and run policies behind fewer walls',
                file=sys.stderr,
            )
            return


def _install(files: list[Path], ros: Ros) -> None:
    install(PYTHON, files, MARKS / 'pip.log')
    if not ros.installed:
        adapt_wheels(FOLDER / 'share', *include_folders(PYTHON))


def _build(steps: Steps, package: str, inputs: str, variables: Mapping[str, str]) -> None:
    title = f'building {package} with colcon'
    steps.run(package, inputs, title, lambda: colcon_build(ROOT, PYTHON, package, variables))
