"""Training beside the trials, with a ``train.py`` that does what the test says."""

import json
import tempfile

import pytest

from enpire_nodes.evolution.researcher import training
from enpire_nodes.evolution.researcher.training import Trainer

TRAINS = """
import json, pathlib
local = pathlib.Path('.enpire')
made = local / 'checkpoints' / 'current.safetensors'
made.parent.mkdir()
seen = [json.loads((local / 'workspace.json').read_text()), (local / 'replay' / 'a').read_text()]
made.write_text(json.dumps(seen))
"""
FAILS = "raise SystemExit('no demonstration fits')"
HANGS = 'import time; time.sleep(600)'


class Bench:
    """A trainer, its workspace, and what it tells and hands in."""

    def __init__(self, folder):
        self.local, self.script = folder / 'workspace', TRAINS
        (self.local / 'replay').mkdir(parents=True)
        (self.local / 'replay' / 'a').write_text('demonstration')
        (self.local / 'workspace.json').write_text(json.dumps('settings'))
        self.said, self.stored = [], []
        self.trainer = Trainer(self.files, self.local, self.store, self.said.append)

    def files(self, commit):
        return {'train.py': self.script}

    def store(self, content):
        self.stored.append(content)
        return f'sha-{len(self.stored)}'


@pytest.fixture
def bench(tmp_path, monkeypatch):
    (tmp_path / 'temporary').mkdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
    made = Bench(tmp_path)
    yield made
    made.trainer.close()
    assert list((tmp_path / 'temporary').iterdir()) == []


def test_weights_are_made_of_the_workspace_and_handed_in_once(bench):
    assert not bench.trainer.ready('c1')
    assert bench.trainer.busy
    bench.trainer.wait(40.0)
    assert not bench.trainer.busy
    assert json.loads(bench.stored[0]) == ['settings', 'demonstration']
    assert bench.trainer.ready('c1')
    assert bench.trainer.weights == {'c1': 'sha-1'}
    assert bench.said == []


def test_a_failure_is_told_and_not_repeated(bench):
    bench.script = FAILS
    bench.trainer.start('c1')
    bench.trainer.wait(40.0)
    assert bench.said == ['training c1 failed (exit code 1): no demonstration fits']
    assert not bench.trainer.ready('c1')
    assert not bench.trainer.busy
    assert bench.stored == []


def test_one_that_makes_no_weights_has_failed(bench):
    bench.script = ''
    bench.trainer.start('c1')
    bench.trainer.wait(40.0)
    assert bench.said == ['training c1 failed (exit code 0)']


def test_one_that_does_not_end_is_ended(bench, monkeypatch):
    bench.script = HANGS
    bench.trainer.start('c1')
    bench.trainer.wait(0.0)
    assert bench.trainer.busy
    monkeypatch.setattr(training, '_DEADLINE', 0.0)
    bench.trainer.wait(0.0)
    assert not bench.trainer.busy
    assert 'exit code -9' in bench.said[0]


def test_one_at_a_time(bench):
    bench.script = HANGS
    bench.trainer.start('c1')
    assert not bench.trainer.ready('c2')
    bench.trainer.close()
    assert bench.trainer.weights == {}


@pytest.mark.parametrize('name', ['workspace.json', 'replay/a'])
def test_nothing_to_train_on_is_no_crash(tmp_path, bench, name):
    empty = tmp_path / 'empty'
    (empty / 'replay').mkdir(parents=True)
    (empty / name).touch()
    trainer = Trainer(bench.files, empty, bench.store, bench.said.append)
    assert not trainer.usable
    assert not trainer.ready('c1')
    assert not trainer.busy
