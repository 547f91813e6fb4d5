"""From labelled evidence to crops: what is kept of each episode, and who may learn from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import hashlib

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.tasks.eye import Crop, WrongPictureError

_GOLDEN = (5.0**0.5 - 1.0) / 2.0  # multiples of it, modulo 1, cover every interval evenly
_ATTEMPT = ' attempt '  # in a source: what is before it names the trial
TRAINING, VALIDATION, CALIBRATION = range(3)
SHARES = (0.6, 0.15, 0.25)  # of the episodes, in that order
MINIMUM = 20  # episodes of each class
_RECORD = 'record (`enpire environment record`) and label'


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """What is kept of one piece of evidence.

    :param crops: by camera, (n, size, size, 3) uint8, oldest first; n may be 0.
    :param digest: sha256 over the crops.
    """

    label: bool | None
    kind: str
    source: str
    crops: Mapping[str, np.ndarray]
    digest: str

    @property
    def trial(self) -> str:
        """What it shares with other attempts of its trial, and with nothing else."""
        return self.source.partition(_ATTEMPT)[0] or self.digest


def collect(
    evidence: Iterable[Evidence | Episode],
    crops: Mapping[str, Crop],
    *,
    minimum: int = MINIMUM,
) -> tuple[Episode, ...]:
    """Keep the crops of labelled episodes, one episode at a time, and refuse what cannot teach.

    Evidence that comes twice is kept once: it could be on both sides of a split. With two labels
    it is refused.

    :param evidence: or what :func:`episode_of` has kept of it.
    :param crops: by camera.
    :param minimum: episodes that each class needs.
    :return: in an order that does not depend on that of the evidence.
    :raises StationError: ENVIRONMENT_UNLABELLED, ENVIRONMENT_ONE_CLASS,
        ENVIRONMENT_TOO_FEW_EPISODES or ENVIRONMENT_EVIDENCE_UNREADABLE, with what to do.
    """
    kept = [one if isinstance(one, Episode) else episode_of(one, crops) for one in evidence]
    unlabelled = [episode.source for episode in kept if episode.label is None]
    if unlabelled:
        raise StationError(
            ErrorCode.ENVIRONMENT_UNLABELLED,
            f'{len(unlabelled)} episode(s) have no label, for example {unlabelled[0]}; '
            'label them or leave them out',
        )
    found = distinct(sorted(kept, key=lambda episode: (episode.digest, episode.source)))
    require_enough(Counter(episode.label for episode in found), minimum)
    return tuple(found)


def require_enough(labels: Mapping[bool, int], minimum: int = MINIMUM) -> None:
    """Refuse too few successes or failures to learn from.

    :param labels: how many episodes have each label.
    :param minimum: episodes that each class needs.
    :raises StationError: ENVIRONMENT_ONE_CLASS or ENVIRONMENT_TOO_FEW_EPISODES, with what to do.
    """
    successes, failures = labels.get(True, 0), labels.get(False, 0)
    if bool(successes) is not bool(failures):
        have, lack = ('successes', 'failures') if successes else ('failures', 'successes')
        raise StationError(
            ErrorCode.ENVIRONMENT_ONE_CLASS,
            f'all {successes + failures} episodes are {have}; {_RECORD} {lack} too, '
            f'at least {minimum}',
        )
    if min(successes, failures) < minimum:
        raise StationError(
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            f'there are {successes} successes and {failures} failures; an eye needs at least '
            f'{minimum} different ones of each: {_RECORD} more',
        )


def distinct(episodes: Iterable[Episode]) -> list[Episode]:
    """Return episodes without those whose pictures are there already, the first of each.

    An episode without pictures is like no other one.

    :raises StationError: ENVIRONMENT_UNLABELLED, the same pictures, or the same attempt, are
        labelled as a success and as a failure; names both.
    """
    found: dict[str, Episode] = {}
    attempts: dict[str, Episode] = {}
    for number, episode in enumerate(episodes):
        seen = any(len(crops) for crops in episode.crops.values())
        first = found.setdefault(episode.digest if seen else f'#{number}', episode)
        attempt = attempts.setdefault(episode.source or f'#{number}', episode)
        for other in (first, attempt):
            if other.label is not episode.label:
                raise StationError(
                    ErrorCode.ENVIRONMENT_UNLABELLED,
                    f'{other.source} and {episode.source} show the same and are labelled as '
                    'opposites; look again which is right, and leave the other out',
                )
    return list(found.values())


def split(episodes: tuple[Episode, ...], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide episodes (never pictures) into those to train, to validate and to calibrate with.

    Every label, and within it every kind, is divided as :data:`SHARES` says. Attempts of one trial
    with the same label stay together: they show one scene.

    :return: three arrays of indices.
    :raises StationError: ENVIRONMENT_TOO_FEW_EPISODES, they are of too few trials.
    """
    rng = np.random.default_rng([seed, 1])
    bounds, parts = np.cumsum(SHARES)[:2], ([], [], [])
    for label in (False, True):
        trials: dict[str, list[int]] = {}
        for index, episode in enumerate(episodes):
            if episode.label is label:
                trials.setdefault(episode.trial, []).append(index)
        groups = list(trials.values())
        rng.shuffle(groups)
        groups.sort(key=lambda group: episodes[group[0]].kind)
        places = (rng.uniform() + _GOLDEN * np.arange(len(groups))) % 1.0
        chosen = np.searchsorted(bounds, places, side='right')
        if len(set(chosen)) < len(parts):
            raise StationError(
                ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
                f'all {"successes" if label else "failures"} are of {len(groups)} trials, too few '
                'to learn from some and to measure with others; record more trials',
            )
        for group, part in zip(groups, chosen, strict=True):
            parts[part].extend(group)
    return tuple(np.array(sorted(part), dtype=int) for part in parts)


def pictures(
    episodes: tuple[Episode, ...], chosen: np.ndarray, camera: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pictures of a camera in some episodes.

    :param chosen: indices of episodes.
    :return: (n, size, size, 3) uint8 crops, (n,) bool labels, (n,) indices of their episodes.
    """
    crops = [episodes[index].crops[camera] for index in chosen]
    owners = np.repeat(chosen, [len(taken) for taken in crops])
    labels = np.array([episodes[index].label for index in owners], dtype=bool)
    return np.concatenate(crops), labels, owners


def data_digest(episodes: tuple[Episode, ...]) -> str:
    """Return the sha256 over all that is learned from."""
    digest = hashlib.sha256()
    for episode in episodes:
        digest.update(f'{episode.digest} {episode.label}\n'.encode())
    return digest.hexdigest()


def episode_of(evidence: Evidence, crops: Mapping[str, Crop], *, newest: int = 4) -> Episode:
    """Keep what is learned from one piece of evidence.

    :param newest: pictures of each camera that are kept.
    :raises StationError: ENVIRONMENT_EVIDENCE_UNREADABLE, a picture has another size.
    """
    digest = hashlib.sha256()
    taken = {}
    for name, crop in crops.items():
        frames = evidence.frames.get(name, ())[-newest:]
        try:
            cut = [crop(frame.image) for frame in frames]
        except WrongPictureError as error:
            raise StationError(
                ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE,
                f'{evidence.source}: {error}; it was recorded with another camera {name}',
            ) from error
        taken[name] = np.stack(cut) if cut else np.zeros((0, crop.size, crop.size, 3), np.uint8)
        digest.update(f'{name} {len(cut)}\n'.encode())
        digest.update(taken[name].tobytes())
    return Episode(evidence.label, evidence.kind, evidence.source, taken, digest.hexdigest())
