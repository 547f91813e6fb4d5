"""`enpire environment measure` and `report`, on the simulator."""

import json

import cv2
import numpy as np
import pytest

from enpire_nodes.cli.environment_bench import BenchFiles
from enpire_nodes.cli.main import main
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.environment.acceptance.judged import Case
from enpire_nodes.environment.evidence import save
from enpire_nodes.simulation.rendering import rendering_enabled

FILES = BenchFiles('pin_insertion', None, config_file('stations/simulated.yaml'))

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def steady(monkeypatch):
    """Let no edit of a file under way spoil a measurement."""
    monkeypatch.setattr(BenchFiles, 'digests', lambda self: {'enpire_nodes/tasks/api.py': 'a'})


@pytest.fixture(scope='module')
def bench():
    if not rendering_enabled():
        pytest.skip('nothing can draw here')
    made = FILES()
    yield made
    made.close()


def run(*arguments):
    return main(['environment', *map(str, arguments)])


def test_a_few_episodes_are_measured_reported_and_not_accepted(bench, steady, tmp_path, capsys):
    code = run(
        'measure', 'pin_insertion', '--episodes', 4, '--kinds', 'inserted,missing',
        '--resets', 1, '--workers', 0, '--output', tmp_path,
    )  # fmt: skip
    assert code == 1
    said = capsys.readouterr().out
    assert 'NOT accepted: episodes, kinds' in said
    report = json.loads((tmp_path / 'acceptance.json').read_text())
    assert report['passed'] is False
    assert report['sources']['verdict']['of_successes']['SUCCESS'] == 2
    assert report['sources']['verdict']['of_failures']['FAILURE'] == 2
    assert report['simulated'] == {'episodes': 4, 'first_seed': 1000000, 'last_seed': 1000003}
    assert (report['resets']['resets'], report['resets']['successes']) == (1, 1)
    assert report['digest'] == bench.verifier().digest
    assert report['files'] == {'enpire_nodes/tasks/api.py': 'a'}
    assert report['versions']['mujoco']
    for name in ('confusions.png', 'kinds.png'):
        assert cv2.imread(str(tmp_path / name)).max() > 100

    assert run('report', 'pin_insertion', '--output', tmp_path) == 1
    assert 'NOT accepted: episodes, kinds' in capsys.readouterr().out
    assert run('report', 'pin_insertion', '--output', tmp_path, '--json') == 1
    assert json.loads(capsys.readouterr().out) == report


def test_labelled_evidence_is_measured_without_the_simulator(bench, steady, tmp_path, capsys):
    for index, kind in enumerate(('inserted', 'lying')):
        evidence, _ = bench.make(Case(kind, 7))
        save(evidence, tmp_path / 'held_out' / f'{index}.npz')
    run(
        'measure', 'pin_insertion', '--episodes', 0, '--resets', 0, '--workers', 0,
        '--evidence', tmp_path / 'held_out', '--output', tmp_path / 'out',
    )  # fmt: skip
    report = json.loads((tmp_path / 'out' / 'acceptance.json').read_text())
    assert (report['episodes'], len(report['recorded'])) == (2, 2)
    assert report['sources']['verdict']['recall'] == 1.0
    assert 'NOT accepted: episodes, kinds, false positives, recall' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--episodes', 4, '--kinds', 'missing'), 'ENVIRONMENT_ONE_CLASS'),
        (('--episodes', 4, '--kinds', 'upside_down'), 'no such kind of episode: upside_down'),
        (('--episodes', 0), 'ENVIRONMENT_TOO_FEW_EPISODES'),
        (('--episodes', 0, '--evidence', 'nowhere'), 'there is no evidence in nowhere'),
        (('--station', 'nowhere'), 'nowhere'),
        (('--episodes', 4, '--seed', 999_999), 'seeds below 1000000 are for fitting'),
    ],
)
def test_what_cannot_be_measured_is_refused(bench, steady, tmp_path, capsys, arguments, words):
    code = run(
        'measure', 'pin_insertion', '--workers', 0, '--resets', 0, '--output', tmp_path,
        *arguments,
    )  # fmt: skip
    assert code in (1, 2)
    assert words in capsys.readouterr().err
    assert not (tmp_path / 'acceptance.json').exists()


def test_a_file_that_changes_under_way_spoils_the_measurement(
    bench, monkeypatch, tmp_path, capsys
):
    states = iter([{'a.py': '1', 'b.py': '1'}, {'a.py': '2', 'b.py': '1', 'c.py': '1'}])
    monkeypatch.setattr(BenchFiles, 'digests', lambda self: next(states))
    code = run(
        'measure', 'pin_insertion', '--episodes', 2, '--kinds', 'inserted,missing',
        '--resets', 0, '--workers', 0, '--output', tmp_path,
    )  # fmt: skip
    assert code == 1
    said = ' '.join(capsys.readouterr().out.split())
    assert 'unchanged files' in said.split('NOT accepted')[1]
    report = json.loads((tmp_path / 'acceptance.json').read_text())
    assert report['files'] == {'a.py': '1', 'b.py': '1'}
    criterion = report['criteria'][-1]
    assert (criterion['name'], criterion['value']) == ('unchanged files', 2)
    assert 'a.py, c.py' in criterion['message']


def test_no_report_is_refused(tmp_path, capsys):
    assert run('report', 'pin_insertion', '--output', tmp_path) == 1
    assert 'environment measure' in capsys.readouterr().err


def test_what_is_measured_depends_on_the_judge_and_the_simulator_and_not_on_the_runner():
    names = set(FILES.digests())
    assert {
        'enpire_nodes/tasks/pin_insertion/verify.py',
        'enpire_nodes/tasks/pin_insertion/staging.py',
        'enpire_nodes/drivers/simulated/episodes.py',
        'enpire_nodes/simulation/bench.py',
        'enpire_nodes/environment/evidence.py',
        'settings/station',
    } <= names
    assert not any(name.startswith('enpire_nodes/rollout/') for name in names)
    assert 'settings/limits' not in names


def test_a_worker_opens_the_judge_and_makes_the_same_episode(bench):
    case = Case('inserted', 3)
    first, again = bench.make(case)[0], FILES().make(case)[0]
    np.testing.assert_array_equal(first.frames['side'][0].image, again.frames['side'][0].image)
    assert bench.kinds['inserted'] is True
    assert bench.verifier() is not bench.verifier()


def test_a_reset_is_tried_on_a_station_of_its_own(bench):
    tried = bench.reset('cradle', 5)
    assert (tried.placement, tried.seed, tried.success) == ('cradle', 5, True)
    assert 1.0 < tried.seconds < 30.0
    lost = bench.reset('missing', 5)
    assert not lost.success
    assert 'RESET_PIN_NOT_FOUND' in lost.message


def test_a_station_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(StationError, match='nowhere') as caught:
        BenchFiles('pin_insertion', None, tmp_path / 'nowhere.yaml')()
    assert caught.value.code is ErrorCode.REWARD_INTERNAL


def test_a_task_that_cannot_be_staged_says_what_to_do(bench, monkeypatch):
    class Bare:
        name = 'bare'

    monkeypatch.setattr(bench, 'task', Bare())
    with pytest.raises(StationError, match='--evidence') as caught:
        _ = bench.kinds
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED


def test_the_weights_of_a_station_are_taken_unless_others_are_named(tmp_path):
    class Configuration:
        task, task_file, station_file = 'pin_insertion', None, FILES.station_file
        weights_file = tmp_path / 'own.npz'

    assert BenchFiles.of(Configuration, None).weights == tmp_path / 'own.npz'
    assert BenchFiles.of(Configuration, tmp_path / 'b.npz').weights == tmp_path / 'b.npz'
    Configuration.weights_file = None
    assert BenchFiles.of(Configuration, None).weights is None
