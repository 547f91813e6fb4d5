"""Building the command that runs a program in a sandbox, and telling whether that works here.

What holds: no network, no Unix socket that is not brought in, no shared memory, process or
terminal of the machine, no file that is not brought in, no change to one that is read-only, no
capability, no new user namespace, none of the station's environment; all ends with the starter.

What does not: time, memory and the number of processes are not limited; the kernel itself is
reachable, so that a hole in it is a hole here; ``/proc`` shows what belongs to the machine as a
whole (its load, memory, version); the starter's session keyring is not taken away; a Unix socket
that lies in a folder brought in, even read-only, can be connected to; a descriptor that is handed
on can be used, and a file that is the program's output can be rewritten through it (hand it a
pipe); a program that is told a secret through its environment shows it on its command line. A
graphics card's driver is a large part of the kernel to show to somebody: see ``devices``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
import os
from pathlib import Path
import shutil
import subprocess
import sys

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.keys import keys_directory
from enpire_nodes.sandbox import python, reasons
from enpire_nodes.sandbox.profile import (
    covers,
    PLACE,
    PRIVATE,
    Profile,
    PROGRAMS,
    socket_path,
    USER,
)

_WALLS = (
    '--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--new-session',
    '--cap-drop', 'ALL', '--uid', str(USER), '--gid', str(USER), '--hostname', 'station',
    '--clearenv',
)  # fmt: skip
#: Of /etc: what programs look up, and nothing that says who uses the machine.
_ETC = ('alternatives', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime', 'mime.types',
        'ssl/certs', 'ssl/openssl.cnf')  # fmt: skip
_OWN_ETC = Path(__file__).parent / 'etc'
_PROBE_DEADLINE = 20.0  # s


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether sandboxes work on this machine; if not, why, and what to do about it."""

    usable: bool
    reason: str = ''


@cache
def availability() -> Availability:
    """Try it, once in the life of this process: versions and settings alone tell too little."""
    program = shutil.which('bwrap')
    if program is None:
        return Availability(False, reasons.MISSING)
    argv = [*_base(program), '--', '/usr/bin/env', 'true']
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors='replace',
            timeout=_PROBE_DEADLINE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Availability(False, f'{program} cannot be run: {error}')
    if done.returncode == 0:
        return Availability(True)
    return Availability(False, reasons.explain(done.stderr))


def command(profile: Profile, argv: Sequence[str]) -> list[str]:
    """Return the command that runs ``argv`` in a sandbox.

    Start it with any environment (none of it gets in), from a thread that lasts: the kernel ends
    it with the *thread* that started it. End it with SIGKILL, which ends everything in there; for
    a signal to the program itself see :mod:`.signals`. Descriptors that it is started with are
    handed on. It ends with the program's own exit code, 128 + the number of the signal that ended
    it.

    :raises StationError: SUPERVISOR_SANDBOX_MISSING when there is none to be had here,
        SUPERVISOR_BAD_REQUEST when the profile names what cannot or must not be brought in.
    """
    found = availability()
    if not found.usable:
        raise StationError(ErrorCode.SUPERVISOR_SANDBOX_MISSING, found.reason)
    profile.check()
    made = _base(shutil.which('bwrap') or 'bwrap')
    for folder in python.folders():
        made += _bind('--ro-bind', folder)
    named = (*profile.writable, *profile.readable)
    if profile.workdir != PRIVATE and not covers(named, profile.workdir):
        made += _bind('--ro-bind', profile.workdir)
    # a folder before what lies in it, or it would hide that
    binds = [(path, '--ro-bind') for path in profile.readable]
    binds += [(path, '--bind') for path in profile.writable]
    for path, option in sorted(binds, key=lambda bind: len(bind[0].parts)):
        made += _bind(option, path)
    for path in profile.frozen:
        if path.exists():
            made += _bind('--ro-bind', path)
    made += _hide(keys_directory(), profile)
    for path in profile.devices:
        made += _bind('--dev-bind', path)
    for name, path in profile.sockets.items():
        made += ['--bind', str(path), socket_path(name)]
    for name, path in profile.programs.items():
        made += ['--ro-bind', str(path), str(PROGRAMS / name)]
    for name, value in _environment(profile).items():
        made += ['--setenv', name, value]
    return [*made, '--remount-ro', '/', '--chdir', str(profile.workdir), '--', *argv]


def relayed(relays: Mapping[int, str], argv: Sequence[str]) -> list[str]:
    """Return the command that, inside, makes sockets of the profile reachable by TCP.

    :param relays: port of 127.0.0.1 → name of a socket of the profile.
    """
    wanted = [f'{port}={socket_path(name)}' for port, name in relays.items()]
    options = [part for relay in wanted for part in ('--relay', relay)]
    return [sys.executable, '-m', 'enpire_nodes.sandbox.inside', *options, '--', *argv]


def _base(program: str) -> list[str]:
    # started without any environment: what bwrap itself was started with can be read in there
    made = ['/usr/bin/env', '-i', program, *_WALLS, '--ro-bind', '/usr', '/usr']
    for name in ('bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'):
        place = Path('/', name)
        if place.is_symlink():
            made += ['--symlink', os.readlink(place), str(place)]
        elif place.is_dir():
            made += _bind('--ro-bind', place)
    for name in _ETC:
        made += ['--ro-bind-try', f'/etc/{name}', f'/etc/{name}']
    for name in ('passwd', 'group', 'hosts', 'nsswitch.conf'):
        made += ['--ro-bind', str(_OWN_ETC / name), f'/etc/{name}']
    made += ['--dev', '/dev', '--proc', '/proc', '--perms', '1777', '--tmpfs', '/tmp']
    return [*made, '--perms', '0755', '--tmpfs', '/run', '--dir', str(PLACE)]


def _bind(option: str, path: Path) -> list[str]:
    return [option, str(path), str(path)]


def _hide(secret: Path, profile: Profile) -> list[str]:
    """Cover the keys of the station's user, should they lie in what is brought in."""
    shown = (*python.folders(), *profile.readable, *profile.writable)
    if profile.workdir != PRIVATE:
        shown += (profile.workdir,)
    places = dict.fromkeys((secret, secret.resolve()))
    return [
        part
        for place in places
        if place.is_dir() and covers(shown, place)
        for part in ('--tmpfs', str(place), '--remount-ro', str(place))
    ]


def _environment(profile: Profile) -> dict[str, str]:
    path = dict.fromkeys(
        [str(PROGRAMS), str(python.program_folder()), '/usr/local/bin', '/usr/bin', '/bin']
    )
    return {
        'PATH': os.pathsep.join(path),
        'HOME': '/tmp',
        'LANG': 'C.UTF-8',
        'TMPDIR': '/tmp',
        **python.environment(),
        **profile.environment,
    }
