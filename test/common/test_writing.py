"""Files that a crash cannot tear."""

import json
import os

import pytest

from enpire_nodes.common.writing import write_atomically, write_json


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
