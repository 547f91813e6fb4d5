"""A whole station at work, seen by the bench."""

from bringup_support import own_domain
import pytest

from enpire_nodes.benchmark import observed
from enpire_nodes.benchmark.suite import Order, run_suite
from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.simulation.rendering import rendering_enabled


@pytest.mark.ros
@pytest.mark.egl
@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(not rendering_enabled(), reason='MUJOCO_GL=disable')
def test_station_in_lockstep_is_brought_up_worked_and_seen(tmp_path):
    configuration = load_configuration('station_1', pace='lockstep', run=tmp_path / 'run', seed=1)
    order = Order([11, 12], 'scripted', max_attempts=1, timeout=150.0, everything=False)
    told = []
    with own_domain():
        run = run_suite(configuration, order, progress=told.append)

    assert run.problem == ''
    assert [trial.seed for trial in run.trials] == [11, 12]
    assert told[-1] == 2
    (timing,) = observed.timings(run)
    assert timing.seed == 12
    assert timing.simulated >= timing.stages > 1.0
    assert timing.wall > 0.5
    assert len(observed.verdict_latencies(run)) == sum(len(t.attempts) for t in run.trials)
    assert len(observed.period_deviations(run)) > 30
    assert 'period jitter p99 [ms]' in observed.diagnostics(run, 'policy_executor')
    processes = {'+'.join(nodes) for nodes in configuration.groups}
    assert set(run.shares) == set(run.memory) == processes
    assert min(run.memory.values()) > 10e6
    losses = observed.missing_messages(run)
    assert len(losses) == 11
    assert [entry for entry in losses if entry.lost] == []
    assert min(entry.expected for entry in losses) > 60
