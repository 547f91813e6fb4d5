"""A workbench without a simulator, whose judge calls bright pictures a success."""

from __future__ import annotations

from dataclasses import dataclass
import os
import time

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Frame
from enpire_nodes.environment.acceptance.judged import ResetTried
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.api import Judgement, Outcome, Vote

KINDS = {'inserted': True, 'on_rim': False, 'tilted': False}


class BrightnessJudge:
    """Calls bright pictures a success."""

    def __init__(self):
        self._bright = 0.0

    def add_frame(self, name, frame):
        self._bright = float(frame.image.mean())

    def add_arm_state(self, state):
        pass

    def ready(self, **window):
        return True

    def decide(self, **window):
        outcome = Outcome.SUCCESS if self._bright > 100 else Outcome.FAILURE
        vote = Vote('camera/side', outcome, 1.0, 1, 0.0, f'{self._bright:.0f}')
        return Judgement(outcome, 1.0, (vote,), 0.0, ErrorCode.NONE, '')


def evidence(kind, seed):
    bright = 200 if KINDS[kind] or seed == 13 else 20  # seed 13 fools it
    image = np.full((4, 4, 3), bright, np.uint8)
    return Evidence(
        {'side': (Frame(1.0, image),)}, (), 0.0, 1.0, 1.1, f'made {kind} {seed}', kind,
        KINDS[kind],
    )  # fmt: skip


class Bench:
    """Makes evidence without a simulator."""

    def make(self, case):
        if case.kind == 'broken':
            raise StationError(ErrorCode.ENVIRONMENT_UNLABELLED, f'process {os.getpid()}')
        return evidence(case.kind, case.seed), case.seed % 3

    def verifier(self):
        return BrightnessJudge()

    def reset(self, placement, seed):
        return ResetTried(placement, seed, seed > 0, 4.0, message=str(os.getpid()))

    def close(self):
        self.closed = True


@dataclass(frozen=True)
class Opener:
    def __call__(self):
        return Bench()


def threads(bench, job):
    """Say how many threads a worker may use; what :func:`measure` can be asked to do."""
    return os.environ.get('OPENBLAS_NUM_THREADS'), os.environ.get('OMP_NUM_THREADS')


@dataclass(frozen=True)
class BrokenOpener:
    def __call__(self):
        raise StationError(ErrorCode.REWARD_INTERNAL, 'nothing can draw here')


def die(bench, job):
    """Let a worker vanish as one does for which there is no memory."""
    os._exit(9)


def hang(bench, job):
    """Let a worker hang, for longer than any test may take."""
    time.sleep(600.0)
