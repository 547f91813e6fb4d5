"""The acceptance report as JSON."""

from dataclasses import replace
import json

from acceptance_support import episode, good, resets
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.criteria import Requirements
from enpire_nodes.environment.acceptance.judged import Case
from enpire_nodes.environment.acceptance.report import build, read, write
from enpire_nodes.environment.contract.accepted import require_accepted


def made(episodes, tried=None, **about):
    return build(
        episodes,
        resets() if tried is None else tried,
        required=Requirements(),
        task='pin_insertion',
        digest='d' * 64,
        files={'enpire_nodes/tasks/api.py': 'a' * 64},
        about=about,
    )


def test_it_passes_only_when_every_criterion_does():
    assert made(good(3000))['passed'] is True
    report = made(good(3000), resets(100, failed=9))
    assert report['passed'] is False
    assert [one['name'] for one in report['criteria'] if not one['passed']] == ['reset']


def test_a_file_that_changed_under_way_fails_it():
    report = build(
        good(3000), resets(), required=Requirements(), task='pin_insertion', digest='d', files={},
        about={}, changed=['verify.py'],
    )  # fmt: skip
    assert report['passed'] is False
    assert [one['name'] for one in report['criteria'] if not one['passed']] == ['unchanged files']
    assert 'verify.py' in report['criteria'][-1]['message']


def test_it_says_what_was_measured():
    report = made(good(3000), seconds=12.5)
    assert report['digest'] == 'd' * 64
    assert report['files'] == {'enpire_nodes/tasks/api.py': 'a' * 64}
    assert report['episodes'] == 3000
    assert report['simulated'] == {'episodes': 3000, 'first_seed': 0, 'last_seed': 2999}
    assert report['seconds'] == 12.5
    assert list(report['redraws']) == ['inserted', 'on_rim', 'tilted']
    assert report['redraws']['on_rim'] + report['redraws']['tilted'] == 1500
    assert report['latency'] == {'p50': 0.01, 'p99': 0.01, 'worst': 0.01}
    assert report['required']['recall'] == 0.98


def test_it_gives_each_source_its_figures_by_kind():
    sources = made(good(3000))['sources']
    assert list(sources) == ['camera/side', 'camera/front', 'force', 'all views', 'verdict']
    side = sources['camera/side']
    assert side['of_failures'] == {'SUCCESS': 750, 'FAILURE': 750, 'UNCERTAIN': 0}
    assert side['kinds']['on_rim']['of_failures']['SUCCESS'] == 750
    assert side['kinds']['tilted']['of_failures']['SUCCESS'] == 0
    assert sources['verdict']['false_positive_rate'] == 0.0
    assert sources['verdict']['kinds']['inserted']['recall'] == 1.0


def test_it_lists_what_went_wrong_up_to_a_limit():
    report = made([*good(3000), *[episode('on_rim', 'U', seed=n) for n in range(520)]])
    assert len(report['wrong']) == 500
    assert report['wrong_not_listed'] == 20
    assert report['wrong'][0]['source'] == 'simulated on_rim 0'
    assert report['wrong'][0]['votes']['force'] == 'FAILURE 0.50: says F'


def test_it_tells_simulated_from_recorded(tmp_path):
    recorded = replace(good(2)[1], case=Case(path=tmp_path / 'one.npz'))
    report = made([*good(10), recorded])
    assert report['simulated']['episodes'] == 10
    assert report['recorded'] == [str(tmp_path / 'one.npz')]


def test_resets_are_told_by_placement_with_those_that_failed():
    found = made(good(3000), resets(100, failed=1))['resets']
    assert (found['resets'], found['successes']) == (100, 99)
    assert found['bound'] == pytest.approx(0.9534, abs=1e-3)
    assert found['placements']['hole'] == {'resets': 50, 'successes': 49}
    assert found['failed'][0]['message'] == 'the pin is lost'
    assert found['seconds_p50'] == 11.0
    assert made(good(3000), [])['resets']['seconds_p50'] is None


def test_a_freeze_accepts_a_report_that_passes_and_no_other(tmp_path):
    path = tmp_path / 'new' / 'acceptance.json'
    write(made(good(3000)), path)
    files = {'enpire_nodes/tasks/api.py': 'a' * 64}
    wanted = {'task': 'pin_insertion', 'verifier': 'd' * 64, 'files': files}
    require_accepted(path, **wanted)
    write(made(good(1000)), path)
    with pytest.raises(StationError, match='episodes is') as caught:
        require_accepted(path, **wanted)
    assert caught.value.code is ErrorCode.ENVIRONMENT_NOT_ACCEPTED


def test_a_report_survives_its_file(tmp_path):
    report = made(good(100), [])
    write(report, tmp_path / 'acceptance.json')
    assert read(tmp_path / 'acceptance.json') == report
    assert [path.name for path in tmp_path.iterdir()] == ['acceptance.json']
    json.dumps(report, allow_nan=False)


@pytest.mark.parametrize('content', [None, '', '{}', '[]', '{"version": 99}'])
def test_a_file_that_is_no_report_is_refused(tmp_path, content):
    path = tmp_path / 'acceptance.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(StationError, match='environment measure') as caught:
        read(path)
    assert caught.value.code is ErrorCode.ENVIRONMENT_NOT_ACCEPTED
