"""Measured material that is known beforehand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from enpire_nodes.benchmark.timing import TrialTiming


@pytest.fixture
def timing() -> Callable[..., TrialTiming]:
    """Make the timing of a trial that succeeded at once."""

    def make(seed: int = 1, wall: float = 11.0, **fields: object) -> TrialTiming:
        values = {
            'simulated': wall, 'outcome': 'SUCCESS', 'attempts': 1, 'recoveries': 0,
            'reset': 4.0, 'execute': 6.0, 'verify': 0.5, **fields,
        }  # fmt: skip
        return TrialTiming(seed=seed, wall=wall, **values)

    return make


@pytest.fixture
def station_domain(ros, monkeypatch):
    """Let whoever opens a ROS context of its own meet the test's nodes."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))
    return ros


@pytest.fixture
def plan(tmp_path: Path):
    """Return a plan that is over soon."""
    from enpire_nodes.benchmark.session import Plan

    return Plan('station_1', tmp_path, 'scripted', trials=3, short=1, looks=2)
