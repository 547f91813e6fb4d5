"""A real learner that is killed, told to stop, and left without room on the disk."""

import json
import os
import signal
import subprocess
import sys
import time

from improvement_support import shown_trial
import pytest
import yaml

pytest.importorskip('torch')

from enpire_nodes.improvement.checkpoints import CheckpointStore, describe_weights
from enpire_nodes.improvement.replay_store import ReplayStore
from enpire_nodes.improvement.workspace import Workspace

pytestmark = pytest.mark.slow
DEADLINE = 50.0  # s
TINY = {
    'training.hidden': 8,
    'training.compiled': False,
    'training.layers': 1,
    'training.batch_size': 8,
    'training.bc_updates': 50,
    'training.warm_up_updates': 20,
    'keeping.save_every': 1.0,
    'keeping.publish_every': 1.0,
    'keeping.minimum_free_mb': 0.0,
}


@pytest.fixture
def workspace(tmp_path):
    """Return a workspace with three demonstrations and a tiny recipe."""
    workspace = Workspace.create(
        tmp_path / 'mine', task='pin_insertion', runs=[], station='/station_1'
    )
    change(workspace, **TINY)
    store = ReplayStore(workspace.replay)
    for number in range(3):
        store.add(shown_trial(f'shown_{number}', seed=number))
    return workspace


def change(workspace, **values):
    recipe = yaml.safe_load(workspace.recipe.read_text('utf-8'))
    for dotted, value in values.items():
        section, _, key = dotted.partition('.')
        recipe[section][key] = value
    workspace.recipe.write_text(yaml.safe_dump(recipe), 'utf-8')


@pytest.fixture
def learn(workspace):
    """Start learners in the workspace; they end with the test."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, 'train.py', *words],
            cwd=workspace.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=DEADLINE)


def wait_for(condition, process):
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pointer(workspace):
    path = workspace.checkpoints / 'learner.json'
    return json.loads(path.read_text('utf-8')) if path.is_file() else {}


def ended(process):
    output, _ = process.communicate(timeout=DEADLINE)
    return process.returncode, output


@pytest.mark.timeout(120)
def test_a_learner_that_is_killed_goes_on_where_it_was(workspace, learn):
    first = learn('--follow')
    wait_for(lambda: pointer(workspace).get('updates', 0) >= 70, first)
    first.kill()
    assert ended(first)[0] == -signal.SIGKILL
    before = pointer(workspace)
    assert before['trials'] == 3
    store = ReplayStore(workspace.replay)
    store.add(shown_trial('own', controller='learned', seed=9))  # 10 actions of 3 periods

    second = learn('--follow')
    wait_for(lambda: pointer(workspace)['trials'] == 4, second)
    second.send_signal(signal.SIGTERM)
    code, output = ended(second)
    assert code == 0, output
    assert f'going on from {before["updates"]} updates' in output
    after = pointer(workspace)
    assert after['updates'] > before['updates'], 'the new trial was learned from'
    assert store.ids() == ['shown_0', 'shown_1', 'shown_2', 'own']
    assert CheckpointStore(workspace.checkpoints).newest_state() is not None
    about = describe_weights(workspace.current)
    assert (about['updates'], about['trials']) == (after['updates'], 4)
    assert not list(workspace.checkpoints.glob('.*.tmp'))


@pytest.mark.timeout(120)
def test_a_disk_without_room_stops_no_learner(workspace, learn):
    store = CheckpointStore(workspace.checkpoints, minimum_free=0.0)
    store.save_state(b'what was there', {'updates': 3})
    names = sorted(path.name for path in workspace.checkpoints.iterdir())
    change(workspace, **{'keeping.minimum_free_mb': 1e6})
    free = os.statvfs(workspace.path)
    if free.f_bavail * free.f_frsize > 1e12:
        pytest.skip('this disk has a terabyte of room')
    code, output = ended(learn('--fresh'))
    assert code == 0, output
    assert f'a checkpoint is not written: {workspace.checkpoints} has' in output
    assert 'nothing was written' in output
    assert '70 updates' in output, 'it learned all the same'
    assert sorted(path.name for path in workspace.checkpoints.iterdir()) == names
    assert store.newest_state() == (b'what was there', {'updates': 3})
