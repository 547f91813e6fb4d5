"""Verdicts beyond those of trials, from a judge double."""

import time

import pytest
from station_doubles import FakeJudge

from enpire_nodes.benchmark.calling import Caller, CallFailedError
from enpire_nodes.benchmark.looks import look_again

pytestmark = pytest.mark.ros


def test_asks_until_each_look_is_decided(station_domain):
    judge = station_domain.make(FakeJudge)
    before = time.time_ns()
    with Caller('/station_1') as caller:
        looks = look_again(caller, 3)

    assert list(looks) == [('bench-look', 1), ('bench-look', 2), ('bench-look', 3)]
    assert list(looks.values()) == sorted(looks.values())
    assert before <= min(looks.values()) <= time.time_ns()
    assert len(judge.asked) == 6  # the double is WAITING at every first question
    windows = {
        (ask.settled.sec - ask.settle_start.sec, ask.settled.nanosec - ask.settle_start.nanosec)
        for ask in judge.asked
    }
    assert windows == {(1, 0)}


def test_refusal_says_why(station_domain):
    station_domain.make(FakeJudge).refuse = True

    with Caller('/station_1') as caller, pytest.raises(CallFailedError, match='no cameras'):
        look_again(caller, 1)
