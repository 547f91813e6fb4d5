"""Only a passing report about these very files lets an environment be frozen."""

import json
import re

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.rates import Rates
from enpire_nodes.environment.contract.freeze import REPORT


def refusal(bench, report) -> str:
    with pytest.raises(StationError) as caught:
        bench.freeze(report)
    assert caught.value.code is ErrorCode.ENVIRONMENT_NOT_ACCEPTED
    assert 'enpire environment measure' in caught.value.message
    assert not bench.manifest_file.exists()
    return caught.value.message


def edited(bench, name: str, **fields) -> list[dict]:
    """Return the criteria of a passing report, one of them with other fields."""
    criteria = json.loads(bench.report().read_text())['criteria']
    next(entry for entry in criteria if entry['name'] == name).update(fields)
    return criteria


def test_a_passing_report_is_frozen_with_its_environment(bench):
    report = bench.report()
    bench.freeze(report)
    assert (bench.output / REPORT).read_bytes() == report.read_bytes()


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'passed': False}, 'it says so itself'),
        ({'passed': 'true'}, 'it says so itself'),
        ({'criteria': []}, 'it says nothing of episodes; it says nothing of'),
        ({'criteria': None}, 'cannot be read'),
        ({'criteria': ['fine']}, 'cannot be read'),
        ({'sources': {}}, 'cannot be read'),
        ({'resets': {}}, 'cannot be read'),
        ({'version': 2}, 'its version is 2, not 1'),
        ({'task': 'push_t'}, 'is of the task push_t'),
        ({'digest': 'another'}, 'about another judge'),
        ({'digest': None}, 'about another judge'),
        ({'files': {'bench/reward.py': '0' * 64}}, 'not as it was .*: bench/reward.py'),
        ({'files': {'bench/gone.py': '0' * 64}}, 'not as it was .*: bench/gone.py'),
        ({'files': {}}, 'not as it was .*: bench/__init__.py, bench/reset.py, bench/reward.py'),
        ({'files': None}, 'cannot be read'),
    ],
)
def test_what_a_report_must_say(bench, fields, words):
    assert re.search(words, refusal(bench, bench.report(**fields)))


@pytest.mark.parametrize(
    ('name', 'fields', 'words'),
    [
        ('recall', {'value': 0.97, 'passed': False}, 'recall is 0.97, and must be at least 0.98'),
        ('recall', {'value': 0.97}, 'recall is 0.97, and must be'),  # it was marked as passed
        ('recall', {'value': 0.97, 'limit': 0.9}, 'must be at least 0.98'),  # a weaker limit
        ('recall', {'value': 0.9999}, 'is given as 0.9999, but its counts say 0.998'),
        ('false positives', {'value': 0.0}, 'false positives is given as 0.0, but its counts'),
        ('reset', {'value': None}, 'reset is None'),
        ('reset', {'value': 0.99}, 'reset is given as 0.99, but its counts say 0.985'),
        ('unchanged files', {'value': 1}, 'unchanged files is 1, and must be at most 0'),
        ('latency p99', {'value': 'nan'}, 'latency p99 is nan'),
        ('kinds', {'passed': False}, 'kinds is not met'),
    ],
)
def test_what_a_report_claims_is_derived_again(bench, name, fields, words):
    message = refusal(bench, bench.report(criteria=edited(bench, name, **fields)))
    assert words in message


@pytest.mark.parametrize('name', ['false positives', 'unchanged files'])
def test_a_criterion_that_was_left_out_is_named(bench, name):
    criteria = [entry for entry in edited(bench, name) if entry['name'] != name]
    assert f'nothing of {name}' in refusal(bench, bench.report(criteria=criteria))


def test_what_is_missed_is_said_once(bench):
    counted = {'verdict': Rates((1949, 51, 0), (0, 2000, 0)).to_json()}
    bound = counted['verdict']['recall_bound']
    criteria = edited(bench, 'recall', value=bound, passed=False)
    message = refusal(bench, bench.report(criteria=criteria, sources=counted, passed=False))
    said = f'does not pass: recall is {bound:.4g}, and must be at least 0.98; measure again'
    assert said in message


@pytest.mark.parametrize('text', ['', '[]', 'passed: true', '"passed"'])
def test_what_is_no_report_is_refused(bench, text):
    path = bench.report()
    path.write_text(text)
    refusal(bench, path)


def test_a_missing_report_is_refused(bench):
    assert 'there is no acceptance report' in refusal(bench, bench.path('nowhere.json'))


def test_code_that_was_added_after_the_measurement_is_named(bench):
    report = bench.report()
    bench.path('bench/scoring/kinder.py').write_text('')
    assert 'not as it was' in (said := refusal(bench, report))
    assert 'bench/scoring/kinder.py' in said


def test_the_limits_of_the_gate_may_change_after_the_measurement(bench):
    report = bench.report()
    bench.path('settings/limits.yaml').write_text('hard_force: 20.0\n')
    bench.freeze(report)


def test_a_file_that_changed_after_the_measurement_is_named(bench):
    report = bench.report()
    bench.path('settings/eyes.npz').write_text('other weights')
    assert refusal(bench, report).count('settings/weights') == 1
