"""The safety gate's node for real, with a driver and commanders that misbehave."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys
import time

from geometry_msgs.msg import PoseStamped
import numpy as np
import pytest
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from enpire_msgs.msg import Heartbeat, MotionLease, SafetyState
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.environment.safety.limits_file import read_limits
from enpire_nodes.environment.safety_gate import SafetyGate
from enpire_nodes.ros import convert, qos

from .gate_station import ARMS, FakeCommander, FakeDriver, HOME

pytestmark = pytest.mark.ros

ROOT = Path(__file__).parents[2]
LIMITS = ROOT / 'config' / 'safety' / 'yam.yaml'
RUN_GATE = 'from enpire_nodes.environment.safety_gate import main; main()'
RUN_COMMANDER = """
import sys
sys.path.insert(0, 'test/environment')
from enpire_msgs.msg import SafetyState
from enpire_nodes.ros import qos
from enpire_nodes.ros.main import run
from gate_station import FakeCommander

class Eager(FakeCommander):
    def activate(self):
        self.create_subscription(SafetyState, 'safety_state', self.on_safety, qos.LATCHED)

    def on_safety(self, state):
        if state.mode != SafetyState.PASSING:
            self.engage()

run(Eager)
"""


class Station:
    """The gate between a fake driver and a fake commander.

    All share one thread of the test, which a loaded machine may stop for longer than the gate's
    own time-outs; these are therefore longer here, except where they are what is tested.
    """

    def __init__(self, ros, directory: Path, **parameters: object) -> None:
        self.ros = ros
        self.parameters = {
            'limits_file': str(LIMITS),
            'run_directory': str(directory),
            'command_timeout': 0.8,
            'command_age': 0.8,
            'driver_timeout': 0.8,
            **parameters,
        }
        self.pace = {name: value for name, value in parameters.items() if name == 'pace'}
        self.states: list[SafetyState] = ros.collect(SafetyState, 'safety_state', qos.LATCHED)
        self.gate = self.start_gate()
        self.commander = ros.make(FakeCommander, **self.pace)
        self.driver = ros.make(FakeDriver, **self.pace)

    def start_gate(self) -> SafetyGate:
        return self.ros.make(SafetyGate, **self.parameters)

    def wait_mode(self, mode: int, *, code: ErrorCode | None = None) -> SafetyState:
        def reached() -> SafetyState | None:
            state = self.states[-1] if self.states else None
            return state if state is not None and state.mode == mode else None

        last = self.states[-1] if self.states else None
        state = self.ros.wait_until(reached, what=f'mode {mode}; last: {last}')
        if code is not None:
            assert ErrorCode(state.error_code) is code, state.message
            assert state.message
        return state

    def wait_ready(self) -> None:
        """Wait until a lease would be given."""
        self.ros.wait_until(lambda: self.gate.active and self.driver.received, what='targets')
        self.ros.wait_until(lambda: not self.gate.diagnostics()['missing'], what='a whole station')
        fully = self.commander.get_fully_qualified_name()
        self.ros.wait_until(
            lambda: self.gate._gate._heartbeats.incarnation(fully), what='the commander'
        )

    def pass_commands(self, *arms: str) -> None:
        """Bring the station to the point where the commander moves its arms."""
        self.wait_ready()
        self.commander.engage(*arms)
        state = self.wait_mode(SafetyState.PASSING)
        assert state.lease == self.commander.commander.lease
        count = len(self.commander.answered)
        self.ros.wait_until(lambda: len(self.commander.answered) > count + 5, what='commands')

    def assert_held(self, seconds: float = 0.3) -> None:
        """Fail if a target of an arm changes within the next ``seconds``."""
        time.sleep(0.05)
        since = time.monotonic()
        time.sleep(seconds)
        for arm in ARMS:
            recent = {got.position for got in self.driver.targets(arm) if got.arrival >= since}
            assert len(recent) == 1, f'{arm} arm: {len(recent)} targets within {seconds} s'

    def call(self, name: str) -> Trigger.Response:
        return self.ros.call(Trigger, f'safety_gate/{name}')


def time_of_hold(driver: FakeDriver) -> float:
    """Return when the target came that the right arm was held at ever since.

    It is the measured pose, which lags behind the last target of the commander.
    """
    targets = driver.targets('right')
    moving = [index for index, got in enumerate(targets) if got.position != targets[-1].position]
    return targets[moving[-1] + 1].arrival


@pytest.fixture
def station(ros, tmp_path) -> Station:
    return Station(ros, tmp_path)


def test_nothing_is_published_before_the_first_arm_state(ros, tmp_path):
    targets = ros.collect(PoseStamped, 'driver/right/target_pose')
    gate = ros.make(SafetyGate, limits_file=str(LIMITS), run_directory=str(tmp_path))
    ros.wait_until(lambda: gate.active)
    time.sleep(0.3)
    assert targets == []
    driver = ros.make(FakeDriver)
    ros.wait_until(lambda: targets)
    np.testing.assert_allclose(convert.position_of(targets[0]), HOME['right'])
    assert targets[0].header.frame_id == 'world'
    assert driver.grippers[0][1] == pytest.approx(0.06)


def test_the_state_is_latched_and_names_the_limits(station):
    station.wait_ready()
    late = station.ros.collect(SafetyState, 'safety_state', qos.LATCHED)
    station.ros.wait_until(lambda: late)
    assert late[0].mode == SafetyState.HOLDING
    assert late[0].mode_name == 'HOLDING'
    assert late[0].error_code == ErrorCode.NONE
    assert late[0].limits_digest == read_limits(LIMITS).digest


def test_commands_pass_and_the_other_arm_is_held(station):
    station.pass_commands()
    time.sleep(0.5)
    assert len({got.position for got in station.driver.targets('right')}) > 5
    assert len({got.position for got in station.driver.targets('left')}) == 1
    assert station.driver.grippers[-1][0] in ARMS
    assert ('right', 0.05, 10.0) in station.driver.grippers
    station.commander.commander.release()
    state = station.wait_mode(SafetyState.HOLDING)
    assert state.forwarded > 5
    assert state.refused == 0
    station.assert_held()


def test_nan_trips(station):
    station.pass_commands()
    station.commander.offset = np.array([np.nan, 0.0, 0.0])
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_COMMAND_NOT_FINITE)
    station.assert_held()
    assert np.isfinite([got.position for got in station.driver.received]).all()


def test_a_command_in_another_frame_trips(station):
    station.pass_commands()
    station.commander.frame = 'left/base'
    state = station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_COMMAND_WRONG_FRAME)
    assert 'left/base' in state.message
    station.assert_held()


def test_a_target_outside_the_workspace_trips(station):
    station.pass_commands()
    station.commander.offset = np.array([0.4, 0.0, 0.0])
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_OUTSIDE_WORKSPACE)
    station.assert_held()


def test_too_much_force_trips_and_a_new_lease_waits_until_it_is_gone(station):
    station.pass_commands()
    station.driver.force['right'] = np.array([0.0, 0.0, 90.0])
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_FORCE_EXCEEDED)
    station.assert_held()
    station.commander.engage()
    station.ros.wait_until(lambda: 'Refused' in station.states[-1].message)
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_FORCE_EXCEEDED)
    station.driver.force['right'] = np.zeros(3)
    time.sleep(0.1)
    station.commander.engage()
    station.wait_mode(SafetyState.PASSING)


def test_a_command_without_a_lease_moves_nothing(station):
    station.wait_ready()
    station.commander.commander.lease = 77  # says to itself that it may
    station.ros.wait_until(lambda: station.states[-1].refused > 3)
    assert station.states[-1].mode == SafetyState.HOLDING
    station.assert_held()
    assert 'lease' in str(station.gate.diagnostics()['last refusal'])


def test_a_second_commander_is_refused_the_lease(station):
    rival = station.ros.make(lambda **arguments: FakeCommander('scene_reset', **arguments))
    rival.talking = False
    station.pass_commands()
    rival.commander.engage(('left',))
    state = station.ros.wait_until(
        lambda: next((s for s in station.states if 'scene_reset' in s.message), None)
    )
    assert state.mode == SafetyState.PASSING
    assert state.holder == '/station_1/policy_executor'
    assert state.lease == station.commander.commander.lease


def test_commands_of_a_second_commander_trip(station):
    rival = station.ros.make(lambda **arguments: FakeCommander('rogue', **arguments))
    station.pass_commands()
    rival.commander.lease, rival.arms = 5, ('right',)
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_LEASE_CONFLICT)
    rival.talking = station.commander.talking = False
    station.assert_held()


def test_a_silent_commander_is_held_within_250_ms(ros, tmp_path):
    station = Station(ros, tmp_path, command_timeout=0.1)
    station.pass_commands()
    station.commander.talking = False
    silent = time.monotonic()
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_COMMAND_STALE)
    station.assert_held()
    assert 0.05 < time_of_hold(station.driver) - silent < 0.25


def test_a_stale_driver_trips_and_is_left_to_its_own_watchdog(station):
    station.pass_commands()
    station.driver.reporting = False
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_DRIVER_STALE)
    station.assert_held()
    time.sleep(1.0)
    count = len(station.driver.received)
    time.sleep(0.3)
    assert len(station.driver.received) == count
    station.driver.positions['right'] = HOME['right'] + [0.05, 0.0, 0.0]
    station.driver.reporting = True
    station.ros.wait_until(lambda: len(station.driver.received) > count)
    np.testing.assert_allclose(
        station.driver.targets()[-1].position, HOME['right'] + [0.05, 0.0, 0.0]
    )


def test_a_driver_that_reports_in_another_frame_is_not_believed(station):
    station.pass_commands()
    station.driver.frame = 'base'
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_DRIVER_STALE)
    station.driver.frame = 'base'
    assert "'base'" in str(station.gate._topics['right'].fault)


def test_estop_latches_and_rearm_gives_no_motion(station):
    station.pass_commands()
    answer = station.call('estop')
    assert answer.success
    station.wait_mode(SafetyState.ESTOPPED, code=ErrorCode.GATE_ESTOPPED)
    station.assert_held()
    station.commander.engage()
    station.ros.wait_until(lambda: 'Refused' in station.states[-1].message)
    station.wait_mode(SafetyState.ESTOPPED)
    assert station.call('rearm').success
    station.wait_mode(SafetyState.HOLDING)
    station.assert_held()
    station.commander.engage()
    station.wait_mode(SafetyState.PASSING)


def test_the_hardware_line_stops_and_must_be_closed_before_rearming(station):
    station.pass_commands()
    line = station.ros.node.create_publisher(Bool, 'estop', qos.LATCHED)
    line.publish(Bool(data=True))
    station.wait_mode(SafetyState.ESTOPPED)
    answer = station.call('rearm')
    assert not answer.success
    assert 'line' in answer.message
    line.publish(Bool(data=False))
    time.sleep(0.2)
    assert station.states[-1].mode == SafetyState.ESTOPPED
    assert station.call('rearm').success


def test_estop_survives_a_restart(station):
    station.pass_commands()
    station.call('estop')
    station.wait_mode(SafetyState.ESTOPPED)
    station.ros.remove(station.gate)
    station.states.clear()
    station.gate = station.start_gate()
    state = station.wait_mode(SafetyState.ESTOPPED, code=ErrorCode.GATE_ESTOPPED)
    assert 'rearm' in state.message


def test_an_inactive_gate_holds_and_gives_no_lease(station):
    station.pass_commands()
    station.ros.within(station.gate.trigger_deactivate)
    station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_NO_LEASE)
    station.assert_held()
    station.commander.engage()
    station.ros.wait_until(lambda: 'inactive' in station.states[-1].message)
    station.ros.within(station.gate.trigger_activate)
    station.commander.engage()
    station.wait_mode(SafetyState.PASSING)


def test_a_gate_that_is_cleaned_up_falls_silent_and_can_be_configured_again(station):
    station.wait_ready()
    station.ros.within(station.gate.trigger_deactivate)
    station.ros.within(station.gate.trigger_cleanup)
    time.sleep(0.1)
    count = len(station.driver.received)
    time.sleep(0.3)
    assert len(station.driver.received) == count
    station.ros.within(station.gate.trigger_configure)
    station.ros.wait_until(lambda: len(station.driver.received) > count)
    station.ros.within(station.gate.trigger_activate)
    station.pass_commands()


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        ({'limits_file': ''}, 'limits_file'),
        ({'limits_file': '/none.yaml'}, '/none.yaml'),
        ({'limits_file': __file__}, 'YAML'),
        ({'run_directory': ''}, 'run_directory'),
        ({'run_directory': '/none'}, '/none'),
    ],
)
def test_a_gate_that_cannot_be_sure_refuses_to_configure(ros, tmp_path, change, expected):
    parameters = {'limits_file': str(LIMITS), 'run_directory': str(tmp_path), **change}
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    gate = ros.make(SafetyGate, **parameters)
    driver = ros.make(FakeDriver)
    beat = ros.wait_until(
        lambda: next((b for b in beats if b.node.endswith('safety_gate') and b.message), None)
    )
    assert expected in beat.message
    assert not gate.active
    time.sleep(0.2)
    assert driver.received == []


def test_a_defect_in_the_gate_latches_the_emergency_stop(station, monkeypatch):
    station.pass_commands()

    def broken(request):
        raise RuntimeError('a bug')

    monkeypatch.setattr(station.gate._gate, 'command', broken)
    state = station.wait_mode(SafetyState.ESTOPPED, code=ErrorCode.GATE_ESTOPPED)
    assert 'a bug' in state.message
    station.assert_held()


def test_parameters_are_described_and_cannot_change(station):
    names = ('limits_file', 'run_directory', 'driver', 'command_timeout', 'lockstep_timeout')
    for name in names:
        descriptor = station.gate.describe_parameter(name)
        assert descriptor.description
        assert descriptor.read_only


def test_a_malformed_lease_is_refused(station):
    station.wait_ready()
    leases = station.ros.node.create_publisher(MotionLease, 'command/lease', qos.LEASE)
    station.ros.wait_until(leases.get_subscription_count)
    leases.publish(MotionLease(holder='/nobody', lease=3, engaged=True, arms=['right']))
    station.ros.wait_until(lambda: '/nobody' in station.states[-1].message)
    assert station.states[-1].mode == SafetyState.HOLDING


class TestLockstep:
    """Time stands still until every arm is answered, exactly once a tick."""

    @pytest.fixture
    def station(self, ros, tmp_path) -> Station:
        return Station(ros, tmp_path, pace='lockstep')

    def assert_one_answer_a_tick(self, driver: FakeDriver) -> None:
        for arm in ARMS:
            stamps = [got.stamp for got in driver.targets(arm)]
            assert stamps == sorted(set(stamps))
            assert len(stamps) in (driver.ticks, driver.ticks - 1)

    def test_without_a_lease_time_runs_on_and_the_arms_are_held(self, station):
        station.ros.wait_until(lambda: station.driver.ticks > 100)
        self.assert_one_answer_a_tick(station.driver)
        assert len({got.position for got in station.driver.received}) == 2

    @pytest.mark.parametrize('arms', [('right',), ('left',), ('left', 'right')])
    def test_each_tick_waits_for_the_commander(self, station, arms):
        station.ros.wait_until(lambda: station.driver.ticks > 5)
        station.pass_commands(*arms)
        station.ros.wait_until(lambda: len(station.commander.answered) > 50)
        station.commander.commander.release()
        station.wait_mode(SafetyState.HOLDING)
        answered = set(station.commander.answered[1:])
        for arm in arms:
            moving = {g.position for g in station.driver.targets(arm) if g.stamp in answered}
            assert len(moving) > 20
        state = station.states[-1]
        assert state.forwarded >= len(arms) * (len(answered) - 1)
        assert state.refused <= len(arms)  # a first command may overtake its lease
        self.assert_one_answer_a_tick(station.driver)

    def test_a_commander_that_lets_time_stand_still_loses_the_lease(self, station):
        station.ros.wait_until(lambda: station.driver.ticks > 5)
        station.pass_commands()
        station.commander.talking = False
        time.sleep(0.3)
        ticks = station.driver.ticks
        time.sleep(0.3)
        assert station.driver.ticks == ticks
        station.wait_mode(SafetyState.TRIPPED, code=ErrorCode.GATE_COMMAND_STALE)
        station.ros.wait_until(lambda: station.driver.ticks > ticks + 20)
        self.assert_one_answer_a_tick(station.driver)

    def test_estop_lets_time_run_on(self, station):
        station.ros.wait_until(lambda: station.driver.ticks > 5)
        station.pass_commands()
        assert station.call('estop').success
        ticks = station.driver.ticks
        station.ros.wait_until(lambda: station.driver.ticks > ticks + 20)
        self.assert_one_answer_a_tick(station.driver)


class TestProcesses:
    """What only separate processes can show: ``kill -9``."""

    @pytest.fixture
    def start(self, ros) -> Iterator:
        processes = []

        def start(code: str, **parameters: object) -> subprocess.Popen:
            arguments = ['--ros-args', '-r', '__ns:=/station_1']
            for name, value in parameters.items():
                arguments += ['-p', f'{name}:={value}']
            environment = {**os.environ, 'ROS_DOMAIN_ID': str(ros.domain_id)}
            process = subprocess.Popen(
                [sys.executable, '-c', code, *arguments], env=environment, cwd=ROOT
            )
            processes.append(process)
            return process

        yield start
        for process in processes:
            process.kill()
            process.wait(timeout=10.0)

    def test_a_killed_commander_is_held_within_250_ms(self, ros, start, tmp_path):
        states = ros.collect(SafetyState, 'safety_state', qos.LATCHED)
        driver = ros.make(FakeDriver)
        start(RUN_GATE, limits_file=LIMITS, run_directory=tmp_path)
        commander = start(RUN_COMMANDER)
        ros.wait_until(lambda: len({got.position for got in driver.targets()}) > 10, 30.0)
        commander.kill()
        killed = time.monotonic()
        ros.wait_until(lambda: states[-1].mode == SafetyState.TRIPPED)
        assert states[-1].error_code == ErrorCode.GATE_COMMAND_STALE
        time.sleep(0.3)
        assert 0.05 < time_of_hold(driver) - killed < 0.25

    def test_a_killed_gate_comes_back_stopped(self, ros, start, tmp_path):
        states = ros.collect(SafetyState, 'safety_state', qos.LATCHED)
        ros.make(FakeDriver)
        first = start(RUN_GATE, limits_file=LIMITS, run_directory=tmp_path)
        assert ros.call(Trigger, 'safety_gate/estop', timeout=20.0).success
        first.kill()
        first.wait(timeout=10.0)
        ros.wait_until(lambda: states and states[-1].mode == SafetyState.ESTOPPED)
        states.clear()
        start(RUN_GATE, limits_file=LIMITS, run_directory=tmp_path)
        ros.wait_until(lambda: states, 20.0)
        assert states[0].mode == SafetyState.ESTOPPED
        assert states[0].error_code == ErrorCode.GATE_ESTOPPED
