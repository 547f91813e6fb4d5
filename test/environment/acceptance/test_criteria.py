"""What must be reached before an environment may be frozen."""

from dataclasses import replace
import json

from acceptance_support import episode, good, resets
import pytest

from enpire_nodes.environment.acceptance.criteria import check, Requirements

REQUIRED = Requirements()


def failed(episodes, tried=None, required=REQUIRED):
    made = check(episodes, resets() if tried is None else tried, required)
    return [criterion.name for criterion in made if not criterion.passed]


def test_a_perfect_judge_on_enough_episodes_passes():
    assert failed(good(3000)) == []


def test_no_false_positive_of_too_few_failures_is_not_enough():
    """Bounds decide: 0 of 1000 leaves room for 0.3 %, and 0 of 1497 for 0.2 %."""
    assert failed(good(2000)) == ['false positives']
    assert failed(good(2990)) == ['false positives']
    assert failed(good(2994)) == []


def test_one_false_positive_in_3000_failures_passes_and_three_do_not():
    def with_wrong(count):
        return [*good(6000), *[episode('on_rim', 'S')] * count]

    assert failed(with_wrong(1)) == []
    assert failed(with_wrong(3)) == ['false positives']


def test_a_bound_on_recall_below_98_percent_fails():
    def missing(count):
        return [*good(3000), *[episode('inserted', 'F')] * count]

    assert failed(missing(20)) == []
    assert failed(missing(25)) == ['recall']  # 98.4 % measured, 97.7 % at the bound


def test_too_much_that_is_left_to_a_person_fails():
    unsure = [episode('on_rim', 'U')]
    assert failed([*good(3000), *unsure * 40]) == []
    assert failed([*good(3000), *unsure * 60]) == ['uncertain']  # 1.96 %, and 2.44 % at the bound


def test_a_success_that_is_uncertain_is_missed():
    assert 'recall' in failed([*good(3000), *[episode('inserted', 'U')] * 30])


def test_too_few_episodes_or_too_few_of_a_kind_fail():
    assert failed(good(1000)) == ['episodes', 'false positives']
    rare = [*good(3000), *[episode('lying', 'F')] * 29]
    assert failed(rare) == ['kinds']
    assert 'lying' in next(c.message for c in check(rare, resets(), REQUIRED) if c.name == 'kinds')
    assert failed([*rare, episode('lying', 'F')]) == []


def test_a_slow_judge_fails():
    slow = [replace(one, seconds=0.016) for one in good(3000)]
    assert failed(slow) == ['latency p50']
    some = [
        replace(one, seconds=0.06 if i % 50 == 0 else 0.01) for i, one in enumerate(good(3000))
    ]
    assert failed(some) == ['latency p99']


def test_resets_that_fail_or_are_missing_or_slow_fail():
    assert failed(good(3000), resets(100, failed=1)) == []
    assert failed(good(3000), resets(100, failed=2)) == ['reset']
    assert failed(good(3000), resets(50)) == ['reset']  # 94.2 % at the bound
    assert failed(good(3000), []) == ['reset', 'reset time']
    slow = [replace(one, seconds=25.0) for one in resets()]
    assert failed(good(3000), slow) == ['reset time']


def test_what_was_measured_and_what_decides_are_both_told():
    made = {criterion.name: criterion for criterion in check(good(3000), resets(), REQUIRED)}
    assert made['recall'].measured == 1.0
    assert made['recall'].value == pytest.approx(0.998, abs=1e-4)
    assert made['false positives'].measured == 0.0
    stored = json.loads(json.dumps(made['recall'].to_json(), allow_nan=False))
    assert stored['passed'] is True
    assert stored['limit'] == 0.98


def test_what_nobody_measured_is_null_in_json_and_fails():
    stored = [criterion.to_json() for criterion in check([], [], REQUIRED)]
    json.dumps(stored, allow_nan=False)
    assert not any(criterion['passed'] for criterion in stored)
