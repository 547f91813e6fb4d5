"""Whether the installed packages can draw, show and talk on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import re
import subprocess

from provision.problems import failure, Missing, SetUpError

#: A shared library that the machine lacks -> the Debian package that brings it.
LIBRARIES = {
    'libGL.so': 'libgl1',
    'libEGL.so': 'libegl1',
    'libGLESv2.so': 'libgles2',
    'libgthread-2.0.so': 'libglib2.0-0',
    'libglib-2.0.so': 'libglib2.0-0',
    'libOSMesa.so': 'libosmesa6',
    'libgomp.so': 'libgomp1',
    'libxcb.so': 'libxcb1',
}
DRAWING = ('libegl1', 'libgles2', 'libgl1-mesa-dri')

_DRAW = 'import mujoco; c = mujoco.GLContext(64, 64); c.make_current(); c.free()'


def check_packages(python: Path, environment: Mapping[str, str]) -> None:
    """Load what needs the machine's libraries, and draw a picture without a screen.

    :raises SetUpError: naming the system packages that are missing.
    """
    missing = []
    for module in ('cv2', 'rclpy', 'torch'):
        output = _run(python, f'import {module}', environment)
        if output is not None:
            missing.append(explain_import(module, output))
    if environment.get('MUJOCO_GL', '').lower() not in ('disable', 'disabled', 'off', '0'):
        ways = [environment['MUJOCO_GL']] if environment.get('MUJOCO_GL') else ['egl', 'osmesa']
        outputs = []
        for way in ways:
            outputs.append(_run(python, _DRAW, {**environment, 'MUJOCO_GL': way}))
            if outputs[-1] is None:
                break
        else:
            missing.append(Missing(f'MuJoCo can draw neither by {" nor by ".join(ways)}', DRAWING))
    if missing:
        raise SetUpError(missing)


def explain_import(module: str, output: str) -> Missing:
    """Say which library an import misses, and the package that has it."""
    found = re.search(r'(lib[\w.+-]+?\.so)[.\d]*: cannot open shared object', output)
    if found and found.group(1) in LIBRARIES:
        return Missing(f'{module} needs {found.group(1)}', (LIBRARIES[found.group(1)],))
    if found:
        return Missing(f'{module} needs {found.group(1)}', command=f'apt-file search {found[1]}')
    last = output.strip().splitlines()[-1:] or ['no output']
    return Missing(
        f'{module} cannot be imported: {last[0]}', command='make clean, then make again'
    )


def _run(python: Path, code: str, environment: Mapping[str, str]) -> str | None:
    """Run a line of Python; return None when it works, else what it printed."""
    try:
        done = subprocess.run(
            [python, '-c', code],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise failure(f'`{code}` did not end within 120 s', 'run make again') from error
    return None if done.returncode == 0 else done.stderr
