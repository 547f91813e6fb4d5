"""``enpire dataset`` as a person sees it."""

import argparse

from lerobot_support import assert_same, made_attempt, made_trial
import pytest

from enpire_nodes.cli import dataset
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.replay_store import ReplayStore


@pytest.fixture
def enpire(capsys):
    """Run a command line; return exit code, standard output and standard error."""

    def call(*arguments):
        parser = argparse.ArgumentParser()
        dataset.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(['dataset', *map(str, arguments)])
        code = parsed.run(parsed)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def store(tmp_path):
    kept = ReplayStore(tmp_path / 'store')
    for number in range(3):
        kept.add(made_trial(f't{number}', [made_attempt(1, 4, seed=number, cameras=['left'])]))
    return kept


def test_a_store_goes_out_and_comes_back(enpire, store, tmp_path):
    code, out, err = enpire('export', store.directory, tmp_path / 'out', '--name', 'insert it')
    assert (code, err) == (0, '')
    assert '3 trials, 3 episodes, 12 frames' in out
    code, out, err = enpire('import', tmp_path / 'out', tmp_path / 'again')
    assert (code, err) == (0, '')
    assert '3 trials, 3 attempts, 12 steps' in out
    again = ReplayStore(tmp_path / 'again')
    for one, other in zip(again, store, strict=True):
        assert_same(one, other)


def test_pictures_can_be_left_out(enpire, store, tmp_path):
    assert enpire('export', store.directory, tmp_path / 'out', '--no-pictures')[0] == 0
    enpire('import', tmp_path / 'out', tmp_path / 'again')
    assert all(not t.attempts[0].images for t in ReplayStore(tmp_path / 'again'))


def test_an_unreadable_trial_is_told_and_the_others_go_out(enpire, store, tmp_path):
    (store.directory / 't1.npz').write_bytes(b'torn')
    code, out, err = enpire('export', store.directory, tmp_path / 'out')
    assert code == 1
    assert '2 trials, 2 episodes' in out
    assert 't1.npz' in err
    assert '1 trials could not be read' in err


def test_a_run_is_read_trial_by_trial(enpire, tmp_path, monkeypatch):
    for name in ('t0', 't1', 't2'):
        (tmp_path / 'run/trials' / name).mkdir(parents=True)

    def read(directory):
        if directory.name == 't1':
            raise StationError(ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE, f'{directory} has no bag')
        return made_trial(directory.name)

    monkeypatch.setattr(dataset, 'recorded_trial', read)
    code, out, err = enpire('export', tmp_path / 'run', tmp_path / 'out')
    assert code == 1
    assert '2 trials' in out
    assert 'has no bag' in err


def test_an_error_that_is_not_of_one_trial_ends_it(enpire, tmp_path, monkeypatch):
    (tmp_path / 'run/trials/t0').mkdir(parents=True)

    def read(directory):
        raise StationError(ErrorCode.RUNNER_INTERNAL, 'something else')

    monkeypatch.setattr(dataset, 'recorded_trial', read)
    code, _, err = enpire('export', tmp_path / 'run', tmp_path / 'out')
    assert code == 1
    assert 'something else' in err
    assert not (tmp_path / 'out').exists()


def test_a_folder_without_trials_is_refused(enpire, tmp_path):
    code, _, err = enpire('export', tmp_path, tmp_path / 'out')
    assert code == 1
    assert 'IMPROVEMENT_DATA_MISSING' in err


def test_nothing_is_overwritten(enpire, store, tmp_path):
    (tmp_path / 'out').mkdir()
    code, _, err = enpire('export', store.directory, tmp_path / 'out')
    assert code == 1
    assert 'not overwritten' in err


def test_what_is_assumed_of_a_foreign_dataset_is_said(enpire, store, tmp_path):
    enpire('export', store.directory, tmp_path / 'out')
    (tmp_path / 'out/meta/enpire.json').unlink()
    code, out, _ = enpire('import', tmp_path / 'out', tmp_path / 'again')
    assert code == 0
    assert 'note: actions are taken as displacements' in out


def test_a_full_disk_on_import_is_told(enpire, store, tmp_path, monkeypatch):
    enpire('export', store.directory, tmp_path / 'out')

    def full(self, trial):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(ReplayStore, 'add', full)
    code, _, err = enpire('import', tmp_path / 'out', tmp_path / 'again')
    assert code == 1
    assert 'No space left' in err


def test_what_is_no_dataset_is_refused(enpire, tmp_path):
    code, _, err = enpire('import', tmp_path, tmp_path / 'again')
    assert code == 1
    assert 'no LeRobot dataset' in err
    assert not (tmp_path / 'again').exists()
