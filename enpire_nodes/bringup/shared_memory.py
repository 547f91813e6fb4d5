"""Removing what killed processes left of Fast DDS in the shared memory of this machine.

A process that was killed leaves its segments behind; many of them have kept a station that came
back from ever being heard. Fast DDS brings the command that tells them from those in use.
"""

from __future__ import annotations

import shutil
import subprocess

_DEADLINE = 10.0  # s


def clean_shared_memory() -> str:
    """Remove segments that no process holds; return what went wrong, empty when nothing did."""
    program = shutil.which('fastdds')
    if program is None:
        return ''  # another middleware, or none of its tools: then there is nothing to be done
    try:
        done = subprocess.run(
            [program, 'shm', 'clean'], capture_output=True, text=True, timeout=_DEADLINE,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f'{program} shm clean: {error}'
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        return f'{program} shm clean ended with {done.returncode}: {words[-1] if words else ""}'
    return ''
