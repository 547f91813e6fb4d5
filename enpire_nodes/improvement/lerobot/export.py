"""Recorded trials to a dataset of LeRobot's format 3.0: one episode for each attempt.

Failed and aborted attempts are exported too. ``meta/episodes`` says of each what became of it, in
columns that begin with ``enpire/``, by which LeRobot can choose episodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
from typing import Any

import numpy as np

from enpire_nodes.common.writing import sync_directory
from enpire_nodes.improvement.lerobot import frames, layout, tables
from enpire_nodes.improvement.lerobot.about import About
from enpire_nodes.improvement.lerobot.arrow import arrow, unusable
from enpire_nodes.improvement.lerobot.pictures import encode
from enpire_nodes.improvement.lerobot.shape import Shape
from enpire_nodes.improvement.lerobot.summary import Pixels, summarize_columns
from enpire_nodes.improvement.recorded import RecordedAttempt, RecordedTrial


@dataclass(frozen=True, slots=True)
class Exported:
    """How much was written."""

    trials: int
    episodes: int
    frames: int


def export_trials(
    trials: Iterable[RecordedTrial], out: Path, *, task: str = '', pictures: bool = True
) -> Exported:
    """Write trials to the new folder ``out``, which appears when it is whole.

    Trials are taken one after the other; of those written, only the numbers are held in memory.

    :param task: what the robot is told to do, in words; the name of the folder by default.
    :param pictures: False leaves them out.
    :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, there is something at ``out``, there is
        nothing to export, the trials do not fit together, or the disk is full. Nothing is left
        behind.
    """
    arrow()
    out = Path(out).absolute()
    if os.path.lexists(out):
        raise unusable(f'{out} is there already, and is not overwritten; name another folder')
    unfinished = out.with_name(f'.{out.name}.{os.getpid()}.tmp')
    try:
        (unfinished / 'meta').mkdir(parents=True)
        export = _Export(unfinished, task or out.name, pictures=pictures)
        for trial in trials:
            export.add(trial)
        written = export.finish()
        for path in unfinished.rglob('*'):
            _sync(path)
        unfinished.rename(out)
        sync_directory(out.parent)
    except OSError as error:
        raise unusable(
            f'{out} cannot be written: {error}; check the path and the space on the disk'
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return written


class _Export:
    def __init__(self, folder: Path, task: str, *, pictures: bool) -> None:
        self._folder = folder
        self._task = task
        self._pictures = pictures
        self._about: About | None = None
        self._waiting: list[RecordedTrial] = []
        self._files: tables.FrameFiles | None = None
        self._episodes: list[dict[str, Any]] = []
        self._ends: list[tuple[float, np.ndarray, dict[str, bytes]]] = []
        self._columns: dict[str, list[np.ndarray]] = {}
        self._pixels: dict[str, Pixels] = {}
        self._frames = 0

    def add(self, trial: RecordedTrial) -> None:
        """Write the episodes of a trial."""
        for attempt in trial.attempts:
            if len(attempt.stamps):
                self._attempt(trial, attempt)
        if self._about is None:  # no row so far
            self._waiting.append(trial)
        else:
            self._about.add(trial)

    def finish(self) -> Exported:
        """Write all that is known only at the end."""
        if self._about is None or self._files is None or not self._episodes:
            raise unusable('there is nothing to export: no attempt with an action was found')
        self._files.close()
        shape = self._about.shape
        tables.write_ends(self._folder, shape, self._ends)
        tables.write_episodes(self._folder, self._episodes)
        tables.write_task(self._folder, self._task)
        self._about.write(self._folder)
        whole = {name: np.concatenate(parts) for name, parts in self._columns.items()}
        described = layout.features(shape.sizes, shape.cameras)
        for path, content in (
            (layout.STATS, summarize_columns({**whole, **self._pixels})),
            (
                layout.INFO,
                layout.info(
                    described,
                    rate=shape.rate,
                    episodes=len(self._episodes),
                    frames=self._frames,
                ),
            ),
        ):
            text = json.dumps(content, indent=4, allow_nan=False)
            (self._folder / path).write_text(text, 'utf-8')
        return Exported(len(self._about.trials), len(self._episodes), self._frames)

    def _attempt(self, trial: RecordedTrial, attempt: RecordedAttempt) -> None:
        if self._about is None:
            shape = Shape.of(trial, attempt, pictures=self._pictures)
            self._about = About(shape)
            described = layout.features(shape.sizes, shape.cameras)
            self._files = tables.FrameFiles(self._folder, described)
            for earlier in self._waiting:
                self._about.add(earlier)
        shape = self._about.shape
        shape.check(trial, attempt, pictures=self._pictures)
        files = {camera: encode(attempt.images[camera]) for camera in shape.cameras}
        if attempt.steps:
            self._episode(trial, attempt, shape, files)
        self._ends.append(
            (
                float(attempt.stamps[-1]),
                shape.state({name: rows[-1:] for name, rows in attempt.features.items()})[0],
                {camera: shown[-1] for camera, shown in files.items()},
            )
        )

    def _episode(
        self,
        trial: RecordedTrial,
        attempt: RecordedAttempt,
        shape: Shape,
        files: dict[str, list[bytes]],
    ) -> None:
        number, first, n = len(self._episodes), self._frames, attempt.steps
        columns = frames.columns(attempt, shape, episode=number, first=first)
        shown = {layout.PICTURES + camera: made[:n] for camera, made in files.items()}
        chunk, file = self._files.add(columns, shown)
        pixels = {
            layout.PICTURES + camera: Pixels.of(attempt.images[camera][:n])
            for camera in shape.cameras
        }
        self._frames += n
        self._episodes.append(
            {
                'episode_index': number,
                'tasks': [self._task],
                'length': n,
                'data/chunk_index': chunk,
                'data/file_index': file,
                'dataset_from_index': first,
                'dataset_to_index': first + n,
                'meta/episodes/chunk_index': 0,
                'meta/episodes/file_index': 0,
                'enpire/trial_id': trial.trial_id,
                'enpire/attempt': attempt.index,
                'enpire/verdict': attempt.verdict,
                'enpire/execution': attempt.execution,
                'enpire/outcome': trial.outcome,
                'enpire/controller': trial.controller,
                'enpire/requester': trial.requester,
                'enpire/commit': trial.commit,
                'enpire/explored': bool(trial.explored),
                **{
                    f'stats/{name}/{key}': value
                    for name, summary in summarize_columns({**columns, **pixels}).items()
                    for key, value in summary.items()
                },
            }
        )
        for name, values in columns.items():
            self._columns.setdefault(name, []).append(values)
        for name, counted in pixels.items():
            self._pixels[name] = self._pixels[name] + counted if name in self._pixels else counted


def _sync(path: Path) -> None:
    if path.is_dir():
        sync_directory(path)
        return
    with path.open('rb') as stream:
        os.fsync(stream.fileno())
