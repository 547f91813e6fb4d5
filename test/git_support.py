"""Git as a person types it, for tests."""

from __future__ import annotations

from pathlib import Path
import subprocess

_IDENTITY = (
    '-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgSign=false',
)  # fmt: skip


def git(place: Path, *words: str) -> str:
    """Run git in a folder; return what it printed, without the last line break."""
    command = ['git', '-C', str(place), *_IDENTITY, *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60.0)
    return done.stdout.strip()
