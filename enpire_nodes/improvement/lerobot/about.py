"""``meta/enpire.json``: what is known of each trial and attempt but for its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
import json
from pathlib import Path
import re
from typing import Any

from enpire_nodes.improvement.lerobot.arrow import unusable
from enpire_nodes.improvement.lerobot.layout import TRIALS
from enpire_nodes.improvement.lerobot.shape import Shape
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial

_FORMAT = 1
_APART = ('stamps', 'features', 'images', 'attempts')
#: An identifier becomes the name of a file.
_IDENTIFIER = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,199}')


@dataclass(slots=True)
class About:
    """Trials in the order of their episodes; some attempts have none.

    :param trials: fields of each, with ``attempts``, each with its fields and the number of
        its ``rows``: those of an episode and one more, or 1, or 0.
    """

    shape: Shape
    trials: list[dict[str, Any]] = field(default_factory=list)

    def add(self, trial: RecordedTrial) -> None:
        """Note what is known of a trial."""
        attempts = [{**plain(item), 'rows': len(item.stamps)} for item in trial.attempts]
        self.trials.append({**plain(trial), 'attempts': attempts})

    def rows(self) -> Iterator[int]:
        """Return the number of rows of each attempt, in order."""
        return (attempt['rows'] for trial in self.trials for attempt in trial['attempts'])

    def write(self, dataset: Path) -> None:
        """Write the file."""
        content = {
            'format': _FORMAT,
            'sizes': dict(self.shape.sizes),
            'cameras': dict(self.shape.cameras),
            'control_rate': self.shape.rate,
            'trials': self.trials,
        }
        # numbers of NumPy are written as those of Python
        text = json.dumps(content, indent=1, default=lambda number: number.item())
        (dataset / TRIALS).write_text(text, 'utf-8')

    @classmethod
    def read(cls, dataset: Path) -> About:
        """Read what :meth:`write` wrote.

        :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, it is damaged or of another version.
        """
        path = dataset / TRIALS
        try:
            content = json.loads(path.read_text('utf-8'))
            if content['format'] != _FORMAT:
                raise ValueError(f'its format is {content["format"]}, not {_FORMAT}')
            shape = Shape(content['sizes'], content['cameras'], content['control_rate'])
            about = cls(shape, content['trials'])
            for trial in about.trials:
                if not _IDENTIFIER.fullmatch(trial['trial_id']):
                    raise ValueError(f'{trial["trial_id"]!r} is no identifier of a trial')
            if min(about.rows(), default=0) < 0:
                raise ValueError('an attempt has fewer rows than none')
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise unusable(
                f'{path} cannot be read: {type(error).__name__}: {error}; without this file the '
                'dataset is imported as demonstrations'
            ) from error
        return about


def plain(record: RecordedTrial | RecordedAttempt) -> dict[str, Any]:
    """Return the fields of a record that are no arrays."""
    return {
        item.name: getattr(record, item.name) for item in fields(record) if item.name not in _APART
    }
