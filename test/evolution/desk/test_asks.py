"""What comes in is checked, and a refusal names the field."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk import asks

COMMIT = 'ab' * 20


def test_an_ask_is_taken_as_it_is():
    ask = asks.trial_ask({'commit': COMMIT, 'trials': 7, 'against': 'main', 'seeds_of': 'job-3'})
    assert (ask.commit, ask.trials, ask.against, ask.seeds_of) == (COMMIT, 7, 'main', 'job-3')


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'commit': '--upload-pack=x'}, 'commit cannot be'),
        ({'commit': 5}, 'commit must be of type str'),
        ({'trials': True}, 'trials must be of type int'),
        ({'trials': 0}, 'trials must lie in'),
        ({'trials': 10**9}, 'trials must lie in'),
        ({'attempts': 65}, 'attempts must lie in'),
        ({'weights': 'short'}, 'weights cannot be'),
        ({'against': '../x'}, 'against cannot be'),
        ({'seeds_of': 'a b'}, 'seeds_of cannot be'),
        ({'seed': 4}, "'seed' is unknown"),
        ({'explore': True, 'against': COMMIT}, 'compare nothing'),
    ],
)
def test_a_bad_field_is_named(changes, words):
    with pytest.raises(StationError, match=words) as caught:
        asks.trial_ask({'commit': COMMIT, **changes})
    assert caught.value.code is ErrorCode.SUPERVISOR_BAD_REQUEST


@pytest.mark.parametrize('body', [b'', b'[]', b'{', b'\xff', b'[' * 100000])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(StationError, match='the body is no JSON'):
        asks.mapping(body)


def test_a_commit_is_needed():
    with pytest.raises(StationError, match='commit is missing'):
        asks.proposal({})


def test_a_sentence_is_one_line_of_bounded_length():
    assert asks.sentence({'sentence': ' two\n lines '}) == 'two lines'
    for bad in ({}, {'sentence': ' '}, {'sentence': 3}, {'sentence': 'x' * 501}):
        with pytest.raises(StationError):
            asks.sentence(bad)


def test_a_number_is_kept_within_its_range():
    limits = {'default': 0.5, 'low': 0.0, 'high': 1.0}
    assert asks.number('', 'moment', **limits) == 0.5
    assert asks.number('9', 'moment', **limits) == 1.0
    for bad in ('nan', 'x'):
        with pytest.raises(StationError, match='moment must be a number'):
            asks.number(bad, 'moment', **limits)
