"""What eyes have learned from must not show what they are worth: it is on record, and refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.learned.dataset import Episode

_SHORT = 16  # hex digits of a digest: as many as tell pictures apart


def learned_from(episodes: Iterable[Episode]) -> dict[str, list[str]]:
    """Return what is on record of episodes that a fit has seen, also to validate or calibrate.

    :return: names of trials (or kinds with seeds), and digests of pictures, shortened.
    """
    kept = list(episodes)
    return {
        'trials': sorted({episode.trial for episode in kept}),
        'pictures': sorted({episode.digest[:_SHORT] for episode in kept}),
    }


def require_held_out(
    about: Mapping[str, Any], recorded: Mapping[Any, Episode], simulated: Iterable[str]
) -> None:
    """Refuse to measure eyes on what they have learned from.

    Another attempt of a trial counts as learned: it shows the same scene.

    :param about: of the eyes' weights.
    :param recorded: episodes that shall be measured on, by what they are called in an error.
    :param simulated: sources of those that will be made.
    :raises StationError: ENVIRONMENT_NOT_ACCEPTED naming what overlaps, or
        ENVIRONMENT_WEIGHTS_UNUSABLE when the weights do not say what they learned from.
    """
    learned = about.get('learned')
    if learned is None:
        raise StationError(
            ErrorCode.ENVIRONMENT_WEIGHTS_UNUSABLE,
            'the weights do not say what they learned from; run `enpire environment fit` again',
        )
    trials, pictures = set(learned['trials']), set(learned['pictures'])
    both = [
        f'{name} ({episode.source})'
        for name, episode in recorded.items()
        if episode.trial in trials or episode.digest[:_SHORT] in pictures
    ]
    both += [source for source in simulated if source in trials]
    if both:
        raise StationError(
            ErrorCode.ENVIRONMENT_NOT_ACCEPTED,
            f'{len(both)} episodes were learned from, for example {both[0]}: what was learned '
            'must not be measured; keep trials apart for measuring, or take another --seed',
        )
