"""Measuring the metering proxy beside a call without it."""

import math
import subprocess
import sys

import pytest

from enpire_nodes.benchmark import proxy_cost
from enpire_nodes.benchmark.proxy_cost import BenchFailedError, measure, ProxyCost
from enpire_nodes.benchmark.spread import Spread


def test_calls_are_measured_in_pairs():
    cost = measure(6, events=5, body=2000, pause=0.0)

    assert (cost.direct.n, cost.through.n, cost.cost.n, cost.first.n) == (6, 6, 6, 6)
    assert (cost.events, cost.body, cost.pause) == (5, 2000, 0.0)
    assert cost.cost.mean == pytest.approx(cost.through.mean - cost.direct.mean)
    assert math.isfinite(cost.first.p50)
    assert cost.direct.p50 > 0.0


def test_it_says_what_a_call_costs():
    def spread(value: float) -> Spread:
        return Spread(n=9, p50=value, p99=2 * value, mean=value, largest=2 * value)

    cost = ProxyCost(spread(1.0), spread(1.5), spread(0.5), spread(0.25), 20, 1000, 0.01, 0.7)

    assert '0.50 ms more per call at the median, 1.00 ms at p99 (goal 3 ms)' in str(cost)
    assert 'first byte 0.25 ms and 0.50 ms' in str(cost)
    assert '9 pairs of calls of 1000 bytes with 20 events each, 10 ms apart' in str(cost)


def test_a_stub_that_does_not_start_is_named(monkeypatch):
    monkeypatch.setattr(proxy_cost, '_MODULE', 'enpire_nodes.benchmark.no_such_module')

    with pytest.raises(BenchFailedError, match='the stub did not start'):
        measure(1)


def test_it_runs_by_itself():
    ran = subprocess.run(
        [
            sys.executable,
            '-m',
            'enpire_nodes.benchmark.proxy_cost',
            '--pairs',
            '3',
            '--pause',
            '0',
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )

    assert ran.stdout.startswith('metering proxy: ')
    assert '3 pairs of calls of 65536 bytes with 20 events each' in ran.stdout
