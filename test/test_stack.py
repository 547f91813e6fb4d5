"""The whole station on the simulator, end to end: trials, names, and the death of any node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip('rclpy')

from bringup_support import wait_until
import stack_support
from stack_support import Stack

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import SafetyState
from enpire_nodes.bringup.table import BYSTANDERS, NODES
from enpire_nodes.rollout.records import TrialOutcome

pytestmark = [
    pytest.mark.ros, pytest.mark.egl, pytest.mark.alone, pytest.mark.timeout(180)
]  # fmt: skip

ABSOLUTE = {'/diagnostics', '/rosout', '/parameter_events', '/clock', '/tf', '/tf_static'}


@pytest.fixture(scope='module')
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    run = tmp_path_factory.mktemp('stack') / 'run'
    with stack_support.stack(run, pace='lockstep') as stack:
        yield stack


def test_trials_run_and_ledger_and_bags_agree(station: Stack) -> None:
    result = station.result(station.request(2, controller='scripted', max_attempts=2), 150.0)
    assert result.outcome == RunTrials.Result.COMPLETED
    assert result.completed == 2
    assert stack_support.disagreements(station.run) == []
    newest = station.closed(2)
    assert newest.outcome in (TrialOutcome.SUCCESS, TrialOutcome.FAILURE)
    assert newest.controller == 'scripted'
    assert newest.attempts
    assert newest.attempts[0].verdict.votes
    counts = stack_support.topics_of(station.run / newest.bag)
    for name in ('joint_states', 'right/tcp_pose', 'right/wrench', 'driver/right/target_pose',
                 'camera/side/image_raw/compressed', 'camera/front/image_raw/compressed',
                 'verdict', 'safety_state', 'station_state'):  # fmt: skip
        assert counts.get(f'/station_1/{name}', 0) > 0, name
    assert counts['/clock'] > 100
    wait_until(lambda: len(station.trials) == 2, 5.0, 'both trials on the topic')
    assert station.trials[-1].ledger_digest == newest.ledger_digest


def test_everything_hangs_below_the_namespace(station: Stack) -> None:
    node = station.node

    def foreign() -> set[str]:
        names = {name for name, _ in node.get_topic_names_and_types()}
        names |= {name for name, _ in node.get_service_names_and_types()}
        return {name for name in names if not name.startswith('/station_1/')} - ABSOLUTE

    assert foreign() == set()

    def nodes() -> set[str]:
        return {f'{space}/{name}' for name, space in node.get_node_names_and_namespaces()}

    wait_until(lambda: nodes() >= {f'/station_1/{name}' for name in NODES}, 20.0, 'all nodes')
    assert all(name.startswith('/station_1/') for name in nodes())


def test_every_node_is_in_the_diagnostics_under_its_full_name(station: Stack) -> None:
    wanted = {f'/station_1/{name}' for name in NODES}
    wait_until(lambda: wanted <= station.diagnostics.keys(), 10.0, 'all diagnostics')
    for name in wanted:
        assert station.diagnostics[name].hardware_id == 'station_1'


def test_a_late_subscriber_sees_the_latched_states(station: Stack) -> None:
    late = Stack(station.station)
    try:
        wait_until(lambda: late.state and late.safety, 10.0, 'latched states')
        assert late.state.trial_id == ''
        assert late.safety[-1].mode == SafetyState.HOLDING
    finally:
        late.close()


@pytest.mark.parametrize('stage', list(stack_support.STAGES))
@pytest.mark.parametrize('node', [name for name in NODES if name not in BYSTANDERS])
def test_any_node_may_die_in_any_stage(station: Stack, node: str, stage: str) -> None:
    stack_support.kill_in(station, node, stage)


@pytest.mark.parametrize('node', BYSTANDERS)
def test_a_trial_goes_on_without_whoever_only_asked_for_it(station: Stack, node: str) -> None:
    stack_support.begin(station, 'execute')
    known, restarts = station.count(), station.station.restarts(node)
    station.station.kill(node)
    closed = station.closed(known)
    assert closed.outcome in (TrialOutcome.SUCCESS, TrialOutcome.FAILURE), closed.message
    station.ready()
    assert station.station.restarts(node) == restarts + 1


def test_after_all_that_the_next_trial_runs(station: Stack) -> None:
    station.ready()
    result = station.result(station.request(1, controller='scripted', max_attempts=2), 100.0)
    assert result.outcome == RunTrials.Result.COMPLETED
    newest = station.closed(1)
    assert newest.outcome in (TrialOutcome.SUCCESS, TrialOutcome.FAILURE), newest.message
    assert stack_support.disagreements(station.run) == []
