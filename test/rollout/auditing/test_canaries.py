"""Canaries: when they are due, what they must be judged, and what stored evidence there is."""

from __future__ import annotations

from dataclasses import replace
import json

import pytest
from trial_support import attempt, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.canaries import (
    CANARY,
    CanaryKind,
    failed,
    kind_of,
    read_catalogue,
    Turns,
)
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.records import VerdictOutcome as V

TRIAL = open_trial()
HOLD = replace(
    open_trial(requester=CANARY, idea='known_failure'), attempts=(attempt(1, V.FAILURE),)
)
ONSET = replace(HOLD, idea='onset')
REPLAY = replace(HOLD, idea='replayed_success')


def unjudged(trial: TrialRecord) -> TrialRecord:
    return replace(trial, attempts=())


def turns(trials: list[TrialRecord]) -> Turns:
    turns = Turns()
    for trial in trials:
        turns.add(trial)
    return turns


@pytest.mark.parametrize(
    ('trials', 'since'),
    [
        ([], 0),
        ([TRIAL] * 4, 4),
        ([*[TRIAL] * 5, HOLD], 0),
        ([*[TRIAL] * 5, HOLD, *[TRIAL] * 2], 2),
        ([TRIAL, unjudged(HOLD)], 1),
        ([TRIAL, REPLAY, unjudged(HOLD)], 1),
        ([TRIAL, replace(HOLD, idea='of other code'), TRIAL], 2),
    ],
)
def test_a_turn_ends_with_a_verdict_on_a_canary_in_the_scene(trials, since):
    assert turns(trials).since == since


@pytest.mark.parametrize(
    ('trials', 'kind'),
    [
        ([TRIAL], CanaryKind.KNOWN_FAILURE),
        ([HOLD, REPLAY, TRIAL], CanaryKind.ONSET),
        ([HOLD, ONSET, REPLAY, TRIAL], CanaryKind.KNOWN_FAILURE),
        ([HOLD, unjudged(ONSET)], CanaryKind.ONSET),
    ],
)
def test_the_two_that_need_the_robot_take_turns(trials, kind):
    assert turns(trials).scene is kind


def test_only_the_stations_own_trials_are_canaries():
    assert kind_of(ONSET) is CanaryKind.ONSET
    assert kind_of(replace(ONSET, requester='agent')) is None
    assert kind_of(replace(ONSET, idea='something else')) is None


@pytest.mark.parametrize(
    ('kind', 'fine'),
    [
        (CanaryKind.KNOWN_FAILURE, {V.FAILURE, V.UNCERTAIN}),
        (CanaryKind.ONSET, {V.FAILURE, V.UNCERTAIN}),
        (CanaryKind.REPLAYED_FAILURE, {V.FAILURE, V.UNCERTAIN}),
        (CanaryKind.REPLAYED_SUCCESS, {V.SUCCESS}),
    ],
)
def test_what_each_must_be_judged(kind, fine):
    for verdict in (V.FAILURE, V.SUCCESS, V.UNCERTAIN):
        words = failed(kind, verdict)
        assert (words == '') is (verdict in fine)
        assert not words or verdict.name in words


def test_a_catalogue_lists_evidence_beside_it(tmp_path):
    path = tmp_path / 'canaries.json'
    lines = [
        {'file': 'a.npz', 'sha256': 'a' * 64, 'label': True},
        {'file': 'sub/b.npz', 'sha256': 'b' * 64, 'label': False},
    ]
    path.write_text(json.dumps({'canaries': lines}))
    first, second = read_catalogue(path)
    assert (first.path, first.digest) == (tmp_path / 'a.npz', 'a' * 64)
    assert first.kind is CanaryKind.REPLAYED_SUCCESS
    assert (second.path, second.kind) == (tmp_path / 'sub/b.npz', CanaryKind.REPLAYED_FAILURE)


@pytest.mark.parametrize(
    'content',
    [
        '',
        '[]',
        '{"canaries": [{"file": "a.npz"}]}',
        '{"canaries": [{"file": "a", "sha256": "short", "label": true}]}',
        json.dumps({'canaries': [{'file': 'a', 'sha256': 'a' * 64, 'label': None}]}),
    ],
)
def test_a_bad_catalogue_is_refused(tmp_path, content):
    path = tmp_path / 'canaries.json'
    path.write_text(content)
    with pytest.raises(StationError, match=r'canaries\.json') as caught:
        read_catalogue(path)
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE


def test_a_catalogue_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StationError, match='No such file'):
        read_catalogue(tmp_path / 'none.json')
