"""The rules of the motion lease."""

from __future__ import annotations

from dataclasses import replace
import math

from hypothesis import given
from hypothesis import strategies as st
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.safety.lease import Heartbeats, LeaseKeeper, LeaseRequest

FIRST = LeaseRequest('/a', 1, True, ('right',))
SECOND = LeaseRequest('/b', 2, True, ('left',))


@pytest.fixture
def beats() -> Heartbeats:
    beats = Heartbeats()
    beats.beat('/a', 10, 0.0)
    beats.beat('/b', 20, 0.0)
    return beats


@pytest.fixture
def keeper(beats) -> LeaseKeeper:
    return LeaseKeeper(('left', 'right'), beats, heartbeat_timeout=1.0)


def refused(keeper, request, now=0.0) -> ErrorCode:
    before = keeper.current
    with pytest.raises(StationError) as caught:
        keeper.engage(request, now)
    assert keeper.current == before
    return caught.value.code


def test_a_lease_is_given_and_returned(keeper):
    keeper.engage(FIRST, 0.0)
    assert keeper.current == FIRST
    assert keeper.arms == ('right',)
    assert keeper.release(replace(FIRST, engaged=False, arms=()))
    assert keeper.current is None
    assert keeper.arms == ()


def test_a_second_holder_is_refused_and_the_first_keeps_it(keeper):
    keeper.engage(FIRST, 0.0)
    assert refused(keeper, SECOND) is ErrorCode.GATE_LEASE_CONFLICT
    assert not keeper.release(replace(SECOND, engaged=False))
    assert keeper.current == FIRST
    keeper.drop()
    keeper.engage(SECOND, 0.0)
    assert keeper.current == SECOND


def test_the_same_request_twice_is_one_lease(keeper):
    keeper.engage(FIRST, 0.0)
    keeper.feed('right', 3.0)
    keeper.engage(FIRST, 4.0)
    assert keeper.silence(4.0) == pytest.approx(1.0)


def test_the_holder_may_renew_with_other_arms(keeper):
    keeper.engage(FIRST, 0.0)
    renewed = replace(FIRST, number=5, arms=('left', 'right'))
    keeper.engage(renewed, 0.5)
    assert keeper.current == renewed


def test_only_the_number_that_was_given_is_taken_back(keeper):
    keeper.engage(FIRST, 0.0)
    assert not keeper.release(replace(FIRST, number=9, engaged=False))
    assert keeper.current == FIRST


@pytest.mark.parametrize(
    'request_',
    [
        replace(FIRST, holder=''),
        replace(FIRST, number=0),
        replace(FIRST, arms=()),
        replace(FIRST, arms=('right', 'right')),
        replace(FIRST, arms=('right', 'third')),
        replace(FIRST, holder='/unheard'),
    ],
)
def test_a_malformed_request_is_refused(keeper, request_):
    assert refused(keeper, request_) is ErrorCode.GATE_NO_LEASE


def test_a_number_is_good_for_one_engagement(keeper):
    keeper.engage(FIRST, 0.0)
    keeper.drop()
    assert refused(keeper, FIRST) is ErrorCode.GATE_NO_LEASE


def test_a_commander_without_a_fresh_heartbeat_gets_no_lease(keeper):
    assert refused(keeper, FIRST, now=1.1) is ErrorCode.GATE_NO_LEASE


def test_a_heartbeat_that_ends_loses_the_lease(keeper, beats):
    keeper.engage(FIRST, 0.0)
    assert keeper.lost(1.0) is None
    assert keeper.lost(1.01).code is ErrorCode.GATE_COMMAND_STALE
    beats.beat('/a', 10, 1.5)
    assert keeper.lost(1.6) is None


def test_a_holder_that_came_back_has_lost_the_lease(keeper, beats):
    keeper.engage(FIRST, 0.0)
    beats.beat('/a', 11, 0.1)
    assert keeper.lost(0.1).code is ErrorCode.GATE_COMMAND_STALE
    assert 'came back' in keeper.lost(0.1).message


def test_silence_is_that_of_the_most_neglected_arm(keeper):
    assert keeper.silence(9.0) == 0.0
    keeper.engage(replace(FIRST, arms=('left', 'right')), 0.0)
    keeper.feed('left', 2.0)
    assert keeper.silence(2.5) == pytest.approx(2.5)
    keeper.feed('right', 2.4)
    assert keeper.silence(2.5) == pytest.approx(0.5)


def test_heartbeats_of_the_unheard_are_infinitely_old():
    assert Heartbeats().age('/a', 1.0) == math.inf
    assert Heartbeats().incarnation('/a') is None


requests = st.builds(
    LeaseRequest,
    st.sampled_from(['/a', '/b', '/c', '']),
    st.integers(0, 4),
    st.booleans(),
    st.lists(st.sampled_from(['left', 'right', 'third']), max_size=3).map(tuple),
)


@given(st.lists(requests, max_size=30))
def test_whatever_is_asked_the_holder_only_changes_through_a_release(asked):
    beats = Heartbeats()
    for number, node in enumerate(('/a', '/b')):
        beats.beat(node, number, 0.0)
    keeper = LeaseKeeper(('left', 'right'), beats, heartbeat_timeout=1.0)
    for request in asked:
        before = keeper.current
        try:
            if request.engaged:
                keeper.engage(request, 0.0)
            else:
                keeper.release(request)
        except StationError:
            assert keeper.current == before
        after = keeper.current
        if before is not None and after is not None:
            assert after.holder == before.holder
        if after is not None:
            assert after.holder in ('/a', '/b')
            assert after.number > 0
            assert set(after.arms) <= {'left', 'right'}
