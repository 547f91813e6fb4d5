"""What keeps the robot from being asked, and what ends it."""

from __future__ import annotations

import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution.campaign.holds import ESTOP, Holds, JUDGE, OPERATOR, PERSON, STATION


@pytest.fixture
def holds(clock) -> Holds:
    return Holds(clock)


@pytest.mark.parametrize(
    ('code', 'reason'),
    [
        (ErrorCode.GATE_ESTOPPED, ESTOP),
        (ErrorCode.RUNNER_ESTOPPED, ESTOP),
        (ErrorCode.RUNNER_OPERATOR_NEEDED, OPERATOR),
        (ErrorCode.RUNNER_JUDGE_DOUBTED, JUDGE),
        (ErrorCode.RUNNER_NODE_LOST, STATION),
        (ErrorCode.ENVIRONMENT_CHANGED, STATION),
    ],
)
def test_a_refusal_holds_for_what_fits(holds, code, reason):
    holds.refused(code, 'because')
    assert list(holds.reasons) == [reason]
    assert 'because' in holds.words()


@pytest.mark.parametrize('reason', [ESTOP, OPERATOR, PERSON])
def test_only_a_person_ends_what_concerns_persons(holds, clock, reason):
    holds.hold(reason, 'x')
    clock.now += 1e6
    assert holds.words()
    holds.release()
    assert not holds.words()


@pytest.mark.parametrize('reason', [JUDGE, STATION])
def test_the_robot_is_asked_again_by_itself(holds, clock, reason):
    holds.hold(reason, 'x')
    assert holds.words()
    clock.now += 60.0
    assert not holds.words()
    holds.hold(reason, 'y')
    assert 'y' in holds.words()


def test_a_pause_and_an_emergency_stop_stop_the_agent_and_a_doubt_does_not(holds):
    holds.hold(JUDGE, 'x')
    assert not holds.stops_agent
    holds.hold(ESTOP, 'y')
    assert holds.stops_agent
    holds.release(ESTOP)
    assert not holds.stops_agent
