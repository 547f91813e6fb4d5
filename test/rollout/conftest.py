"""Fixtures for trials and their files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import subprocess

import pytest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Make file systems that are really full soon; needs the right to mount."""
    mounted = []

    def mount(*, megabytes: int) -> Path:
        place = tmp_path / f'disk_{len(mounted)}'
        place.mkdir()
        command = ['mount', '-t', 'tmpfs', '-o', f'size={megabytes}m', 'tmpfs', str(place)]
        if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
            pytest.skip('needs the right to mount a small disk')
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(['umount', '-l', str(place)], check=False)
