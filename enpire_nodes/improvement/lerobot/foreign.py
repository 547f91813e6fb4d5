"""A dataset that others made, taken as demonstrations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import hashlib
from pathlib import Path
import re
from typing import Any

import numpy as np

from enpire_nodes.improvement.lerobot import layout
from enpire_nodes.improvement.lerobot.arrow import unusable
from enpire_nodes.improvement.lerobot.reading import Episode, episodes
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial

_STATE = 'state'
_TARGET = 'target'


@dataclass(frozen=True, slots=True)
class Foreign:
    """Reads each episode as a trial of one attempt, by the controller ``lerobot``.

    An action is taken as a displacement of the tool in m, the only thing that we call an action.
    ``target`` is the sum of the actions before a row, from 0 at the start, unless the names of
    ``observation.state`` are those of our features and ``target`` is one of them. The format has
    no row after the last action: the last frame is repeated there, one period later, with the
    last action added to ``target``.

    :param sizes: of our features, by name, in the order of ``observation.state``; or None.
    :param cameras: names of the columns of pictures that are read.
    :param notes: what was assumed, in words.
    """

    dataset: Path
    info: Mapping[str, Any]
    name: str
    sizes: Mapping[str, int] | None
    cameras: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, dataset: Path, info: Mapping[str, Any]) -> Foreign:
        """Look at what a dataset has.

        :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, its actions are not displacements in
            space.
        """
        described = info['features']
        action = described.get(layout.ACTION, {'shape': None})
        if action['shape'] not in ([3], (3,)):
            raise unusable(
                f'{dataset}: its action is {action["shape"]}, not [3]: only displacements of '
                'the tool in m (x, y, z) can be learned from here'
            )
        notes = ['actions are taken as displacements of the tool in m']
        sizes = None
        state = described.get(layout.STATE)
        if state is None:
            notes.append('there is no observation.state: `target` is the only feature')
        else:
            width = int(np.prod(state['shape']))
            sizes = layout.sizes_from(state.get('names'), width)
            if sizes is None:
                notes.append('the names of observation.state are not ours: one feature `state`')
                sizes = {_STATE: width}
        if (sizes or {}).get(_TARGET, 3) != 3:
            raise unusable(f'{dataset}: its feature `target` has not 3 values')
        if _TARGET not in (sizes or {}):
            notes.append('`target` is the sum of the actions, from 0 at the start')
        cameras = []
        for name, item in described.items():
            if item.get('dtype') not in ('image', 'video'):
                continue
            shape = list(item['shape'])
            if item['dtype'] == 'image' and shape == [shape[0], shape[0], 3]:
                cameras.append(name)
            else:
                notes.append(
                    f'{name} is left out: {item["dtype"]} {shape} is no square picture in the '
                    'table itself'
                )
        if layout.SUCCESS not in described and layout.REWARD not in described:
            notes.append('nothing says how the episodes ended: each is taken as a success')
        elif layout.SUCCESS not in described:
            notes.append('an episode is taken as a success when its reward reaches 1')
        return cls(dataset, info, _name(dataset), sizes, tuple(cameras), tuple(notes))

    def trials(self) -> Iterator[RecordedTrial]:
        """Read the episodes."""
        described = self.info['features']
        optional = (
            layout.STATE, layout.SUCCESS, layout.REWARD, layout.TRUNCATED, 'timestamp',
        )  # fmt: skip
        columns = [name for name in optional if name in described]
        for episode in episodes(
            self.dataset, dict(self.info), [layout.ACTION, *columns, *self.cameras]
        ):
            try:
                yield self._trial(episode)
            except (ValueError, KeyError, TypeError, NotImplementedError) as error:
                raise unusable(
                    f'{self.dataset} episode {episode.number}: {type(error).__name__}: {error}'
                ) from error

    def _trial(self, episode: Episode) -> RecordedTrial:
        described, rate = self.info['features'], float(self.info['fps'])
        if 'timestamp' in described:
            stamps = episode.scalars('timestamp').astype(np.float64)
        else:
            stamps = np.arange(len(episode)) / rate
        attempt = RecordedAttempt(
            index=1,
            stamps=np.append(stamps, stamps[-1] + 1 / rate),
            features=self._features(episode),
            images={
                name.removeprefix(layout.PICTURES): _extended(_square(episode.pictures(name)))
                for name in self.cameras
            },
            verdict='success' if self._success(episode) else 'failure',
            execution='timed_out' if _any(episode, described, layout.TRUNCATED) else 'completed',
        )
        return RecordedTrial(
            trial_id=f'lerobot_{self.name}_{episode.number:06d}',
            attempts=(attempt,),
            outcome=attempt.verdict,
            controller='lerobot',
            requester='lerobot',
            control_rate=rate,
        )

    def _features(self, episode: Episode) -> dict[str, np.ndarray]:
        action = episode.vectors(layout.ACTION)
        found = {}
        if self.sizes is not None:
            state = _extended(episode.vectors(layout.STATE))
            ends = np.cumsum(list(self.sizes.values()))[:-1]
            found = dict(zip(self.sizes, np.split(state, ends, axis=1), strict=True))
        if _TARGET in found:
            found[_TARGET][-1] += action[-1]
        else:
            # summed in double precision: the differences are the actions again, up to float32
            summed = np.cumsum(action, axis=0, dtype=np.float64)
            found[_TARGET] = np.vstack([np.zeros(3), summed]).astype(np.float32)
        return found

    def _success(self, episode: Episode) -> bool:
        described = self.info['features']
        if layout.SUCCESS in described:
            return _any(episode, described, layout.SUCCESS)
        if layout.REWARD in described:
            return bool((episode.vectors(layout.REWARD) >= 1).any())
        return True


def _any(episode: Episode, described: Mapping[str, Any], name: str) -> bool:
    return name in described and bool(episode.vectors(name).any())


def _extended(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, rows[-1:]])


def _square(images: np.ndarray) -> np.ndarray:
    if images.shape[1] != images.shape[2]:
        raise ValueError(f'its pictures are {images.shape[1:]}, not square as info.json says')
    return images


def _name(dataset: Path) -> str:
    """Name the trials so that those of two datasets of one name are kept apart."""
    content = hashlib.sha256((dataset / layout.INFO).read_bytes())
    statistics = dataset / layout.STATS
    content.update(statistics.read_bytes() if statistics.is_file() else b'')
    words = re.sub(r'[^A-Za-z0-9-]+', '-', dataset.resolve().name)[:80]
    return f'{words}_{content.hexdigest()[:8]}'
