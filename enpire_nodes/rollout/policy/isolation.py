"""Cutting the policy's process off from the network, with what the kernel offers to anyone.

Two walls, each of which is enough to deny the network: a new user and network namespace (no
interface but a dead loopback), and a seccomp filter that refuses ``socket(2)``. Ubuntu 24.04
denies the first to unprivileged programs, hence the second, which is also put up within a sandbox
(see :mod:`.enclosure`), where the first is neither possible nor needed. Files are not restricted
here: that is the sandbox's part.

Imports nothing but the standard library: a process with threads (numpy's) cannot enter a user
namespace, so this runs first.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
import platform
import signal
import struct

_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES

#: machine: (audit architecture, socket, io_uring_setup, first number of another ABI)
_SYSTEM_CALLS = {
    'x86_64': (0xC000003E, 41, 425, 0x40000000),
    'aarch64': (0xC00000B7, 198, 425, 0x40000000),
}


def die_with(parent: int) -> None:
    """Let the kernel kill this process when the thread that started it ends.

    :param parent: its process id; when that is no longer our parent, it has ended already.
    """
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def isolate() -> tuple[str, ...]:
    """Deny this process and its children the network; return the walls that stand.

    :return: of ``namespace`` and ``seccomp``; empty when the kernel allows neither.
    """
    walls = []
    if _enter_namespace():
        walls.append('namespace')
    if _refuse_sockets():
        walls.append('seccomp')
    return tuple(walls)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _enter_namespace() -> bool:
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    try:
        # keep the user's name: libraries look up the home directory of whoever runs them
        Path('/proc/self/setgroups').write_text('deny', encoding='ascii')
        Path('/proc/self/uid_map').write_text(f'{user} {user} 1', encoding='ascii')
        Path('/proc/self/gid_map').write_text(f'{group} {group} 1', encoding='ascii')
    except OSError:
        pass  # an unmapped user is nobody, and as isolated
    return True


def _refuse_sockets() -> bool:
    numbers = _SYSTEM_CALLS.get(platform.machine())
    if numbers is None:
        return False
    program = _filter(*numbers)
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = [('length', ctypes.c_ushort), ('filter', ctypes.c_void_p)]

    described = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = _libc()
    zero = ctypes.c_ulong(0)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0:
        return False
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    return libc.prctl(_PR_SET_SECCOMP, mode, ctypes.byref(described), zero, zero) == 0


def _filter(architecture: int, socket: int, io_uring: int, other_abi: int) -> bytes:
    """Assemble the BPF program: refuse two system calls and every foreign ABI, allow the rest."""
    load, jump_equal, jump_at_least, give = 0x20, 0x15, 0x35, 0x06
    instructions = [
        (load, 0, 0, 4),  # seccomp_data.arch
        (jump_equal, 0, 4, architecture),
        (load, 0, 0, 0),  # seccomp_data.nr
        (jump_at_least, 2, 0, other_abi),
        (jump_equal, 1, 0, socket),
        (jump_equal, 0, 1, io_uring),
        (give, 0, 0, _REFUSE),
        (give, 0, 0, _ALLOW),
    ]
    return b''.join(struct.pack('<HBBI', *instruction) for instruction in instructions)
