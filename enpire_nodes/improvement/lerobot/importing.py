"""From a dataset of LeRobot's format 3.0 to recorded trials, ours or anyone's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from enpire_nodes.improvement.lerobot import layout
from enpire_nodes.improvement.lerobot.about import About
from enpire_nodes.improvement.lerobot.arrow import arrow, unusable
from enpire_nodes.improvement.lerobot.foreign import Foreign
from enpire_nodes.improvement.lerobot.pictures import decode
from enpire_nodes.improvement.lerobot.reading import Episode, episodes
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset that can be imported.

    :param trials: read one after the other when asked for; raises StationError
        (IMPROVEMENT_DATASET_UNUSABLE) when a part is missing or damaged.
    :param notes: what was assumed, in words.
    """

    trials: Iterator[RecordedTrial]
    notes: tuple[str, ...] = ()


def import_trials(dataset: Path) -> Found:
    """Open a dataset: as it was exported, if it is ours, or as demonstrations.

    What :func:`export_trials` wrote comes back as it was, the features as float32.
    A dataset without ``meta/enpire.json`` becomes one trial of one attempt for each episode; see
    :class:`Foreign` for what is assumed.

    :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, it cannot be read, or its actions are not
        ours.
    """
    arrow()
    info = layout.read_info(dataset)
    if (dataset / layout.TRIALS).is_file():
        about = About.read(dataset)
        return Found(_own(dataset, info, about, _ends(dataset, about)))
    foreign = Foreign.of(dataset, info)
    return Found(foreign.trials(), tuple(foreign.notes))


def _own(
    dataset: Path, info: dict[str, Any], about: About, ends: list[dict[str, Any]]
) -> Iterator[RecordedTrial]:
    cameras = [layout.PICTURES + camera for camera in about.shape.cameras]
    read = episodes(dataset, info, [layout.STATE, layout.STAMP, *cameras])
    last = iter(ends)
    for told in about.trials:
        attempts = []
        for item in told['attempts']:
            rows = item['rows']
            episode = next(read, None) if rows > 1 else None
            if len(episode or ()) != max(0, rows - 1):
                raise _changed(dataset)
            end = next(last) if rows else None
            try:
                attempts.append(_attempt(about, item, episode, end))
            except (ValueError, KeyError, TypeError, NotImplementedError) as error:
                raise unusable(f'{dataset}: {type(error).__name__}: {error}') from error
        known = {key: value for key, value in told.items() if key != 'attempts'}
        try:
            yield RecordedTrial(attempts=tuple(attempts), **known)
        except TypeError as error:
            raise unusable(f'{dataset / layout.TRIALS}: {error}') from error
    if next(read, None) is not None:
        raise _changed(dataset)


def _attempt(
    about: About, item: dict[str, Any], episode: Episode | None, end: dict[str, Any] | None
) -> RecordedAttempt:
    shape = about.shape
    stamps, states = np.zeros(0), np.zeros((0, sum(shape.sizes.values())), dtype=np.float32)
    files: dict[str, list[bytes | None]] = {camera: [] for camera in shape.cameras}
    if episode is not None:
        stamps, states = episode.scalars(layout.STAMP), episode.vectors(layout.STATE)
        files = {camera: episode.files(layout.PICTURES + camera) for camera in shape.cameras}
    if end is not None:
        stamps = np.append(stamps, end[layout.STAMP])
        states = np.append(states, np.float32([end[layout.STATE]]), axis=0)
        for camera, shown in files.items():
            shown.append(end[layout.PICTURES + camera])
    return RecordedAttempt(
        stamps=stamps,
        features=shape.features(states),
        images={camera: decode(shown) for camera, shown in files.items() if shown},
        **{key: value for key, value in item.items() if key != 'rows'},
    )


def _ends(dataset: Path, about: About) -> list[dict[str, Any]]:
    pa = arrow()
    try:
        ends = pa.parquet.read_table(dataset / layout.ENDS).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise unusable(f'{dataset / layout.ENDS} cannot be read: {error}') from error
    if len(ends) != sum(rows > 0 for rows in about.rows()):
        raise _changed(dataset)
    return ends


def _changed(dataset: Path) -> Exception:
    return unusable(
        f'{dataset} was changed since it was exported: its episodes are not those of '
        f'{layout.TRIALS}; without that file it is imported as demonstrations'
    )
