"""What all rows of a dataset must have in common, and whether an attempt fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from enpire_nodes.improvement.lerobot.arrow import unusable
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial


@dataclass(frozen=True, slots=True)
class Shape:
    """Names and sizes of features and pictures, and the rate of control.

    :param sizes: of the features, by name, in alphabetical order.
    :param cameras: px, side of the square pictures, likewise.
    :param rate: Hz.
    """

    sizes: Mapping[str, int]
    cameras: Mapping[str, int]
    rate: int

    @classmethod
    def of(cls, trial: RecordedTrial, attempt: RecordedAttempt, *, pictures: bool) -> Shape:
        """Find the shape of an attempt that has rows.

        :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, it cannot be put into a dataset.
        """
        rows, where = len(attempt.stamps), _where(trial, attempt)
        sizes = {}
        for name, values in sorted(attempt.features.items()):
            if np.ndim(values) != 2 or len(values) != rows:
                raise unusable(
                    f'{where}: the feature {name} is {np.shape(values)}, not ({rows}, size)'
                )
            if not np.isfinite(values).all():
                raise unusable(
                    f'{where}: the feature {name} is not finite everywhere, of which no '
                    'statistics can be made; leave the trial out'
                )
            sizes[name] = values.shape[1]
        if sizes.get('target') != 3:
            raise unusable(
                f'{where}: without the feature `target` of 3 values there is no action; leave '
                'the trial out'
            )
        cameras = {}
        for camera, images in sorted(attempt.images.items()) if pictures else ():
            side = images.shape[1] if np.ndim(images) == 4 else 0
            if '/' in camera or images.shape != (rows, side, side, 3) or images.dtype != np.uint8:
                raise unusable(
                    f'{where}: the pictures of {camera} are {images.dtype} {images.shape}, not '
                    f'uint8 ({rows}, size, size, 3); they can be left out'
                )
            cameras[camera] = side
        if trial.control_rate <= 0 or trial.control_rate % 1:
            raise unusable(
                f'{where}: the rate of control is {trial.control_rate:g} Hz, and the format '
                'knows whole numbers alone'
            )
        return cls(sizes, cameras, int(trial.control_rate))

    def check(self, trial: RecordedTrial, attempt: RecordedAttempt, *, pictures: bool) -> None:
        """Tell whether an attempt has this shape.

        :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, it differs.
        """
        other = Shape.of(trial, attempt, pictures=pictures)
        for what, ours, theirs, remedy in (
            ('features', self.sizes, other.sizes, 'export the trials of each kind apart'),
            ('pictures', self.cameras, other.cameras, 'export without pictures'),
            ('rate of control', self.rate, other.rate, 'export the trials of each rate apart'),
        ):
            if ours != theirs:
                raise unusable(
                    f'{_where(trial, attempt)}: the {what} {theirs} differ from those of the '
                    f'first attempt, {ours}; {remedy}'
                )

    def state(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Put features together: (rows, size) float32."""
        parts = [np.asarray(features[name], dtype=np.float32) for name in self.sizes]
        return np.concatenate(parts, axis=1)

    def features(self, state: np.ndarray) -> dict[str, np.ndarray]:
        """Take (rows, size) float32 apart again."""
        ends = np.cumsum(list(self.sizes.values()))[:-1]
        parts = np.split(state, ends, axis=1)
        return {name: part.copy() for name, part in zip(self.sizes, parts, strict=True)}


def _where(trial: RecordedTrial, attempt: RecordedAttempt) -> str:
    return f'trial {trial.trial_id} attempt {attempt.index}'
