"""The reset node on a fake station: every way a reset can end."""

import time

from environment.doubles import FakeStation, FakeTask, operator_needed
from goal_support import offer, result_of
import pytest

from enpire_msgs.action import ResetScene
from enpire_msgs.msg import SafetyState
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.environment.scene_reset import SceneReset
from enpire_nodes.tasks import registry

READY, FAILED, OPERATOR_NEEDED, CANCELED = (
    ResetScene.Result.READY,
    ResetScene.Result.FAILED,
    ResetScene.Result.OPERATOR_NEEDED,
    ResetScene.Result.CANCELED,
)


@pytest.fixture
def task(monkeypatch):
    monkeypatch.setitem(registry.BUILT_IN, 'fake', 'environment.doubles:FakeTask')
    monkeypatch.setattr(FakeTask, 'periods', 10)
    monkeypatch.setattr(FakeTask, 'failure', None)
    return FakeTask


@pytest.fixture
def station(ros, task):
    station = FakeStation(ros)
    node = ros.make(SceneReset, task='fake', task_file='stations/simulated.yaml')
    ros.wait_until(lambda: node.active, what='scene_reset is active')
    return station


@pytest.fixture
def reset(ros, station):
    feedback = []

    def call(act=None, **fields):
        goal = ResetScene.Goal(trial_id='t1', **fields)
        handle = offer(ros, ResetScene, 'reset_scene', goal, feedback.append)
        assert handle.accepted
        if act is not None:
            ros.wait_until(lambda: station.targets, what='the reset moves')
            act(handle)
        return result_of(ros, handle).result

    call.feedback = feedback
    return call


def test_a_reset_that_succeeds_reports_the_fixture_and_its_recoveries(reset, station, ros):
    result = reset()
    assert (result.outcome, result.error_code) == (READY, ErrorCode.NONE)
    assert result.fixture.pose.position.x == pytest.approx(0.27)
    assert (list(result.recoveries), result.retries) == (['slipped'], 1)
    assert reset.feedback[0].stage == 'locate'
    ros.wait_until(lambda: len(station.leases) == 2)
    assert [lease.engaged for lease in station.leases] == [True, False]
    assert station.leases[0].holder == '/station_1/scene_reset'
    assert len(station.targets) == FakeTask.periods


def test_what_only_a_person_can_mend_is_said(reset, task, monkeypatch):
    monkeypatch.setattr(task, 'failure', operator_needed())
    result = reset()
    assert (result.outcome, result.error_code) == (
        OPERATOR_NEEDED,
        ErrorCode.RESET_PIN_OUT_OF_REACH,
    )
    assert result.message == 'put the pin on the tray'
    assert list(result.recoveries) == ['fetch']


def test_a_defect_in_the_reset_is_not_success(reset, task, monkeypatch):
    monkeypatch.setattr(task, 'failure', ZeroDivisionError('oops'))
    result = reset()
    assert (result.outcome, result.error_code) == (FAILED, ErrorCode.RESET_INTERNAL)
    assert 'ZeroDivisionError' in result.message


@pytest.mark.parametrize(
    ('mode', 'code'),
    [
        (SafetyState.TRIPPED, ErrorCode.GATE_FORCE_EXCEEDED),
        (SafetyState.ESTOPPED, ErrorCode.GATE_ESTOPPED),
    ],
)
def test_a_gate_that_stops_the_arm_ends_the_reset(reset, station, task, monkeypatch, mode, code):
    monkeypatch.setattr(task, 'periods', 10_000)
    result = reset(lambda _: station.trip(code, mode))
    assert (result.outcome, result.error_code) == (FAILED, code)
    assert 'pressed too hard' in result.message


def test_a_lease_that_is_not_granted_ends_the_reset(reset, station, task, monkeypatch):
    monkeypatch.setattr(task, 'periods', 10_000)
    station.grant = False
    assert reset().error_code == ErrorCode.GATE_NO_LEASE


def test_a_station_that_goes_blind_ends_the_reset(reset, station, task, monkeypatch):
    monkeypatch.setattr(task, 'periods', 10_000)
    result = reset(lambda _: station.blind())
    assert result.error_code == ErrorCode.GATE_DRIVER_STALE
    assert 'driver' in result.message


def test_in_lockstep_a_slow_driver_is_waited_for(ros, task, monkeypatch):
    monkeypatch.setattr(task, 'periods', 60)
    station = FakeStation(ros)
    node = ros.make(SceneReset, task='fake', task_file='stations/simulated.yaml', pace='lockstep')
    ros.wait_until(lambda: node.active)
    handle = offer(ros, ResetScene, 'reset_scene', ResetScene.Goal(trial_id='t1'))
    ros.wait_until(lambda: station.targets, what='the reset moves')
    station.blind()
    time.sleep(1.5)
    assert len(station.targets) < 60
    station.timer.reset()
    assert result_of(ros, handle).result.outcome == READY


def test_a_reset_that_takes_too_long_ends(reset, task, monkeypatch):
    from builtin_interfaces.msg import Duration

    monkeypatch.setattr(task, 'periods', 10_000)
    assert reset(timeout=Duration(sec=1)).error_code == ErrorCode.RESET_TIMEOUT


def test_cancelling_halts_the_arm_before_the_goal_ends(reset, station, task, monkeypatch):
    monkeypatch.setattr(task, 'periods', 10_000)
    result = reset(lambda handle: handle.cancel_goal_async())
    assert (result.outcome, result.error_code) == (CANCELED, ErrorCode.RESET_CANCELED)
    last = [target.pose.position.z for target in station.targets[-10:]]
    assert len(set(last)) == 1


def test_a_bad_task_keeps_the_node_inactive_and_says_why(ros):
    from enpire_msgs.msg import Heartbeat
    from enpire_nodes.ros import qos

    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    ros.make(SceneReset, task='juggling', task_file='stations/simulated.yaml')
    ros.wait_until(lambda: any(beat.state == Heartbeat.FAULTED for beat in beats))
    assert 'juggling' in beats[-1].message
