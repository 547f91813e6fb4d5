"""Whose trial is next: nobody waits for more than one trial of somebody with a lesser claim."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
import pytest

from enpire_nodes.evolution.campaign.schedule import AGENT, Schedule, STATION
from enpire_nodes.evolution.records import Arm, Job, JobKind


class Robot:
    """Runs what the schedule says, and keeps the order."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.order: list[str] = []
        self.schedule = Schedule(lambda request: self.counts[request])

    def step(self) -> str:
        piece = self.schedule.next()
        if piece is None:
            return ''
        self.counts[piece.arm.request_id] += 1
        self.order.append(piece.arm.request_id)
        return piece.arm.request_id

    def run(self) -> list[str]:
        while self.step():
            pass
        return self.order


@pytest.fixture
def robot() -> Robot:
    return Robot()


def job(name: str, kind: JobKind = JobKind.TEST, trials: int = 2, arms: str = 'a', who=AGENT):
    made = tuple(Arm(f'{name}{letter}', commit=letter) for letter in arms)
    return Job(name, kind, who, made, trials)


def test_an_empty_queue_has_nothing(robot):
    assert robot.schedule.next() is None


def test_two_arms_take_turns_and_neither_is_always_first(robot):
    robot.schedule.add(job('j', arms='ab', trials=4))
    assert ''.join(name[1] for name in robot.run()) == 'abbaabba'


def test_the_agents_requests_come_in_the_order_in_which_they_were_made(robot):
    robot.schedule.add(job('x'))
    robot.schedule.add(job('y'))
    assert robot.run() == ['xa', 'xa', 'ya', 'ya']


def test_background_work_yields_at_the_next_trial(robot):
    robot.schedule.add(job('background', JobKind.RETEST, 10, 'ab', STATION))
    robot.schedule.add(job('learner', JobKind.EXPLORE, 10, who=STATION))
    robot.step()
    robot.schedule.add(job('agent', trials=4))
    assert [robot.step() for _ in range(4)] == ['agenta'] * 4


def test_what_was_proposed_takes_every_second_trial_of_a_busy_agent(robot):
    robot.schedule.add(job('test', trials=4))
    robot.schedule.add(job('block', JobKind.CONFIRM, 4))
    assert [robot.step()[:-1] for _ in range(6)] == ['test', 'block'] * 3


def test_a_proposed_block_comes_before_background_work(robot):
    robot.schedule.add(job('background', JobKind.RETEST, 2, 'ab', STATION))
    robot.schedule.add(job('block', JobKind.CONFIRM, 3))
    assert [robot.step()[:-1] for _ in range(3)] == ['block'] * 3


def test_how_much_is_ahead_is_what_is_run_before(robot):
    robot.schedule.add(job('first', trials=3))
    robot.schedule.add(job('second', trials=1))
    assert robot.schedule.ahead('first') == 0
    assert robot.schedule.ahead('second') == 3
    robot.step()
    assert robot.schedule.ahead('second') == 2
    assert robot.schedule.waiting == 3


def test_a_job_that_is_removed_is_not_run(robot):
    robot.schedule.add(job('gone'))
    robot.schedule.remove('gone')
    assert robot.schedule.next() is None
    assert robot.schedule.remove('gone') is None


_JOBS = st.lists(
    st.tuples(
        st.sampled_from([JobKind.TEST, JobKind.CONFIRM, JobKind.RETEST, JobKind.EXPLORE]),
        st.integers(1, 6),
        st.sampled_from(['a', 'ab']),
        st.sampled_from([AGENT, STATION]),
    ),
    max_size=6,
)


@given(_JOBS)
def test_every_trial_is_run_exactly_once(wanted):
    robot = Robot()
    for number, (kind, trials, arms, who) in enumerate(wanted):
        robot.schedule.add(job(f'{number}-', kind, trials, arms, who))
    robot.run()
    expected = {
        f'{number}-{letter}': trials
        for number, (_, trials, arms, _) in enumerate(wanted)
        for letter in arms
    }
    assert dict(robot.counts) == expected


@given(_JOBS, st.integers(0, 20))
def test_the_agent_never_waits_for_more_than_one_trial(wanted, before):
    robot = Robot()
    for number, (kind, trials, arms, _) in enumerate(wanted):
        who = AGENT if kind is JobKind.CONFIRM else STATION
        if kind is not JobKind.TEST:
            robot.schedule.add(job(f'{number}-', kind, trials, arms, who))
    for _ in range(before):
        robot.step()
    robot.schedule.add(job('agent', trials=1))
    assert 'agenta' in [robot.step(), robot.step()]
