"""Measuring learners: in processes of their own, and what happens when one cannot learn."""

import os
import subprocess
import sys

import pytest

from enpire_nodes.benchmark.learner import compare, LearnerFailedError, LearnerProcess


def test_our_learner_makes_as_many_updates_as_asked():
    # In a process of its own, as it is measured: the workspace's modules have short names.
    program = (
        'from enpire_nodes.benchmark.learner import ours\n'
        'train = ours(16, compiled=False)\n'
        'from algorithms.rlpd import Rlpd\n'
        'batches, update = [], Rlpd.update\n'
        'Rlpd.update = lambda self, batch: batches.append(batch) or update(self, batch)\n'
        'train(7)\n'
        'learner = train.__closure__[0].cell_contents\n'
        'assert learner.updates == int(learner.algorithm.updates) == len(batches) == 7\n'
        'assert batches[0].observation.shape == (256, 24), batches[0].observation.shape\n'
        'assert not batches[0].reward.equal(batches[1].reward)\n'
        'optimizers = learner.algorithm.actor_optimizer, learner.algorithm.critic_optimizer\n'
        'assert [int(one.adams[0].count) for one in optimizers] == [7, 7]\n'
        'assert not learner.algorithm.actor.body.layer_norm\n'
    )
    subprocess.run([sys.executable, '-c', program], check=True, timeout=50)


def test_learners_take_turns(tmp_path):
    turns = tmp_path / 'turns'
    pythons = {}
    for name, rate in (('sb3', 100), ('sbx', 300)):
        python = tmp_path / name
        python.write_text(
            f'#!/bin/sh\necho 0.5\nwhile read seconds; do\n'
            f'  echo "$3 $4 $seconds" >> {turns}\n  echo {rate}\ndone\n'
        )
        python.chmod(0o755)
        pythons[name] = str(python)

    result = compare(pythons, 128, sorted(os.sched_getaffinity(0))[:1], rounds=2, seconds=0.1)

    assert turns.read_text().splitlines() == ['sb3 128 0.1', 'sbx 128 0.1'] * 2
    assert (result['width'], result['threads'], result['batch']) == (128, 1, 256)
    assert result['learners']['sbx'] == {
        'rates': [300.0, 300.0],
        'median': 300.0,
        'startup': 0.5,
    }


def test_learner_that_is_not_installed_is_named(tmp_path):
    (tmp_path / 'stable_baselines3.py').write_text('raise ImportError("not here")')
    python = tmp_path / 'python'
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path}:$PYTHONPATH exec {sys.executable} "$@"\n')
    python.chmod(0o755)

    with pytest.raises(LearnerFailedError, match='sb3 ended without an answer'):
        LearnerProcess('sb3', str(python), 16, sorted(os.sched_getaffinity(0))[:1]).__enter__()


def test_learner_that_falls_silent_is_given_up(tmp_path):
    python = tmp_path / 'python'
    python.write_text('#!/bin/sh\nexec sleep 60\n')
    python.chmod(0o755)

    silent = LearnerProcess(
        'enpire', str(python), 16, sorted(os.sched_getaffinity(0))[:1], ready_within=0.2
    )
    with pytest.raises(LearnerFailedError, match=r'no answer in 0\.2 s'):
        silent.__enter__()
    assert silent._process.returncode is not None
