"""What the supervisor hears and tells, as messages."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip('enpire_msgs')

from builtin_interfaces.msg import Time

from enpire_msgs.action import RunResearch
from enpire_msgs.msg import ResearchStatus, Utilization
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution import supervisor_messages as messages
from enpire_nodes.evolution.records import Tokens
from enpire_nodes.evolution.view import Ended, ResearchView

pytestmark = pytest.mark.ros

VIEW = ResearchView(
    'station_1', 'pin_insertion', 'c1', 'claude', 'THINKING', tokens=Tokens(1, 2, 3, 10, 4),
    tokens_per_minute=6.0, price=0.5, human_seconds=120.0, gpu=0.25,
)  # fmt: skip


@pytest.mark.parametrize('state', ['STARTING', 'THINKING', 'WAITING_FOR_ROBOT', 'PAUSED',
                                   'STALLED', 'FINISHED', 'FAILED'])  # fmt: skip
def test_every_state_has_its_number(state):
    from dataclasses import replace

    status = messages.status(replace(VIEW, state=state), Time())
    assert status.state == getattr(ResearchStatus, state) != ResearchStatus.UNSET
    assert status.state_name == state


@pytest.mark.parametrize('outcome', ['CERTIFIED', 'BUDGET_USED', 'STOPPED', 'CANCELED'])
def test_every_outcome_has_its_number(outcome):
    result = messages.result(Ended(outcome, ErrorCode.NONE, 'words'))
    assert result.outcome == getattr(RunResearch.Result, outcome) != RunResearch.Result.UNSET


def test_no_token_is_counted_twice():
    whole = messages.utilization(Utilization(robot_utilization=0.9, agent_utilization=0.5), VIEW)
    parts = (whole.tokens_input, whole.tokens_cached, whole.tokens_cache_write,
             whole.tokens_output, whole.tokens_reasoning)  # fmt: skip
    assert parts == (1, 2, 3, 6, 4)
    assert sum(parts) == VIEW.tokens.total
    assert whole.background_utilization == pytest.approx(0.4)
    assert (whole.human_minutes, whole.gpu_utilization, whole.price) == (2.0, 0.25, 0.5)


def test_the_robots_own_report_is_passed_on_whole():
    robot = Utilization(wall_seconds=10.0, resetting=1.0, executing=2.0, offline=3.0)
    told = messages.utilization(robot, VIEW)
    for name in ('wall_seconds', 'resetting', 'executing', 'offline'):
        assert getattr(told, name) == getattr(robot, name)


@pytest.mark.parametrize('seconds', [0.0, 0.25, 59.999999999, 3600.5])
def test_a_duration_comes_back(seconds):
    message = messages.duration(seconds)
    assert 0 <= message.nanosec < 10**9
    assert message.sec + message.nanosec / 1e9 == pytest.approx(seconds)


def test_a_target_that_the_block_cannot_show_is_refused_with_what_it_can():
    goal = RunResearch.Goal(
        budget_trials=5, target_success_rate=0.95, confirmation_trials=50, campaign='c'
    )
    assert '94.2%' in messages.contradiction(goal)
    goal.confirmation_trials = 59
    assert messages.contradiction(goal) == ''


def test_a_negative_budget_is_no_budget():
    goal = RunResearch.Goal(
        budget_trials=5, budget_money=-1.0, target_success_rate=0.5, confirmation_trials=50
    )
    assert 'negative' in messages.contradiction(goal)


def test_a_picture_keeps_its_pixels():
    picture = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    message = messages.image(picture, Time(sec=4))
    assert (message.height, message.width, message.step) == (2, 3, 9)
    assert message.encoding == 'rgb8'
    assert bytes(message.data) == picture.tobytes()
    assert message.header.stamp.sec == 4


def test_what_nobody_knows_is_nan():
    status = messages.status(ResearchView('s', 't', 'c', 'a', 'THINKING'), Time())
    assert math.isnan(status.best_success_rate)
    assert math.isnan(status.price)
