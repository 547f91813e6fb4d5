"""Names within a run, and files that a crash cannot tear."""

import json
import os

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.run_directory import RunDirectory, write_atomically, write_json


def test_the_layout_is_the_documented_one(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.ledger == tmp_path / 'ledger.sqlite'
    assert run.bag('t1') == tmp_path / 'trials' / 't1' / 'bag'
    assert run.trial_json('t1') == tmp_path / 'trials' / 't1' / 'trial.json'
    assert run.relative(run.bag('t1')) == 'trials/t1/bag'


@pytest.mark.parametrize('name', ['', '..', '../x', 'a/b', '.hidden', 'x' * 200, 'a\nb'])
def test_a_trial_id_cannot_leave_the_run(tmp_path, name):
    with pytest.raises(StationError) as caught:
        RunDirectory(tmp_path).trial(name)
    assert caught.value.code is ErrorCode.RUNNER_BAD_REQUEST


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / 'trial.json'
    write_json(path, {'a': 1})

    def fail(descriptor):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', fail)
    with pytest.raises(OSError, match='No space'):
        write_atomically(path, b'new')
    assert json.loads(path.read_text()) == {'a': 1}
    assert [item.name for item in tmp_path.iterdir()] == ['trial.json']


def test_nan_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / 'trial.json', {'a': float('nan')})
    assert not list(tmp_path.iterdir())
