"""When a recipe is better, and when going on is pointless."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from enpire_nodes.evolution.campaign.rules import compare, futile, hopeless
from enpire_nodes.rollout.records import (
    AttemptRecord,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)
from enpire_nodes.rollout.statistics import summarize


def trial(success: bool, seed: int = 0) -> TrialRecord:
    verdict = VerdictOutcome.SUCCESS if success else VerdictOutcome.FAILURE
    outcome = TrialOutcome.SUCCESS if success else TrialOutcome.FAILURE
    attempt = AttemptRecord(1, verdict=VerdictRecord(verdict))
    return TrialRecord(f't{seed}', seed=seed, outcome=outcome, attempts=(attempt,))


def pairs(candidate: str, incumbent: str):
    return [
        (trial(a == '1', seed), trial(b == '1', seed))
        for seed, (a, b) in enumerate(zip(candidate, incumbent, strict=True))
    ]


def test_a_clear_win_holds_and_luck_does_not():
    clear = compare(pairs('1' * 16, '1' * 4 + '0' * 12))
    assert clear.holds
    assert clear.apart
    assert (clear.better, clear.worse) == (12, 0)
    assert not compare(pairs('111', '010')).holds
    assert not compare(pairs('0' * 16, '1' * 16)).holds


def test_a_win_can_hold_without_intervals_apart():
    seen = compare(pairs('1' * 10, '1' * 6 + '0' * 4))
    assert seen.holds
    assert not seen.apart


def test_nothing_compares_as_nothing():
    seen = compare([])
    assert not seen.holds
    assert not seen.apart


@pytest.mark.parametrize(
    ('candidate', 'incumbent', 'hopelessly'),
    [('00000', '11111', True), ('11111', '00000', False), ('1', '1', False)],
)
def test_a_retest_is_given_up_when_it_cannot_hold(candidate, incumbent, hopelessly):
    assert futile(compare(pairs(candidate, incumbent)), 8) is hopelessly


def test_a_finished_retest_is_futile_exactly_when_it_does_not_hold():
    rng = np.random.default_rng(3)
    for _ in range(20):
        made = ''.join(rng.choice(['0', '1'], 12)), ''.join(rng.choice(['0', '1'], 12))
        seen = compare(pairs(*made))
        assert futile(seen, 12) is not seen.holds


def test_a_block_is_hopeless_when_only_successes_would_not_be_enough():
    lost = [trial(False, seed) for seed in range(3)]
    assert hopeless(summarize(lost), 20, needed=0.8)
    assert not hopeless(summarize(lost), 20, needed=0.6)
    excluded = [replace(t, infrastructure=True) for t in lost]
    assert not hopeless(summarize(excluded), 20, needed=0.8)
