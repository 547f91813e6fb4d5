"""Judged episodes that never were, for tests of the acceptance."""

from __future__ import annotations

from enpire_nodes.environment.acceptance.judged import Case, Judged, ResetTried
from enpire_nodes.tasks.api import Outcome, Vote

SAID = {'S': Outcome.SUCCESS, 'F': Outcome.FAILURE, 'U': Outcome.UNCERTAIN}


def vote(source, said):
    return Vote(source, SAID[said], 0.5, 3, 0.05, f'says {said}')


def episode(kind, said, *, label=None, side='F', front='F', force='F', seed=0, seconds=0.01):
    """Return one whose verdict is ``said`` (S, F or U)."""
    return Judged(
        case=Case(kind, seed),
        source=f'simulated {kind} {seed}',
        kind=kind,
        label=kind == 'inserted' if label is None else label,
        outcome=SAID[said],
        votes=(vote('camera/side', side), vote('camera/front', front), vote('force', force)),
        redraws=seed % 2,
        seconds=seconds,
    )


def good(count=2000):
    """Return episodes that a perfect judge has judged."""
    made = []
    for index in range(count // 2):
        made.append(episode('inserted', 'S', side='S', front='S', force='S', seed=2 * index))
        kind = ('on_rim', 'tilted')[index % 2]
        made.append(episode(kind, 'F', side='SF'[index % 2], seed=2 * index + 1))
    return made


def resets(count=100, *, failed=0):
    return [
        ResetTried(
            ('hole', 'lying')[index % 2],
            index,
            index >= failed,
            10.0 + index % 3,
            message='' if index >= failed else 'the pin is lost',
        )
        for index in range(count)
    ]
