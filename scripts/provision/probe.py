"""Whether the installed packages can draw, show and talk on this machine."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import re
import shutil
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
#: What draws without a screen.
DRAWING = ('libegl1', 'libgles2', 'libgl1-mesa-dri')

#: Lists, on the error stream, what the compiled parts of a package do not find.
_MISSING_LIBRARIES = """
import importlib.util, pathlib, subprocess, sys
folder = pathlib.Path(importlib.util.find_spec('{}').origin).parent
for part in folder.glob('*.so'):
    done = subprocess.run(['ldd', part], capture_output=True, text=True)
    sys.stderr.write(done.stdout)
sys.exit(1)
"""
_SANDBOX = (
    'import sys; from enpire_nodes.sandbox.bubblewrap import availability; '
    'sys.exit(availability().reason or 0)'
)
_DRAW = 'import mujoco; c = mujoco.GLContext(64, 64); c.make_current(); c.free()'


def check_packages(python: Path, environment: Mapping[str, str]) -> None:
    """Load what needs the machine's libraries, and draw a picture without a screen.

    :raises SetUpError: naming the system packages that are missing.
    """
    missing = []
    for module in ('cv2', 'rclpy', 'torch'):
        output = _run(python, f'import {module}', environment)
        if output is not None:
            # The import names the first missing library; ldd names all.
            all_of_it = _run(python, _MISSING_LIBRARIES.format(module), environment) or ''
            missing += explain_import(module, f'{all_of_it}\n{output}')
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


def check_sandbox(python: Path, root: Path, environment: Mapping[str, str]) -> None:
    """Start a sandbox, as agents and policies are to run in.

    :param root: of the source tree.
    :raises SetUpError: naming the system package that is missing, or what forbids it.
    """
    if shutil.which('bwrap', path=environment.get('PATH')) is None:
        raise SetUpError([Missing('bubblewrap is not installed', ('bubblewrap',))])
    paths = filter(None, [str(root), environment.get('PYTHONPATH')])
    output = _run(python, _SANDBOX, {**environment, 'PYTHONPATH': os.pathsep.join(paths)})
    if output is not None:
        last = output.strip().splitlines()[-1:] or ['bubblewrap does not work']
        raise SetUpError([Missing(last[0])])


def explain_import(module: str, output: str) -> list[Missing]:
    """Say which libraries an import misses, and the packages that have them.

    :param output: of the import that failed, of ``ldd``, or both.
    """
    names = re.findall(r'(lib[\w.+-]+?\.so)[.\d]*(?:: cannot open| => not found)', output)
    if not names:
        last = output.strip().splitlines()[-1:] or ['no output']
        command = 'make clean, then make again'
        return [Missing(f'{module} cannot be imported: {last[0]}', command=command)]
    return [
        Missing(f'{module} needs {name}', (LIBRARIES[name],))
        if name in LIBRARIES
        else Missing(f'{module} needs {name}', command=f'apt-file search {name}')
        for name in dict.fromkeys(names)
    ]


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
