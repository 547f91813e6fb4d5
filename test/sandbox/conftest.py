"""Worlds to attack, and the demand that there is a sandbox at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sandbox_support import SECRET, TRUE, World

from enpire_nodes.sandbox.bubblewrap import availability


@pytest.fixture(scope='session', autouse=True)
def bubblewrap() -> None:
    """Fail, rather than skip, where there is no bubblewrap: the set-up installs it."""
    found = availability()
    assert found.usable, found.reason


@pytest.fixture
def worlds(tmp_path: Path) -> Callable[[str], World]:
    """Make one world after another."""

    def make(name: str) -> World:
        world = World(tmp_path / name)
        for path in (world.judge, world.home / '.profile', *world.secrets):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SECRET, 'utf-8')
        world.judge.write_text(TRUE, 'utf-8')
        (world.home / '.profile').write_text('export SHELL=sh', 'utf-8')
        return world

    return make
