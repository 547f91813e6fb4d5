"""Campaigns that are drawn from attempts: how long a broken judge goes unnoticed."""

import numpy as np

from enpire_nodes.rollout.auditing.alarm import AlarmRule, SECOND, TRUTH
from enpire_nodes.rollout.auditing.drill import Heard, trials_until_noticed
from enpire_nodes.rollout.records import VerdictOutcome as V


def attempts(judge):
    """Return ten successes and ten failures, told by an auditor that is right."""
    truths = [V.SUCCESS, V.FAILURE] * 10
    return [
        Heard(truth is V.SUCCESS, judge(index, truth), truth) for index, truth in enumerate(truths)
    ]


def noticed(heard, auditor=TRUTH, most=200):
    return trials_until_noticed(
        heard, auditor, rule=AlarmRule(), campaigns=20, most=most, rng=np.random.default_rng(3)
    )


def test_a_right_judge_is_never_doubted():
    assert noticed(attempts(lambda index, truth: truth)) == [None] * 20


def test_a_judge_that_calls_all_a_success_is_doubted_after_its_second_failure():
    trials = noticed(attempts(lambda index, truth: V.SUCCESS))
    assert trials == sorted(trials)
    assert trials[0] == 2
    assert None not in trials


def kind_to(count):
    """Return a judge that calls the first ``count`` of the ten failures successes."""
    return lambda index, truth: V.SUCCESS if index < 2 * count else truth


def test_the_fewer_errors_the_longer_it_takes():
    medians = [noticed(attempts(kind_to(count)))[10] for count in (10, 5, 2)]
    assert medians == sorted(set(medians))


def test_campaigns_that_nobody_paused_come_last():
    trials = noticed(attempts(kind_to(2)), most=12)
    known = [trial for trial in trials if trial is not None]
    assert 0 < len(known) < len(trials)
    assert trials == [*sorted(known), *[None] * (20 - len(known))]


def test_an_auditor_that_errs_itself_needs_more():
    heard = attempts(lambda index, truth: V.FAILURE if index % 4 == 0 else truth)
    assert sum(noticed(heard, TRUTH)) < sum(noticed(heard, SECOND))
