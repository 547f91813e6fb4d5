"""Policies as a researcher (or a careless agent) would write them, and workers that run them."""

import textwrap

import numpy as np
import pytest

from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec

PREAMBLE = """
import os, sys, time
import numpy as np


class Policy:
    def __init__(self, checkpoint):
        self.checkpoint, self.count = checkpoint, 0

    def reset(self, context):
        self.context, self.count = context, 0

    def step(self, features):
        self.count += 1
        return self.act(features)
"""


@pytest.fixture
def write_policy(tmp_path):
    """Write a policy file whose ``act(self, features)`` has the given body."""

    def write(act, *, extra=''):
        body = textwrap.indent(textwrap.dedent(act).strip(), ' ' * 8)
        more = textwrap.indent(textwrap.dedent(extra).strip(), ' ' * 4)
        path = tmp_path / 'policy' / 'policy.py'
        path.parent.mkdir(exist_ok=True)
        text = f'{PREAMBLE}\n    def act(self, features):\n{body}\n\n{more}\n'
        path.write_text(text, encoding='utf-8')
        return path

    return write


@pytest.fixture
def make_worker(tmp_path, write_policy):
    """Make workers (not started) of policies with the given ``act``; they end with the test."""
    made = []

    def make(act, *, extra='', **options):
        settings = {'policy': str(write_policy(act, extra=extra))}
        spec = WorkerSpec('learned', tmp_path / 'worker.log', settings, **options)
        made.append(PolicyWorker(spec))
        return made[-1]

    yield make
    for worker in made:
        worker.stop()


@pytest.fixture
def features():
    return {
        'tcp': np.array([0.001, -0.002, 0.08]),
        'target': np.array([0.001, -0.002, 0.08]),
        'force': np.zeros(3),
        'tip_valid': np.ones(1),
    }
