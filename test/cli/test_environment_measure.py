"""`enpire environment measure` and `report`, on the simulator."""

from dataclasses import replace
import json

import cv2
import numpy as np
import pytest

from enpire_nodes.cli import environment_measure as module
from enpire_nodes.cli.environment_bench import BenchFiles
from enpire_nodes.cli.main import main
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.environment.acceptance.judged import Case
from enpire_nodes.environment.evidence import load, save
from enpire_nodes.environment.learned.dataset import episode_of
from enpire_nodes.environment.learned.held_out import learned_from
from enpire_nodes.environment.learned.network import Architecture
from enpire_nodes.environment.learned.thresholds import Range
from enpire_nodes.environment.learned.weights import EyeWeights, save_weights, Weights
from enpire_nodes.simulation.rendering import rendering_enabled, RenderingError

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


@pytest.fixture(scope='module')
def weights(bench, tmp_path_factory):
    """Write eyes that always hesitate, and that learned from one seed."""
    crops = bench.crops()
    shapes = Architecture(size=64).shapes()
    eye = {
        name: EyeWeights(
            crop,
            Architecture(size=64),
            {key: np.zeros(shape, np.float32) for key, shape in shapes.items()},
            1.0,
            Range(0.3, 0.7),
        )
        for name, crop in crops.items()
    }
    learned = learned_from([episode_of(bench.make(Case('lying', 7))[0], crops)])
    path = tmp_path_factory.mktemp('eyes') / 'weights.npz'
    save_weights(Weights('pin_insertion', eye, {'learned': learned}), path)
    return path


def run(*arguments):
    return main(['environment', *map(str, arguments)])


def test_a_few_episodes_are_measured_by_a_worker_reported_and_not_accepted(
    bench, weights, steady, tmp_path, capsys
):
    code = run(
        'measure', 'pin_insertion', '--episodes', 4, '--kinds', 'inserted,missing',
        '--resets', 1, '--workers', 1, '--weights', weights, '--output', tmp_path,
    )  # fmt: skip
    assert code == 1
    said = capsys.readouterr().out
    assert 'NOT accepted: episodes, kinds' in said
    report = json.loads((tmp_path / 'acceptance.json').read_text())
    assert report['passed'] is False
    assert report['sources']['all views']['of_successes']['SUCCESS'] == 2
    assert report['sources']['verdict']['of_failures']['FAILURE'] == 2
    for name in ('eye/side', 'eye/front'):
        assert report['sources'][name]['of_successes']['UNCERTAIN'] == 2
    assert report['sources']['verdict']['of_successes']['UNCERTAIN'] == 2
    assert report['simulated'] == {'episodes': 4, 'first_seed': 1000000, 'last_seed': 1000003}
    assert (report['resets']['resets'], report['resets']['successes']) == (1, 1)
    judge = BenchFiles('pin_insertion', None, FILES.station_file, weights)().verifier()
    assert report['digest'] == judge.digest != bench.verifier().digest
    assert report['files'] == {'enpire_nodes/tasks/api.py': 'a'}
    assert report['versions']['mujoco']
    for name in ('confusions.png', 'kinds.png'):
        assert cv2.imread(str(tmp_path / name)).max() > 100

    assert run('report', 'pin_insertion', '--output', tmp_path) == 1
    said = capsys.readouterr().out
    assert 'NOT accepted: episodes, kinds' in said
    assert 'human minutes 0' in said
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
        (('--episodes', 4, '--kinds', 'missing'), 'all 4 episodes are failures; add successes'),
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


def test_what_is_refused_is_refused_before_anything_is_judged(bench, monkeypatch, capsys):
    monkeypatch.setattr(module, 'work', None)
    assert run('measure', 'pin_insertion', '--episodes', 4, '--kinds', 'missing') == 1
    assert 'ENVIRONMENT_ONE_CLASS' in capsys.readouterr().err


@pytest.fixture
def folder(bench, tmp_path):
    """Store a success, and a failure that the eyes have learned from."""
    for kind in ('inserted', 'lying'):
        save(bench.make(Case(kind, 7))[0], tmp_path / 'seen' / f'{kind}.npz')
    return tmp_path / 'seen'


def test_evidence_that_the_eyes_have_learned_from_is_refused(folder, weights, tmp_path, capsys):
    code = run(
        'measure', 'pin_insertion', '--episodes', 0, '--resets', 0, '--workers', 0,
        '--evidence', folder, '--weights', weights, '--output', tmp_path,
    )  # fmt: skip
    assert code == 1
    said = capsys.readouterr().err
    assert '1 episodes were learned from' in said
    assert 'lying.npz (simulated lying 7)' in said


def test_evidence_that_comes_twice_or_with_two_labels_is_refused(folder, tmp_path, capsys):
    where = ('measure', 'pin_insertion', '--episodes', 0, '--evidence', folder)
    evidence = load(folder / 'lying.npz')
    save(evidence, folder / 'again.npz')
    assert run(*where) == 1
    assert '1 of 3 files' in capsys.readouterr().err
    save(replace(evidence, label=True), folder / 'again.npz')
    assert run(*where) == 1
    assert 'labelled as opposites' in capsys.readouterr().err


def test_a_machine_that_cannot_draw_is_an_error_with_what_to_do(bench, monkeypatch):
    def blind(*arguments, **named):
        raise RenderingError('install libegl1')

    monkeypatch.setattr('enpire_nodes.drivers.simulated.episodes.Renderer', blind)
    monkeypatch.setattr('enpire_nodes.drivers.simulated.resets.SimulatedStation', blind)
    fresh = FILES()
    for do in (lambda: fresh.make(Case('lying', 7)), lambda: fresh.reset('hole', 1)):
        with pytest.raises(StationError, match='libegl1'):
            do()
    fresh.close()


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

    monkeypatch.setattr(bench, '_setup', replace(bench._setup, task=Bare()))
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
