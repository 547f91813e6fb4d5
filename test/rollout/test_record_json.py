"""Records to JSON and back."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st
import pytest
from trial_support import ended, open_trial

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.record_json import from_json, to_json
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    Execution,
    RequestRecord,
    StateInterval,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
    VoteRecord,
)

numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**32 - 1)
stamps = st.integers(0, 2**62)
texts = st.text(max_size=20)
codes = st.sampled_from(ErrorCode)
votes = st.builds(
    VoteRecord, texts, st.sampled_from(VerdictOutcome), numbers, counts, numbers, texts
)
verdicts = st.builds(
    VerdictRecord,
    st.sampled_from(VerdictOutcome),
    stamps,
    numbers,
    st.lists(votes, max_size=3).map(tuple),
    numbers,
    codes,
    texts,
    texts,
)
attempts = st.builds(
    AttemptRecord,
    index=st.integers(1, 8),
    start_ns=stamps,
    execution=st.sampled_from(Execution),
    error_code=codes,
    message=texts,
    duration=numbers,
    verdict=verdicts,
)
values = st.booleans() | st.integers(-(2**63), 2**63 - 1) | numbers | texts
trials = st.builds(
    TrialRecord,
    trial_id=texts,
    seed=st.integers(0, 2**64 - 1),
    controller_parameters=st.dictionaries(texts, values | st.lists(numbers, max_size=3)),
    outcome=st.sampled_from(TrialOutcome),
    error_code=codes,
    infrastructure=st.booleans(),
    attempts=st.lists(attempts, max_size=3).map(tuple),
    reset_seconds=numbers,
    reset_recoveries=st.lists(texts, max_size=3).map(tuple),
)


@given(trials)
def test_a_trial_survives_json_without_loss(trial):
    text = json.dumps(to_json(trial), allow_nan=False)
    assert from_json(TrialRecord, json.loads(text)) == trial


def test_nan_travels_as_null():
    data = to_json(VoteRecord('force', VerdictOutcome.UNCERTAIN))
    assert data['score'] is None
    assert math.isnan(from_json(VoteRecord, data).score)


def test_enums_travel_by_name():
    data = to_json(ended(open_trial()))
    assert data['outcome'] == 'SUCCESS'
    assert data['attempts'][0]['execution'] == 'COMPLETED'


def test_what_newer_code_added_is_ignored():
    data = {**to_json(open_trial()), 'mood': 'good'}
    assert from_json(TrialRecord, data) == open_trial()


def test_an_unknown_enum_is_an_error_and_not_a_default():
    with pytest.raises(KeyError):
        from_json(TrialRecord, {**to_json(open_trial()), 'outcome': 'GREAT'})


def test_requests_and_intervals_survive_too():
    request = RequestRecord('r', 'agent', 3, 8, (1, 2, 2**64 - 1), 'spiral', {'a': 1.5})
    assert from_json(RequestRecord, json.loads(json.dumps(to_json(request)))) == request
    interval = StateInterval(Activity.EXECUTING, 1, 2, 3, 4, 'agent', 't')
    assert from_json(StateInterval, json.loads(json.dumps(to_json(interval)))) == interval
