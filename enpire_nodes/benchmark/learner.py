"""How many updates of soft actor-critic a second: ours, and those of two libraries beside it.

Each learner has a process of its own, with the interpreter in which it is installed, and the same
processors. They learn one after the other in short turns, so that whatever else the computer does
meets all of them alike. One update is one of the critics, the actor, the temperature and the
targets, on a fresh batch: ``train(gradient_steps=n)`` in stable-baselines3 and in sbx.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
import json
import os
from pathlib import Path
import select
from statistics import median
import subprocess
import sys
import time
from typing import Any

OBSERVATIONS, ACTIONS, BATCH, TRANSITIONS = 24, 3, 256, 10_000
#: Updates that are asked for at once.
CHUNK = 100
_ROOT = Path(__file__).parents[2]
#: The research workspace as labs get it: what is measured is what `enpire train` runs.
WORKSPACE = _ROOT / 'enpire_nodes' / 'improvement' / 'template'


class LearnerFailedError(RuntimeError):
    """The process of a learner ended, fell silent, or could not import what it needs."""


class LearnerProcess:
    """One learner, ready to learn for a while.

    :param name: ``enpire``, ``enpire_bfloat16``, ``sb3`` or ``sbx``.
    :param python: interpreter that can import it.
    :param width: of the two hidden layers of each network.
    :param processors: on which it may run; it gets as many threads.
    :param ready_within: s until it has made its first updates, translation included.
    :raises LearnerFailedError: on entering, it cannot learn.
    """

    def __init__(
        self,
        name: str,
        python: str,
        width: int,
        processors: Sequence[int],
        *,
        ready_within: float = 180.0,
    ) -> None:
        self.name, self.startup, self._ready_within = name, 0.0, ready_within
        self._command = [python, '-m', __name__, name, str(width)]
        self._processors = set(processors)

    def __enter__(self) -> LearnerProcess:
        count = str(len(self._processors))
        threads = dict.fromkeys(('OMP_NUM_THREADS', 'MKL_NUM_THREADS'), count)
        processors = self._processors
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **threads, 'PYTHONPATH': str(_ROOT), 'JAX_PLATFORMS': 'cpu'},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        try:
            self.startup = self._answer(self._ready_within)
        except LearnerFailedError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def rate(self, seconds: float) -> float:
        """Learn for so long and return the updates per second.

        :raises LearnerFailedError: it ended, or took a minute longer.
        """
        try:
            self._process.stdin.write(f'{seconds}\n')
            self._process.stdin.flush()
        except OSError as error:
            raise LearnerFailedError(f'{self.name} has ended: {error}') from error
        return self._answer(seconds + 60.0)

    def _answer(self, timeout: float) -> float:
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        line = self._process.stdout.readline() if ready else ''
        if not line:
            what = 'ended without an answer' if ready else f'gave no answer in {timeout:g} s'
            raise LearnerFailedError(f'{self.name} {what}; its own words are above')
        return float(json.loads(line))


def compare(
    learners: Mapping[str, str],
    width: int,
    processors: Sequence[int],
    *,
    rounds: int = 3,
    seconds: float = 10.0,
) -> dict[str, Any]:
    """Measure learners turn by turn.

    :param learners: name of a learner -> interpreter that can import it.
    :param rounds: turns of each.
    :returns: the conditions and by learner ``rates`` (updates/s of each turn), their ``median``
        and ``startup`` (s until its first updates were made).
    :raises LearnerFailedError: one of them could not be measured.
    """
    running: list[LearnerProcess] = []
    try:
        for name, python in learners.items():
            running.append(LearnerProcess(name, python, width, processors).__enter__())
        turns = [{one.name: one.rate(seconds) for one in running} for _ in range(rounds)]
    finally:
        for one in running:
            one.__exit__()
    return {
        'width': width,
        'batch': BATCH,
        'threads': len(processors),
        'seconds': seconds,
        'load': os.getloadavg()[0],
        'learners': {
            one.name: {
                'rates': [turn[one.name] for turn in turns],
                'median': median(turn[one.name] for turn in turns),
                'startup': one.startup,
            }
            for one in running
        },
    }


def ours(width: int, *, bfloat16: bool = False, compiled: bool = True) -> Callable[[int], None]:
    """Return what makes so many updates as ``enpire train`` does, on random transitions.

    It is the learner of the research workspace with its RLPD. So that the work is the same as that
    of the libraries, nothing is layer-normalized and no noise is added to what is observed.
    """
    sys.path.insert(0, str(WORKSPACE))
    import numpy as np

    from algorithms.rlpd import Rlpd
    from data import Transitions
    from learner import Learner
    from networks import Actor
    from recipe import Observation, Recipe, Training

    class Plain(Rlpd):
        @staticmethod
        def make_actor(recipe: Recipe, inputs: int) -> Actor:
            return Actor(recipe, inputs, norm=False)

    training = Training(
        batch_size=BATCH,
        hidden=width,
        learning_rate=3e-4,
        bc_updates=0,
        warm_up_updates=0,
        discount=0.99,
        layer_norm=False,
        polyak=0.005,
        threads=len(os.sched_getaffinity(0)),
        compiled=compiled,
        bfloat16=bfloat16,
    )
    recipe = Recipe(algorithm='rlpd', observation=Observation(noise=0.0), training=training)
    random = np.random.default_rng(0)
    learner = Learner(recipe)
    none = np.zeros((TRANSITIONS, 0, 0, 0, 3), np.uint8)
    learner.own.add(
        Transitions(
            observation=random.normal(size=(TRANSITIONS, OBSERVATIONS)).astype(np.float32),
            action=random.uniform(-1.0, 1.0, (TRANSITIONS, ACTIONS)).astype(np.float32),
            reward=random.normal(size=TRANSITIONS).astype(np.float32),
            following=random.normal(size=(TRANSITIONS, OBSERVATIONS)).astype(np.float32),
            discount=np.full(TRANSITIONS, 0.99, np.float32),
            image=none,
            following_image=none,
        )
    )
    learner.algorithm = Plain(recipe, OBSERVATIONS).to(learner.device).train()

    def train(updates: int) -> None:
        learner.owed = float(updates)
        learner.work(updates)

    return train


def library(name: str, width: int) -> Callable[[int], None]:
    """Return what makes so many updates of ``sb3`` or ``sbx``, with their default settings."""
    import numpy as np
    import torch

    # By name, since they are no dependency of ours: they are only where they are measured.
    gymnasium = import_module('gymnasium')
    logger = import_module('stable_baselines3.common.logger')
    package = import_module('sbx' if name == 'sbx' else 'stable_baselines3')
    torch.set_num_threads(len(os.sched_getaffinity(0)))

    class Spaces(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (OBSERVATIONS,), np.float32)
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTIONS,), np.float32)

    settings = {} if name == 'sbx' else {'device': 'cpu'}
    model = package.SAC(
        'MlpPolicy',
        Spaces(),
        policy_kwargs={'net_arch': [width, width]},
        buffer_size=TRANSITIONS,
        batch_size=BATCH,
        **settings,
    )
    model.set_logger(logger.Logger(None, []))
    random = np.random.default_rng(0)
    for _ in range(TRANSITIONS):
        model.replay_buffer.add(
            random.normal(size=(1, OBSERVATIONS)),
            random.normal(size=(1, OBSERVATIONS)),
            random.uniform(-1.0, 1.0, size=(1, ACTIONS)),
            random.normal(size=1),
            np.zeros(1),
            [{}],
        )

    def train(updates: int) -> None:
        model.train(gradient_steps=updates, batch_size=BATCH)
        if name == 'sbx':
            policy = model.policy
            import_module('jax').block_until_ready(
                (policy.qf_state, policy.actor_state, model.ent_coef_state)
            )

    return train


def _serve(name: str, width: int) -> None:
    began = time.perf_counter()
    if name.startswith('enpire'):
        train = ours(width, bfloat16=name.endswith('bfloat16'))
    else:
        train = library(name, width)
    train(CHUNK)
    _tell(time.perf_counter() - began)
    for line in sys.stdin:
        began, updates = time.perf_counter(), 0
        while time.perf_counter() - began < float(line):
            train(CHUNK)
            updates += CHUNK
        _tell(updates / (time.perf_counter() - began))


def _tell(figure: float) -> None:
    sys.stdout.write(json.dumps(figure) + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    _serve(sys.argv[1], int(sys.argv[2]))
