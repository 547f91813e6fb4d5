"""Only a passing report about these very files lets an environment be frozen."""

import re

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.freeze import REPORT

FAILED = {'name': 'false-positive rate', 'passed': False, 'message': 'at most 0.9 %, not 0.2 %'}


def refusal(bench, report) -> str:
    with pytest.raises(StationError) as caught:
        bench.freeze(report)
    assert caught.value.code is ErrorCode.ENVIRONMENT_NOT_ACCEPTED
    assert 'enpire environment measure' in caught.value.message
    assert not bench.manifest_file.exists()
    return caught.value.message


def test_a_passing_report_is_frozen_with_its_environment(bench):
    report = bench.report()
    bench.freeze(report)
    assert (bench.output / REPORT).read_bytes() == report.read_bytes()


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'passed': False}, 'did not pass'),
        ({'passed': 'true'}, 'did not pass'),
        ({'criteria': [FAILED]}, 'false-positive rate is not met .at most 0.9 %'),
        ({'criteria': [{'name': 'recall'}]}, 'recall is not met'),
        ({'criteria': ['fine']}, '1 is not met'),
        ({'criteria': []}, 'no criteria'),
        ({'criteria': None}, 'no criteria'),
        ({'digest': 'another'}, 'another judge'),
        ({'files': {'bench/reward.py': '0' * 64}}, 'bench/reward.py is not as it was'),
        ({'files': {'bench/gone.py': '0' * 64}}, 'bench/gone.py is not as it was'),
        ({'files': ['bench/reward.py']}, 'files is not as it was'),
    ],
)
def test_what_a_report_must_say(bench, fields, words):
    assert re.search(words, refusal(bench, bench.report(**fields)))


@pytest.mark.parametrize('text', ['', '[]', 'passed: true', '"passed"'])
def test_what_is_no_report_is_refused(bench, text):
    path = bench.report()
    path.write_text(text)
    refusal(bench, path)


def test_a_missing_report_is_refused(bench):
    assert 'there is no acceptance report' in refusal(bench, bench.path('nowhere.json'))


def test_a_file_that_changed_after_the_measurement_is_named(bench):
    report = bench.report()
    bench.path('settings/eyes.npz').write_text('other weights')
    assert 'settings/weights is not as it was' in refusal(bench, report)
