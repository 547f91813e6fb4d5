"""Finding the program of an agent, and asking it for its version."""

from __future__ import annotations

import json
import os
from pathlib import Path
import re
import shutil
import subprocess

from enpire_nodes.common.errors import ErrorCode, StationError

_SECONDS = 60.0
_NUMBER = re.compile(r'\d+\.\d+\.\d+[\w.-]*')


def locate(name: str, variable: str, install: str) -> Path:
    """Find a program, with symbolic links resolved.

    :param variable: of the environment, that may name it; it goes first.
    :param install: what to do when it is not there.
    :raises StationError: SUPERVISOR_AGENT_FAILED.
    """
    named = os.environ.get(variable, '')
    found = shutil.which(named or name)
    if found is None:
        where = f'{variable}={named} names no program' if named else f'{name!r} is not on the PATH'
        raise StationError(ErrorCode.SUPERVISOR_AGENT_FAILED, f'{where}: {install}')
    return Path(found).resolve()


def package_of(program: Path) -> Path:
    """Return the outermost ``node_modules`` that holds a program, or else its folder."""
    for parent in reversed(program.parents):
        if parent.name == 'node_modules':
            return parent
    return program.parent


def probe(argv: list[str], known: str) -> tuple[str, str]:
    """Ask a program for its version; return it, and a warning when it is not ``known``."""
    try:
        # a program that asks for something must find nobody there
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={'PATH': os.environ.get('PATH', ''), 'HOME': '/nonexistent', **QUIET},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return '', f'{argv[0]} does not tell its version: {error}'
    found = _NUMBER.search(done.stdout)
    if found is None:
        return '', f'{argv[0]} does not tell its version: {(done.stdout + done.stderr)[:200]!r}'
    version = found.group()
    if version != known:
        return version, (
            f'{Path(argv[0]).name} {version} is not the {known} that this was tested with: '
            'what it prints may be misunderstood; what it costs is counted all the same'
        )
    return version, ''


#: Nothing that is called here may report, update, or ask for colours.
QUIET = {'NO_COLOR': '1', 'DO_NOT_TRACK': '1', 'NO_UPDATE_NOTIFIER': '1', 'CI': '1'}
#: Stands where a program insists on a key; the station's proxy drops it.
DUMMY_KEY = 'not-a-key'


def parsed(line: str) -> dict:
    """Read a line of JSON; anything but an object is an empty one."""
    if not line.lstrip().startswith('{'):
        return {}
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):  # the latter of what is nested too deeply
        return {}
    return data if isinstance(data, dict) else {}
