"""Fixtures of the bring-up tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bringup_support import own_domain
import pytest


@pytest.fixture
def domain() -> Iterator[int]:
    """Give the test's processes a ROS domain of their own."""
    with own_domain() as number:
        yield number


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file below the test's directory, and return it."""

    def write(text: str, name: str = 'station.yaml') -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def station_file(write: Callable[..., Path]) -> Callable[[str], Path]:
    """Write a station file whose `files` are found, with more text behind them."""
    import enpire_nodes

    config = Path(enpire_nodes.__file__).parents[1] / 'config'

    def make(text: str = '', name: str = 'station.yaml') -> Path:
        files = f'{{station: {config}/stations/simulated.yaml, limits: {config}/safety/yam.yaml}}'
        return write(f'files: {files}\n{text}\n', name)

    return make
