"""Taking over the trials of a running station, one after another, while it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import json
import logging
from pathlib import Path
from typing import NamedTuple

from enpire_nodes.common.errors import StationError
from enpire_nodes.improvement.bags import recorded_trial
from enpire_nodes.improvement.recorded import RecordedTrial
from enpire_nodes.improvement.replay_store import ReplayStore
from enpire_nodes.tasks.eye import Crop

_LOG = logging.getLogger(__name__)


class Outline(NamedTuple):
    """What a trial is, without what the policy saw."""

    trial_id: str
    controller: str
    success: bool


class Follower:
    """Reads every closed trial of some runs once, and keeps it in a replay store.

    The bag is the record, the store a cache of it: a trial that cannot be kept, because the disk
    is full, is learned from nevertheless and read again after a restart.

    :param runs: run directories of stations; they may not exist yet.
    :param crops: by camera, for a policy that sees pictures; None for none.
    """

    def __init__(
        self,
        runs: list[Path],
        store: ReplayStore,
        *,
        crops: Mapping[str, Crop] | None = None,
    ) -> None:
        self._runs, self._store, self._crops = [Path(run) for run in runs], store, crops
        self._seen: set[Path] = set()
        self._began = False
        self.unreadable = 0

    def outlines(self) -> Iterator[Outline]:
        """Yield what there is, quickly: no bag is read."""
        known = set()
        for record in self._new():
            try:
                about = json.loads(record.read_text('utf-8'))
                outline = Outline(about['trial_id'], about['controller'], about['success'])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # told when its turn comes to be read
            known.add(outline.trial_id)
            yield outline
        for trial in self._kept(without=known):
            yield Outline(trial.trial_id, trial.controller, trial.success)

    def poll(self) -> list[RecordedTrial]:
        """Return the trials that were closed since the last call, in the order of their ends.

        The first call begins with what the store has of other runs.
        """
        found = []
        if not self._began:
            self._began = True
            found += self._kept(without={record.parent.name for record in self._new()})
        for record in self._new():
            self._seen.add(record)
            trial = self._read(record.parent)
            if trial is not None:
                found.append(trial)
        return found

    def _new(self) -> list[Path]:
        records = [path for run in self._runs for path in run.glob('trials/*/trial.json')]
        fresh = [path for path in records if path not in self._seen]
        return sorted(fresh, key=lambda path: (path.stat().st_mtime_ns, path))

    def see(self, crops: Mapping[str, Crop]) -> None:
        """Keep pictures, too, from now on; to be called before the first :meth:`poll`."""
        self._crops = crops

    def _shows(self, trial: RecordedTrial) -> bool:
        """Tell whether a stored trial has the pictures that are wanted."""
        wanted = {name: crop.size for name, crop in (self._crops or {}).items()}
        return (
            all(
                {name: images.shape[1] for name, images in attempt.images.items()} == wanted
                for attempt in trial.attempts
            )
            or not wanted
        )

    def _kept(self, *, without: set[str]) -> Iterator[RecordedTrial]:
        for trial_id in self._store.ids():
            if trial_id not in without:
                try:
                    yield self._store.load(trial_id)
                except StationError as error:
                    self.unreadable += 1
                    _LOG.warning('a trial is left out: %s', error.message)

    def _read(self, directory: Path) -> RecordedTrial | None:
        if directory.name in self._store:
            try:
                kept = self._store.load(directory.name)
            except StationError as error:
                _LOG.warning('%s', error.message)
            else:
                if self._shows(kept):
                    return kept
        try:
            trial = recorded_trial(directory, crops=self._crops)
        except StationError as error:
            self.unreadable += 1
            _LOG.warning('a trial is left out: %s', error.message)
            return None
        try:
            self._store.add(trial)
        except OSError as error:
            _LOG.warning('trial %s is not kept in %s: %s', trial.trial_id, self._store.directory,
                         error)  # fmt: skip
        return trial
