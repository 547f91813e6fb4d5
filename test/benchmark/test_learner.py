"""Measuring learners: in processes of their own, and what happens when one cannot learn."""

import os
import sys

import pytest
import torch

from enpire_nodes.benchmark.learner import compare, LearnerFailedError, LearnerProcess, ours


def test_our_learner_makes_as_many_updates_as_asked(monkeypatch):
    counted = []
    monkeypatch.setattr(
        'enpire_nodes.improvement.fast.sac_step.sac_step', lambda *parts: counted.append(parts)
    )

    threads = torch.get_num_threads()
    try:
        ours(16, translate=False)(7)
    finally:
        torch.set_num_threads(threads)

    assert len(counted) == 7
    _, batch, noise, _ = counted[0]
    assert batch.observation.shape == (256, 24)
    assert noise.shape == (2, 256, 3)


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
