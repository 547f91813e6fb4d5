"""`enpire environment fit` on made-up evidence and a made-up bench."""

import argparse
from contextlib import contextmanager
import json
from types import SimpleNamespace

import numpy as np
import pytest
from stick_evidence import CROPS, episode

from enpire_nodes.cli import environment_fit as module
from enpire_nodes.cli.environment_work import HELD_OUT
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import save
from enpire_nodes.environment.learned.weights import load_eyes, read_weights
from enpire_nodes.rollout.labelled import Labels


class StickBench:
    """Makes sticks instead of rendering a station."""

    task = SimpleNamespace(name='pin_insertion')

    kinds = {'in': True, 'out': False}
    made: list = []

    def __init__(self, *files):
        self.files = files

    def __call__(self):
        return self

    def crops(self):
        return CROPS

    def make(self, case):
        self.made.append(case)
        return episode(case.seed, label=self.kinds[case.kind], kind=case.kind), 0

    def close(self):
        pass


@pytest.fixture
def fit(monkeypatch, tmp_path):
    """Run the command; return its exit code and the weights."""
    monkeypatch.setattr(module, 'BenchFiles', StickBench)
    monkeypatch.setattr(StickBench, 'made', [])
    whole = module.fit
    monkeypatch.setattr(module, 'fit', lambda *given, **named: whole(*given, steps=5, **named))
    monkeypatch.chdir(tmp_path)

    def run(*argv):
        parser = argparse.ArgumentParser()
        module.add_parser(parser.add_subparsers())
        args = parser.parse_args(['fit', 'pin_insertion', '--workers', '0', *map(str, argv)])
        return args.run(args)

    return run


def test_it_fits_on_simulated_episodes_and_says_what_that_is_worth(fit, tmp_path, capsys):
    assert fit('--episodes', 80, '--seed', 7) == 0
    path = tmp_path / 'environment' / 'pin_insertion' / 'weights.npz'
    assert set(load_eyes(path, task='pin_insertion', crops=CROPS)) == {'side', 'front'}
    assert [case.seed for case in StickBench.made] == list(range(7, 87))
    said = capsys.readouterr().out
    for words in ('80 episodes, of which 40 are successes', 'held-out', 'sha256', '--weights'):
        assert words in said
    failures = read_weights(path).eyes['side'].held_out['failures']
    assert 5 < failures < 15
    assert f'side: {failures} held-out failures cannot show that fewer than 5%' in said


def test_it_learns_from_a_folder_of_evidence(fit, tmp_path):
    for seed in range(60):
        save(episode(seed, label=seed % 2 == 0), tmp_path / 'seen' / f'{seed}.npz')
    output = tmp_path / 'mine.npz'
    assert fit('--episodes', 0, '--evidence', tmp_path / 'seen', '--output', output) == 0
    assert StickBench.made == []
    counts = read_weights(output).about['episodes']
    assert sum(part['successes'] for part in counts.values()) == 30
    json.dumps(counts)


@pytest.mark.parametrize(
    ('argv', 'code', 'words'),
    [
        (['--episodes', 8], ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, '4 successes'),
        (['--episodes', 0], ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, '0 successes'),
        (
            ['--episodes', 0, '--evidence', 'nowhere'],
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            'no evidence in nowhere',
        ),
        (
            ['--episodes', 80, '--seed', HELD_OUT - 40],
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            'must not be learned',
        ),
    ],
)
def test_what_cannot_be_learned_from_is_refused(fit, argv, code, words):
    with pytest.raises(StationError, match=words) as caught:
        fit(*argv)
    assert caught.value.code is code


@pytest.fixture
def run_with_labels(monkeypatch):
    """Let every run have nine labelled attempts; return which were opened, and their labels."""
    opened, labels = [], [seed % 3 == 0 for seed in range(9)]

    @contextmanager
    def open_ledger(path):
        opened.append(path.resolve())
        yield 'ledger'

    def attempts(ledger):
        assert ledger == 'ledger'
        return [(f't{seed}', None, label) for seed, label in enumerate(labels)]

    def evidence(ledger, task):
        assert (ledger, task) == ('ledger', StickBench.task)
        return (episode(1000 + seed, label=label) for seed, label in enumerate(labels))

    monkeypatch.setattr(module, 'LedgerReader', open_ledger)
    monkeypatch.setattr(module, 'labelled_attempts', attempts)
    monkeypatch.setattr(module, 'labelled_evidence', evidence)
    monkeypatch.setattr(
        module,
        'labels_of',
        lambda run: Labels({}, ('t1 attempt 1: Ada and Bo',), ('t2 attempt 1: Ada',)),
    )
    return opened, labels


@pytest.mark.parametrize('argv', [(), ('--run', 'mine')])
def test_the_labelled_attempts_of_a_run_are_learned_from_too(
    fit, tmp_path, run_with_labels, argv, capsys
):
    run = tmp_path / (argv[1] if argv else 'environment/pin_insertion/run')
    run.mkdir(parents=True)
    assert fit('--episodes', 60, '--output', tmp_path / 'eyes.npz', *argv) == 0
    assert set(run_with_labels[0]) == {run}
    counts = read_weights(tmp_path / 'eyes.npz').about['episodes'].values()
    assert sum(part['successes'] for part in counts) == 33
    assert sum(part['failures'] for part in counts) == 36
    said = capsys.readouterr().out
    assert 't1 attempt 1: Ada and Bo: left out until they agree' in said
    assert 't2 attempt 1: Ada: the person counts' in said


def test_labels_of_one_class_are_refused_before_anything_is_read(
    fit, monkeypatch, run_with_labels
):
    run_with_labels[1][:] = [False] * 9
    monkeypatch.setattr(module, 'labelled_evidence', None)
    with pytest.raises(StationError, match='all 9 episodes are failures') as caught:
        fit('--run', 'mine', '--episodes', 0)
    assert caught.value.code is ErrorCode.ENVIRONMENT_ONE_CLASS


def test_an_eye_whose_bound_is_shown_is_not_doubted():
    def eye(bound):
        return SimpleNamespace(held_out={'failures': 80, 'false_positive_bound': bound})

    made = SimpleNamespace(about={'bound': 0.05}, eyes={'side': eye(0.037), 'front': eye(0.058)})
    assert [line.split(':')[0] for line in module.doubts(made)] == ['front']


def test_a_run_that_is_named_must_be_there(fit):
    with pytest.raises(StationError, match='nowhere'):
        fit('--run', 'nowhere', '--episodes', 80)


def test_unlabelled_evidence_is_refused(fit, tmp_path):
    for seed in range(50):
        label = None if seed == 9 else seed % 2 == 0
        save(episode(seed, label=label, success=seed % 2 == 0), tmp_path / f'{seed}.npz')
    with pytest.raises(StationError, match=r'1 of 50 .*made-up 9') as caught:
        fit('--episodes', 0, '--evidence', tmp_path)
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED


def test_weights_that_could_not_be_written_are_an_error_before_the_work(fit, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(StationError, match='cannot write') as caught:
        fit('--episodes', 60, '--output', tmp_path / 'file' / 'weights.npz')
    assert caught.value.code is ErrorCode.REWARD_INTERNAL
    assert StickBench.made == []


@pytest.mark.parametrize('argv', [('--workers', -1), ('--episodes', -3), ('--seed', 'x')])
def test_numbers_that_count_nothing_are_refused(fit, argv, capsys):
    with pytest.raises(SystemExit):
        fit(*argv)
    assert 'positive whole number' in capsys.readouterr().err


def test_a_worker_keeps_the_newest_crops_alone():
    from enpire_nodes.environment.acceptance.judged import Case

    bench = StickBench()
    kept = module.crop_case(bench, Case('in', 4), crops=CROPS)
    expected = CROPS['side'](bench.make(Case('in', 4))[0].frames['side'][0].image)
    assert np.array_equal(kept.crops['side'][0], expected)
    assert kept.label is True
