"""What is read out of a run that is known beforehand."""

from dataclasses import replace

from observed_run import CYCLE, ObservedRun
import pytest

from enpire_nodes.benchmark import observed
from enpire_nodes.common.errors import ErrorCode, StationError


@pytest.fixture
def made(tmp_path):
    return ObservedRun(tmp_path, late_ms=2.0, judged_ms=20.0, lost=3)


def test_trials_last_from_end_to_end_and_the_first_warms_up(made):
    timings = observed.timings(made.run)

    assert [timing.seed for timing in timings] == [1, 2]
    assert [timing.wall for timing in timings] == [CYCLE, CYCLE]
    assert [timing.simulated for timing in timings] == [CYCLE, CYCLE]
    assert timings[0].attempts == 1


def test_trial_that_nobody_announced_is_left_out(made):
    made.run.topics['/station_1/trial'].sightings.pop()

    assert [timing.seed for timing in observed.timings(made.run)] == [1]


def test_periods_of_the_executor_alone(made):
    found = observed.period_deviations(made.run)

    assert len(found) == 3 * 98
    assert max(found) == pytest.approx(0.002, abs=1e-6)
    assert min(found) == pytest.approx(0.002, abs=1e-6)


def test_commands_of_the_reset_are_no_periods_of_the_executor(made):
    made.run.topics['/station_1/command/lease'].sightings.clear()
    made._lease('scene_reset', 0, 10**15)

    assert observed.period_deviations(made.run) == []


def test_latency_of_each_verdict(made):
    assert observed.verdict_latencies(made.run) == pytest.approx([0.020] * 3)


def test_looks_beyond_the_trials_count_too(made):
    before = observed.verdict_latencies(made.run)
    made.run.looks = {('trial_0', 1): made.run.trials[0].attempts[0].end_ns}
    made.run.trials.clear()

    assert observed.verdict_latencies(made.run) == before[:1]


def test_lost_messages_are_added_over_the_bags(made):
    found = observed.missing_messages(made.run)

    by_topic = {entry.topic: entry for entry in found}
    assert by_topic['/station_1/joint_states'].lost == 9
    assert by_topic['/station_1/joint_states'].expected == 3 * 824  # 1 s to 9.23 s, ends included
    assert sum(entry.lost for entry in found) == 9
    assert not any(entry.topic.endswith('/trial') for entry in found)  # it is in no bag


def test_bag_that_is_not_there_is_an_error(made):
    (made.run.bag(made.run.trials[0]) / 'trial_0_0.mcap').unlink(missing_ok=True)
    for file in made.run.bag(made.run.trials[0]).glob('*.mcap'):
        file.unlink()

    with pytest.raises(StationError) as caught:
        observed.missing_messages(made.run)
    assert caught.value.code is ErrorCode.RECORDER_BAG_UNREADABLE


def test_work_lasts_from_the_first_lease_to_the_verdict(made):
    first, second, _ = made.run.trials

    assert observed.work(made.run, first) == (101 * 10**9, 109_230_000_000)
    assert observed.work(made.run, second)[0] == (101 + CYCLE) * 10**9
    assert observed.work(made.run, replace(first, start_ns=1, end_ns=2)) is None
    # in lockstep the next one begins at the instant at which this one ends
    touching = replace(first, end_ns=(101 + CYCLE) * 10**9)
    assert observed.work(made.run, touching) == (101 * 10**9, 109_230_000_000)


def test_diagnostics_of_one_node(made):
    values = observed.diagnostics(made.run, 'policy_executor')

    assert values == {'period jitter p99 [ms]': '1.50'}
    assert observed.diagnostics(made.run, 'safety_gate') == {}
