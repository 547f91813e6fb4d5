"""When the judge is doubted, how soon, and how seldom for nothing."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from scipy.special import betaln

from enpire_nodes.rollout.auditing import alarm
from enpire_nodes.rollout.auditing.alarm import AlarmRule, CANARY, PERSON, SECOND, TRUTH
from enpire_nodes.rollout.auditing.tally import Tally

RULE = AlarmRule()
LENGTH, CAMPAIGNS = 5000, 2000


def noticed(rate: float) -> np.ndarray:
    """Return after how many audited failures each campaign's alarm came; LENGTH + 1: never."""
    rng = np.random.default_rng(0)
    cases = np.arange(1, LENGTH + 1)
    needed = -math.log((1.0 - RULE.confidence) / 6)
    found = np.full(CAMPAIGNS, LENGTH + 1)
    for index in range(CAMPAIGNS):
        hits = np.cumsum(rng.random(LENGTH) < rate)
        null = hits * math.log(RULE.false_successes)
        null += (cases - hits) * math.log1p(-RULE.false_successes)
        loud = (betaln(1 + hits, 1 + cases - hits) - null > needed) & (
            hits > RULE.false_successes * cases
        )
        if loud.any():
            first = int(np.argmax(loud))
            found[index] = cases[first]
            if index < 5:  # the rule itself says the same, before and after
                assert RULE.exceeds(int(hits[first]), int(cases[first]), RULE.false_successes)
                assert first == 0 or not RULE.exceeds(
                    int(hits[first - 1]), int(cases[first - 1]), RULE.false_successes
                )
    return found


def documented() -> dict[str, tuple[str, str, str]]:
    rows = re.findall(r'^([\d.]+ %)\s+(\S+)\s+(\S+)\s+(\S+)', alarm.__doc__, re.MULTILINE)
    return {rate: rest for rate, *rest in rows}


@pytest.mark.parametrize('rate', ['100 %', '50 %', '20 %', '10 %', '5 %', '2 %', '1 %'])
def test_the_table_in_the_docstring_is_what_a_simulation_gives(rate):
    found = noticed(float(rate[:-2]) / 100)
    never = np.mean(found > LENGTH)
    low, high = np.median(found), np.quantile(found, 0.95, method='higher')
    said = documented()[rate]
    print(f'false positives {rate}: noticed after {low:.0f} failures, 95 % within {high}')
    assert [said[0], said[1]] == [f'{low:,.0f}', f'{high:,}']
    assert float(said[2].replace('none', '0')) == pytest.approx(100 * never)


def test_a_judge_as_good_as_accepted_is_hardly_ever_doubted():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(300):
        wrong = np.flatnonzero(rng.random(5000) < RULE.false_successes)
        # between two errors the evidence only falls: to look at the errors is to look always
        alarms += any(
            RULE.exceeds(count, int(at) + 1, RULE.false_successes)
            for count, at in enumerate(wrong, start=1)
        )
    assert alarms <= 3


@pytest.mark.parametrize('auditor', [TRUTH, PERSON, SECOND])
def test_false_successes_are_an_alarm(auditor):
    words = RULE.doubt({auditor: Tally(true_successes=5, false_successes=4, true_failures=2)})
    assert words.startswith(f'{auditor} calls 4 of 6 failures judged successes')


@pytest.mark.parametrize('kind', ['false_failures', 'missed'])
def test_missed_successes_are_an_alarm(kind):
    words = RULE.doubt({TRUTH: Tally(true_successes=5, **{kind: 9})})
    assert 'that 9 of 14 successes were not judged so' in words


def test_the_second_verifier_may_err_itself():
    tally = Tally(false_successes=2, true_failures=4)
    assert RULE.doubt({TRUTH: tally})
    assert not RULE.doubt({SECOND: tally})


def test_agreement_is_no_alarm():
    tally = Tally(true_successes=500, true_failures=500, missed=20, uncertain=40, undecided=9)
    assert RULE.doubt({TRUTH: tally, PERSON: tally, SECOND: tally, CANARY: tally}) != ''
    assert RULE.doubt({TRUTH: tally, PERSON: tally, SECOND: tally}) == ''
    assert RULE.doubt({}) == ''


@pytest.mark.parametrize(
    ('tally', 'words'),
    [
        (Tally(false_successes=1, true_failures=999), 'known failures were judged successes'),
        (Tally(true_successes=999, false_failures=1), 'known successes were not judged so'),
        (Tally(true_successes=999, missed=1, uncertain=1), 'known successes were not judged so'),
    ],
)
def test_one_failed_canary_is_enough(tally, words):
    assert words in RULE.doubt({CANARY: tally})
