"""The research workspace's modules, which have short names, kept apart from all others."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import enpire_nodes.improvement

FOLDER = Path(enpire_nodes.improvement.__file__).parent / 'template'
SIZE = 7


def _taken():
    """Take out every module that has the name of one of the template, and what is below it."""
    own = {path.stem for path in FOLDER.iterdir()}
    names = [name for name in sys.modules if name.partition('.')[0] in own]
    return {name: sys.modules.pop(name) for name in names}


@pytest.fixture
def workspace(monkeypatch):
    """Import the modules of the template by name, as if the tests ran in its folder."""
    threads = torch.get_num_threads()
    monkeypatch.syspath_prepend(str(FOLDER))
    hidden = _taken()
    names = ('recipe', 'networks', 'replay', 'learner', 'data', 'policy', 'algorithms')
    yield SimpleNamespace(**{name: import_module(name) for name in names})
    _taken()
    sys.modules.update(hidden)
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.fixture
def recipe(workspace):
    """Make a small recipe; arguments are settings of its training."""

    def make(algorithm='bc_rl', **training):
        whole = workspace.recipe.Recipe(algorithm=algorithm)
        small = {
            'batch_size': 32, 'hidden': 16, 'bc_updates': 4, 'warm_up_updates': 2,
            'compiled': False,
        }  # fmt: skip
        return replace(whole, training=replace(whole.training, **{**small, **training}))

    return make


@pytest.fixture
def transitions(workspace):
    """Make random transitions."""

    def make(count, seed=0, reward=None):
        rng = np.random.default_rng(seed)

        def normal(*shape):
            return rng.normal(size=shape).astype(np.float32)

        nothing = np.zeros((count, 0, 0, 0, 3), np.uint8)
        return workspace.data.Transitions(
            observation=normal(count, SIZE),
            action=rng.uniform(-1.0, 1.0, (count, 3)).astype(np.float32),
            reward=normal(count) if reward is None else np.full(count, reward, np.float32),
            following=normal(count, SIZE),
            discount=np.full(count, 0.97, np.float32),
            image=nothing,
            following_image=nothing,
        )

    return make


@pytest.fixture
def learner(workspace, recipe, transitions):
    """Make a learner that has begun, with demonstrations and trials of its own."""

    def make(*arguments, owed=20.0, **training):
        made = workspace.learner.Learner(recipe(*arguments, **training))
        made.shown.add(transitions(100, seed=1))
        made.own.add(transitions(60, seed=2))
        made.begin()
        made.owed = owed
        return made

    return make
