"""Simulated stations with the pin task."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pin_bench import Bench
import pytest

from enpire_nodes.simulation.rendering import rendering_enabled


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Make benches, and close them afterwards."""
    made = []

    def make(**arguments) -> Bench:
        if arguments.get('render', True) and not rendering_enabled():
            pytest.skip('nothing can draw here')
        made.append(Bench(**arguments))
        return made[-1]

    yield make
    for one in made:
        one.station.close()
