"""A bench without pictures, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from enpire_nodes.simulation.settings import BenchSettings, load_station

STATION = Path(__file__).parents[2] / 'config' / 'stations' / 'simulated.yaml'


@pytest.fixture
def station_mapping() -> dict:
    """Return a fresh copy of the shipped station's configuration."""
    return load_station(STATION)


@pytest.fixture
def settings(station_mapping) -> BenchSettings:
    """Return the shipped station's settings."""
    return BenchSettings.from_mapping(station_mapping)
