"""A motion program under the lease: how it ends, and that the lease is given back each time."""

from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy')

from builtin_interfaces.msg import Time

from enpire_msgs.msg import SafetyState
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Observation
from enpire_nodes.ros import programs
from enpire_nodes.ros.programs import ProgramRunner, STILL_PERIODS

LEASE, STAMP, FORCE = 7, Time(sec=1), ErrorCode.GATE_FORCE_EXCEEDED


class Commander:
    def __init__(self):
        self.lease, self.arms, self.sent = 0, None, []

    def engage(self, arms):
        self.lease, self.arms = LEASE, arms

    def send(self, command, stamp):
        assert self.lease, 'a command without a lease'
        self.sent.append(command)

    def release(self):
        self.lease = 0


class Bench:
    """A runner whose node, gate, senses and clocks are in the test's hands."""

    def __init__(self, monkeypatch, pace='realtime'):
        self.now, self.station, self.errors, self.ended = 100.0, 0.0, [], []
        monkeypatch.setattr(programs.time, 'monotonic', lambda: self.now)
        self.destroyed = []
        node = SimpleNamespace(
            pace=pace,
            create_subscription=lambda kind, topic, callback, profile: 'subscription',
            create_steady_timer=lambda period, callback: 'timer',
            destroy_subscription=self.destroyed.append,
            destroy_timer=self.destroyed.append,
            get_logger=lambda: SimpleNamespace(error=self.errors.append),
            get_clock=lambda: SimpleNamespace(
                now=lambda: SimpleNamespace(nanoseconds=self.station * 1e9)
            ),
        )
        self.commander, self.senses = Commander(), SimpleNamespace(age=0.0)
        self.runner = ProgramRunner(node, self.commander, self.senses)

    def start(self, program, **fields):
        self.runner.start(
            program, arms=('right',), on_done=lambda *end: self.ended.append(end), **fields
        )

    def tick(self, count=1):
        for _ in range(count):
            self.station += 1.0 / 30.0
            self.runner.tick(Observation(self.station, {}, {}), STAMP)

    def gate(self, mode, *, lease=LEASE, code=ErrorCode.UNSET):
        self.runner._on_safety(SafetyState(mode=mode, lease=lease, error_code=code))

    def watch(self, seconds):
        self.now += seconds
        self.runner._watch()

    def end(self):
        """Return how the one program ended, and that nothing of it is left."""
        ((result, error),) = self.ended
        assert not self.runner.running
        assert self.commander.lease == 0
        return result, error

    def code(self):
        _, error = self.end()
        return error.code


@pytest.fixture
def bench(monkeypatch):
    return Bench(monkeypatch)


def steps(count, result='there'):
    """Command ``count`` numbers, one for each observation."""
    for number in range(count):
        observation = yield number
        assert observation is not None
    return result


def endless():
    return steps(10**9)


def test_a_program_is_stepped_once_a_period_to_its_result(bench):
    bench.tick()
    bench.start(steps(4))
    assert bench.commander.arms == ('right',)
    bench.tick(4)
    assert bench.end() == ('there', None)
    assert bench.commander.sent == [1, 2, 3]
    bench.tick()
    bench.runner.cancel(StationError(ErrorCode.RESET_CANCELED, ''))
    bench.runner.abort(StationError(ErrorCode.RESET_CANCELED, ''))
    assert len(bench.ended) == 1


def test_a_program_that_has_nothing_to_do_takes_no_lease(bench):
    bench.start(steps(0))
    assert bench.end() == ('there', None)
    assert bench.commander.arms is None


def broken(error, *, at_once=False):
    if not at_once:
        yield None
    raise error


@pytest.mark.parametrize('at_once', [True, False])
def test_an_error_of_the_program_ends_it(bench, at_once):
    error = StationError(ErrorCode.RESET_GRASP_FAILED, 'it slipped')
    bench.start(broken(error, at_once=at_once))
    bench.tick()
    assert bench.end() == (None, error)


def test_a_defect_of_the_program_ends_it_and_is_logged(bench):
    bench.start(broken(ZeroDivisionError('a defect')))
    bench.tick()
    assert bench.code() is ErrorCode.UNSET
    assert bench.errors == ['ZeroDivisionError: a defect']


def test_a_program_has_until_its_deadline_on_the_clock_of_the_station(bench):
    bench.start(endless(), timeout=0.1, late=ErrorCode.POLICY_SETTLE_FAILED)
    bench.now += 1000.0
    bench.tick(3)
    assert bench.runner.running
    bench.tick()
    assert bench.code() is ErrorCode.POLICY_SETTLE_FAILED


def test_a_canceled_arm_comes_to_rest_under_its_lease(bench):
    error = StationError(ErrorCode.RESET_CANCELED, 'by a person')
    bench.start(endless())
    bench.tick(3)
    bench.runner.cancel(error)
    bench.runner.cancel(StationError(ErrorCode.UNSET, 'and again'))
    bench.tick(STILL_PERIODS - 1)
    assert bench.runner.running
    assert bench.commander.sent[2:] == [bench.commander.sent[2]] * STILL_PERIODS
    bench.tick()
    assert bench.end() == (None, error)


def test_what_was_canceled_before_it_moved_ends_at_once(bench):
    bench.start(endless())
    bench.runner.cancel(StationError(ErrorCode.RESET_CANCELED, ''))
    bench.tick()
    assert bench.code() is ErrorCode.RESET_CANCELED
    assert bench.commander.sent == []


def test_what_is_aborted_ends_at_once(bench):
    bench.start(endless())
    bench.tick(3)
    bench.runner.abort(StationError(ErrorCode.RESET_CANCELED, ''))
    assert bench.code() is ErrorCode.RESET_CANCELED


@pytest.mark.parametrize(
    ('before', 'mode', 'lease', 'told', 'code'),
    [
        ('granted', SafetyState.TRIPPED, LEASE, FORCE, FORCE),
        ('granted', SafetyState.HOLDING, 0, ErrorCode.UNSET, ErrorCode.GATE_NO_LEASE),
        ('granted', SafetyState.HOLDING, 0, ErrorCode.NONE, ErrorCode.GATE_NO_LEASE),
        ('asked', SafetyState.TRIPPED, LEASE, FORCE, FORCE),
        ('asked', SafetyState.ESTOPPED, 0, ErrorCode.GATE_ESTOPPED, ErrorCode.GATE_ESTOPPED),
    ],
)
def test_the_gate_ends_a_program(bench, before, mode, lease, told, code):
    bench.start(endless())
    if before == 'granted':
        bench.gate(SafetyState.PASSING)
    bench.tick(2)
    bench.gate(mode, lease=lease, code=told)
    assert bench.code() is code


@pytest.mark.parametrize('mode', [SafetyState.TRIPPED, SafetyState.HOLDING, SafetyState.PASSING])
def test_what_the_gate_says_of_others_before_it_grants_ends_nothing(bench, mode):
    bench.gate(mode, lease=3, code=FORCE)
    bench.start(endless())
    bench.gate(mode, lease=3, code=FORCE)
    bench.tick()
    assert bench.runner.running


def test_a_lease_that_is_not_granted_ends_the_program(bench):
    bench.gate(SafetyState.HOLDING, lease=3)
    bench.start(endless())
    bench.watch(programs.GRANT_WITHIN - 0.1)
    assert bench.runner.running
    bench.watch(0.2)
    assert bench.code() is ErrorCode.GATE_NO_LEASE


@pytest.mark.parametrize(('pace', 'after'), programs.BLIND_AFTER.items())
def test_a_station_that_is_not_seen_any_more_ends_the_program(monkeypatch, pace, after):
    bench = Bench(monkeypatch, pace)
    bench.watch(10.0)
    bench.start(endless())
    bench.gate(SafetyState.PASSING)
    bench.senses.age = 1000.0  # from before the program
    bench.watch(after - 0.1)
    assert bench.runner.running
    bench.watch(0.2)
    assert bench.code() is ErrorCode.GATE_DRIVER_STALE


def test_a_station_that_is_seen_may_take_its_time(bench):
    bench.start(endless())
    bench.gate(SafetyState.PASSING)
    bench.senses.age = 0.1
    bench.watch(1000.0)
    assert bench.runner.running


def test_it_leaves_the_graph(bench):
    bench.runner.destroy()
    assert bench.destroyed == ['subscription', 'timer']
