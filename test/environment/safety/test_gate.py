"""The rules of the state machine that hold in every pace: a table, and what must never happen."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, RuleBasedStateMachine
import numpy as np
import pytest

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.safety.latch import FILE_NAME
from enpire_nodes.environment.safety.lockstep import LockstepGate
from enpire_nodes.environment.safety.streaming import StreamingGate

from .conftest import COMMANDER, DRIVER, HOME, Station


@pytest.fixture(params=[StreamingGate, LockstepGate], ids=['streaming', 'lockstep'])
def station(request, limits, tmp_path) -> Station:
    return Station(request.param, limits, tmp_path)


def let_go_stale(station):
    station.now += 0.9
    station.beat()
    station.now += 0.9
    station.beat()
    station.gate.tick()
    station.gate.tick()


def send_now(station, *arguments, **named):
    """Send a command for a tick that is open."""
    station.sense()
    return station.send(*arguments, **named)


MODES = {
    'HOLDING': lambda station: (station.beat(), station.sense()),
    'PASSING': lambda station: station.start(),
    'TRIPPED': lambda station: (station.start(), send_now(station, [np.nan, 0.0, 0.0])),
    'ESTOPPED': lambda station: (station.start(), station.gate.estop('test')),
}

EVENTS = {
    'lease': lambda station: station.engage(),
    'return': lambda station: station.release(),
    'good command': lambda station: send_now(station, HOME + [0.002, 0.0, 0.0]),
    'NaN': lambda station: send_now(station, [np.nan, 0.0, 0.0]),
    'NaN in the gripper': lambda station: send_now(station, gripper_width=np.nan),
    'frame': lambda station: send_now(station, frame='base'),
    'outside': lambda station: send_now(station, HOME + [0.3, 0.0, 0.0]),
    'jump': lambda station: send_now(station, HOME + [0.0, 0.16, 0.0]),
    'force': lambda station: station.sense(force=np.array([0.0, 70.0, 0.0])),
    'restart of the holder': lambda station: station.beat(driver=False, incarnation=2),
    'restart of the driver': lambda station: station.beat(commander=False, incarnation=2),
    'time': let_go_stale,
    'estop': lambda station: station.gate.estop('test'),
    'line': lambda station: station.gate.line(is_open=True),
    'line closed': lambda station: station.gate.line(is_open=False),
    'rearm': lambda station: station.gate.rearm(),
    'deactivate': lambda station: station.gate.deactivate(),
    'restart of the gate': lambda station: station.restart_gate(),
}

#: event: (from HOLDING, PASSING, TRIPPED, ESTOPPED), and the code where PASSING ends.
TABLE = {
    'lease': ('PASSING', 'PASSING', 'PASSING', 'ESTOPPED', None),
    'return': ('HOLDING', 'HOLDING', 'TRIPPED', 'ESTOPPED', None),
    'good command': ('HOLDING', 'PASSING', 'TRIPPED', 'ESTOPPED', None),
    'NaN': ('HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_COMMAND_NOT_FINITE'),
    'NaN in the gripper': (
        'HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_COMMAND_NOT_FINITE',
    ),
    'frame': ('HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_COMMAND_WRONG_FRAME'),
    'outside': ('HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_OUTSIDE_WORKSPACE'),
    'jump': ('HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_STEP_TOO_LARGE'),
    'force': ('TRIPPED', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_FORCE_EXCEEDED'),
    'restart of the holder': (
        'HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_COMMAND_STALE',
    ),
    'restart of the driver': (
        'HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_DRIVER_STALE',
    ),
    'time': ('HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', None),
    'estop': ('ESTOPPED', 'ESTOPPED', 'ESTOPPED', 'ESTOPPED', 'GATE_ESTOPPED'),
    'line': ('ESTOPPED', 'ESTOPPED', 'ESTOPPED', 'ESTOPPED', 'GATE_ESTOPPED'),
    'line closed': ('HOLDING', 'PASSING', 'TRIPPED', 'ESTOPPED', None),
    'rearm': ('HOLDING', 'PASSING', 'TRIPPED', 'HOLDING', None),
    'deactivate': ('HOLDING', 'TRIPPED', 'TRIPPED', 'ESTOPPED', 'GATE_NO_LEASE'),
    'restart of the gate': ('HOLDING', 'HOLDING', 'HOLDING', 'ESTOPPED', None),
}  # fmt: skip


@pytest.mark.parametrize('before', MODES)
@pytest.mark.parametrize('event', TABLE)
def test_every_event_in_every_mode(station, event, before):
    MODES[before](station)
    assert station.mode == before
    EVENTS[event](station)
    *modes, code = TABLE[event]
    assert station.mode == modes[list(MODES).index(before)]
    if before == 'PASSING' and code is not None:
        assert station.code == code
        assert station.gate.status.message
    if station.mode in ('HOLDING', 'PASSING'):
        assert station.code == 'NONE'


@pytest.mark.parametrize('event', [event for event, row in TABLE.items() if row[1] == 'TRIPPED'])
def test_after_a_trip_no_target_moves_until_a_new_lease(station, event):
    station.start()
    for step in range(5):
        station.sense(position=HOME + [0.001 * step, 0.0, 0.0])
        station.send(HOME + [0.001 * step + 0.002, 0.0, 0.0])
    measured = station.states['right'].position
    EVENTS[event](station)
    assert station.mode == 'TRIPPED'
    held = set()
    for _ in range(20):
        targets = station.sense() + station.gate.tick()
        targets += station.send(HOME + [0.01, 0.0, 0.0])
        held |= {(t.arm, *t.command.position, *t.command.quaternion) for t in targets}
    assert len(held) == 2
    right = next(target for target in held if target[0] == 'right')
    np.testing.assert_allclose(right[1:4], measured, atol=1e-9)


def test_a_lease_is_only_given_once_the_cause_is_gone(station):
    station.start()
    station.sense(force=np.array([0.0, 0.0, 70.0]))
    assert station.code == 'GATE_FORCE_EXCEEDED'
    station.engage()
    assert station.mode == 'TRIPPED'
    assert 'Refused' in station.gate.status.message
    station.sense(force=np.array([0.0, 0.0, 40.0]))
    station.engage()
    assert station.mode == 'PASSING'
    assert 'Refused' not in station.gate.status.message


def test_a_trip_keeps_the_grip(station):
    station.start()
    station.sense()
    station.send(gripper_width=0.01, gripper_effort=25.0)
    targets = send_now(station, [np.nan, 0.0, 0.0], gripper_width=0.09)
    right = next(target for target in targets if target.arm == 'right')
    assert (right.command.gripper_width, right.command.gripper_effort) == (0.01, 25.0)


@pytest.mark.parametrize(
    ('effort', 'width_held', 'effort_held'), [(0.0, 0.04, 15.0), (25.0, 0.03, 25.0)]
)
def test_a_gate_that_starts_keeps_what_the_fingers_hold(station, effort, width_held, effort_held):
    station.beat()
    targets = station.sense(gripper_width=0.04, gripper_effort=effort) + station.gate.tick()
    right = next(target for target in targets if target.arm == 'right')
    assert right.command.gripper_width == pytest.approx(width_held)
    assert right.command.gripper_effort == effort_held


def test_one_wrong_measurement_sends_a_tripped_arm_nowhere(station, limits):
    station.start()
    station.sense()
    station.sense(after=0.08, position=HOME + [0.15, 0.0, 0.0])
    assert station.code == 'GATE_SPEED_TOO_HIGH'
    targets = station.sense(position=HOME) + station.gate.tick()
    right = next(target for target in targets if target.arm == 'right')
    assert np.linalg.norm(right.command.position - HOME) <= limits.motion.lead + 1e-9


def test_holding_keeps_the_last_target(station):
    station.start()
    target = HOME + [0.004, 0.0, 0.0]
    send_now(station, target)
    station.release()
    targets = station.sense() + station.gate.tick()
    right = next(found for found in targets if found.arm == 'right')
    np.testing.assert_allclose(right.command.position, target)


def test_counts_tell_forwarded_limited_and_refused(station):
    station.start()
    send_now(station, HOME + [0.002, 0.0, 0.0])
    send_now(station, HOME + [0.1, 0.0, 0.0])
    station.send(arm='left')
    send_now(station, [np.nan, 0.0, 0.0])
    send_now(station)
    status = station.gate.status
    assert (status.forwarded, status.limited, status.refused) == (2, 1, 3)
    assert status.limits_digest == station.limits.digest


def test_no_lease_without_the_drivers_heartbeat(station):
    station.beat(driver=False)
    station.sense()
    station.engage()
    assert station.mode == 'HOLDING'
    assert DRIVER in station.gate.status.message
    assert DRIVER in station.gate.missing()
    station.beat()
    assert station.gate.missing() == ''
    station.engage()
    assert station.mode == 'PASSING'


def test_a_silent_driver_heartbeat_trips(station):
    station.start()
    for _ in range(33):
        station.beat(driver=False)
        station.sense(after=1 / 30)
        station.send()
        station.gate.tick()
    assert station.code == 'GATE_DRIVER_STALE'


def test_a_silent_holder_heartbeat_trips_though_commands_come(station):
    station.start()
    for _ in range(33):
        station.beat(commander=False)
        station.sense(after=1 / 30)
        station.send()
        station.gate.tick()
    assert station.code == 'GATE_COMMAND_STALE'
    assert COMMANDER in station.gate.status.message


def test_the_line_must_be_closed_before_rearming(station):
    station.gate.line(is_open=True)
    with pytest.raises(StationError, match='line'):
        station.gate.rearm()
    assert station.mode == 'ESTOPPED'
    station.gate.line(is_open=False)
    station.gate.rearm()
    assert station.mode == 'HOLDING'


def test_the_first_reason_of_a_stop_stays(station):
    station.gate.estop('first')
    station.gate.estop('second')
    assert 'first' in station.gate.status.message
    station.restart_gate()
    assert 'first' in station.gate.status.message


def test_a_latch_that_cannot_be_written_stops_all_the_same(station):
    station.start()
    path = station.directory / FILE_NAME
    path.unlink()
    path.mkdir()
    station.gate.estop('pressed')
    assert station.mode == 'ESTOPPED'
    assert 'cannot be written' in station.gate.status.message
    with pytest.raises(StationError, match='cannot be written'):
        station.gate.rearm()
    assert station.mode == 'ESTOPPED'


def test_an_inactive_gate_gives_no_lease(station):
    station.gate.deactivate()
    station.start()
    assert station.mode == 'HOLDING'
    assert 'inactive' in station.gate.status.message
    station.gate.activate()
    station.engage()
    assert station.mode == 'PASSING'


def test_silence_is_not_judged_by_a_gate_that_was_kept_from_running(station):
    """Commands that came meanwhile wait to be read; the next tick judges."""
    station.start()
    station.gate.tick()
    station.now += 0.15
    station.gate.tick()
    assert station.mode == 'PASSING'
    station.sense()
    station.send()
    station.gate.tick()
    assert station.mode == 'PASSING'
    station.sense()
    for _ in range(8):
        station.now += 0.06
        station.gate.tick()
    assert station.mode == 'TRIPPED'


def test_a_driver_that_reports_nonsense_is_stale(station):
    station.start()
    nonsense = np.array([np.nan, 0.0, 0.0])
    for _ in range(600):
        station.beat()
        assert all(
            np.isfinite(target.command.position).all()
            for target in station.sense(position=nonsense) + station.gate.tick()
        )
    assert station.code in ('GATE_DRIVER_STALE', 'GATE_COMMAND_STALE')


class GateMachine(RuleBasedStateMachine):
    """Anything that may happen to a gate, in any order."""

    gate_type = StreamingGate

    def __init__(self) -> None:
        super().__init__()
        self.station = Station(self.gate_type, self.limits, self.make_directory())
        self.published: list = []
        self.stopped: dict | None = None
        self.mode, self.incarnation = '', 1

    def take(self, targets) -> None:
        self.published += targets

    @rule(
        after=st.sampled_from([0.001, 0.01, 0.03]),
        offset=st.tuples(*[st.floats(-0.02, 0.02)] * 3),
        force=st.sampled_from([0.0, 0.0, 0.0, 40.0, 80.0]),
        count=st.integers(1, 5),
    )
    def sense(self, after, offset, force, count):
        for _ in range(count):
            self.take(
                self.station.sense(
                    after=after,
                    position=HOME + np.array(offset),
                    force=np.array([0.0, 0.0, force]),
                )
            )

    @rule(stamp=st.floats(-1.0, 100.0))
    def sense_another_time(self, stamp):
        self.station.stamp = stamp
        self.take(self.station.sense())
        self.stopped = None  # a clock that goes back is a new driver, held where it is now

    @rule(arm=st.sampled_from(['left', 'right']), holder=st.sampled_from([COMMANDER, '/other']))
    def engage(self, arm, holder):
        self.take(self.station.engage(arms=(arm,), holder=holder))

    @rule()
    def engage_both(self):
        self.take(self.station.engage(arms=('left', 'right')))

    @rule()
    def release(self):
        self.take(self.station.release())

    @rule(
        arm=st.sampled_from(['left', 'right']),
        position=st.tuples(*[st.one_of(st.floats(-0.1, 0.1), st.floats())] * 3),
        frame=st.sampled_from(['world', 'world', 'world', 'base']),
        width=st.floats(),
    )
    def command(self, arm, position, frame, width):
        self.take(
            self.station.send(HOME + np.array(position), arm=arm, frame=frame, gripper_width=width)
        )

    @rule(arm=st.sampled_from(['left', 'right']), height=st.floats(-0.01, 0.01))
    def good_command(self, arm, height):
        self.take(self.station.send(HOME + [0.0, 0.0, height], arm=arm))

    @rule(commander=st.booleans(), driver=st.booleans())
    def beat(self, commander, driver):
        self.take(
            self.station.beat(commander=commander, driver=driver, incarnation=self.incarnation)
        )

    @rule(incarnation=st.integers(1, 3))
    def restart_other(self, incarnation):
        self.incarnation = incarnation
        self.take(self.station.beat(incarnation=incarnation))
        self.stopped = None

    @rule(seconds=st.sampled_from([0.0, 0.02, 0.3, 2.0]))
    def tick(self, seconds):
        self.station.now += seconds
        self.take(self.station.gate.tick())

    @rule()
    def estop(self):
        self.take(self.station.gate.estop('test'))

    @precondition(lambda self: self.station.mode == 'ESTOPPED')
    @rule()
    def restart_gate(self):
        self.station.restart_gate()
        self.stopped = None
        assert self.station.mode == 'ESTOPPED'

    @rule()
    def rearm(self):
        stopped = self.station.mode == 'ESTOPPED'
        self.station.gate.rearm()
        assert not stopped or self.station.mode == 'HOLDING'

    @rule()
    def deactivate(self):
        self.take(self.station.gate.deactivate())

    @rule()
    def activate(self):
        self.station.gate.activate()

    @invariant()
    def what_is_published_is_safe(self):
        for target in self.published:
            command = target.command
            assert np.isfinite([*command.position, *command.quaternion]).all()
            assert np.linalg.norm(command.quaternion) == pytest.approx(1.0, abs=1e-6)
            assert self.limits.arms[target.arm].excess(command.position) < 1e-9
            assert 0.0 <= command.gripper_width <= self.limits.gripper.maximum_width
            assert 0.0 <= command.gripper_effort <= self.limits.gripper.maximum_effort

    @invariant()
    def outside_of_passing_no_target_moves(self):
        published, self.published = self.published, []
        mode, self.mode = self.mode, self.station.mode
        if self.mode == 'PASSING':
            self.stopped = None
            return
        if self.mode != mode:  # a trip goes to the measured pose, once
            self.stopped = None
        if self.stopped is None:
            self.stopped = {}
            published = published[-2:]
        for target in published:
            position = tuple(target.command.position)
            assert self.stopped.get(target.arm, position) == position
            self.stopped[target.arm] = position
        for name, arm in self.station.gate._arms.items():
            if arm.target is None:  # forgotten with its driver
                self.stopped.pop(name, None)


@pytest.mark.timeout(300)  # while it narrows a failure down
@pytest.mark.parametrize('gate_type', [StreamingGate, LockstepGate])
def test_nothing_that_can_happen_publishes_an_unsafe_target(limits, tmp_path, gate_type):
    counter = iter(range(1_000_000))

    def make_directory(self):
        directory = tmp_path / str(next(counter))
        directory.mkdir()
        return directory

    machine = type(
        'Machine',
        (GateMachine,),
        {'gate_type': gate_type, 'limits': limits, 'make_directory': make_directory},
    )
    machine.TestCase.settings = settings(
        max_examples=25,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine.TestCase('runTest').runTest()
