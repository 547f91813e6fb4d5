"""Writing a ledger: one process at a time, every entry on the disk before the call returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import logging
import os
from pathlib import Path
import sqlite3
import time
from typing import Any

from enpire_nodes.common.clock import boot_id
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_json
from enpire_nodes.rollout.ledger import chain
from enpire_nodes.rollout.ledger.chain import canonical_json, Entry, GENESIS
from enpire_nodes.rollout.ledger.database import COLUMNS, open_for_writing, station_errors
from enpire_nodes.rollout.ledger.lock import StationLock
from enpire_nodes.rollout.ledger.reader import LedgerReader
from enpire_nodes.rollout.ledger.reserve import Reserve
from enpire_nodes.rollout.record_json import to_json, trial_data
from enpire_nodes.rollout.records import RequestRecord, StateInterval, TrialOutcome, TrialRecord
from enpire_nodes.rollout.run_directory import RunDirectory

_LOG = logging.getLogger(__name__)

_INTERRUPTED = 'the runner ended in the middle of the trial; it was closed afterwards'


class Ledger(LedgerReader):
    """The ledger of a run, held by its one writer.

    :param run: the run directory; made when it does not exist.
    :param station: whose trials these are.
    :param owner: who writes, for the message that a second writer reads.
    :raises StationError: RUNNER_STATION_LOCKED, somebody else writes this ledger;
        RUNNER_LEDGER_FAILED, it cannot be opened.
    """

    def __init__(self, run: Path, *, station: str, owner: str) -> None:
        self.run = RunDirectory(Path(run))
        with station_errors(self.run.ledger):
            self.run.trials.mkdir(parents=True, exist_ok=True)
        self._lock = StationLock(self.run.lock, owner=owner)
        try:
            self._reserve = Reserve(self.run.path / 'ledger.reserve')
            self._connect(open_for_writing)
            session = {'station': station, 'owner': owner, 'pid': os.getpid(), 'boot': boot_id()}
            self._append(chain.SESSION, session)
        except BaseException:
            self._lock.release()
            raise

    def start_request(self, request: RequestRecord) -> RequestRecord:
        """Write down a request before its first trial, or find it as it was first made.

        A client that lost its server sends the same goal again: the seeds drawn the first time
        come back, and :meth:`trials_of_request` says what is done already.

        :raises StationError: RUNNER_BAD_REQUEST, the identifier belongs to a different request.
        """
        with self._mutex:
            known = self.request(request.request_id)
            if known is None:
                self._append(chain.REQUEST, to_json(request), request_id=request.request_id)
                return request
        if to_json(replace(known, seeds=())) != to_json(replace(request, seeds=())):
            raise StationError(
                ErrorCode.RUNNER_BAD_REQUEST,
                f'request {request.request_id} was made before and asked for something else: '
                'send it unchanged, or draw a new request_id',
            )
        return known

    def start_trial(self, trial: TrialRecord) -> str:
        """Write the STARTED entry; nothing may move before this has returned.

        :return: the entry's digest.
        :raises StationError: RUNNER_LEDGER_FAILED, the entry is not on the disk, or too little
            space is left to write the trial's end; RUNNER_BAD_REQUEST, the trial exists.
        """
        with self._mutex:
            if trial.closed or self.trial(trial.trial_id) is not None:
                raise StationError(
                    ErrorCode.RUNNER_BAD_REQUEST,
                    f'trial {trial.trial_id} was started before: draw a new trial_id',
                )
            with station_errors(self.run.ledger):
                self.run.trial(trial.trial_id).mkdir(parents=True, exist_ok=True)
                self._reserve.fill()
            return self._append(chain.TRIAL_STARTED, to_json(trial), trial=trial).digest

    def close_trial(self, trial: TrialRecord) -> TrialRecord:
        """Write the one terminal entry of a trial, then its ``trial.json``.

        :return: the record with its ``ledger_digest``.
        :raises StationError: RUNNER_BAD_REQUEST, the trial has no outcome, never started or is
            closed; RUNNER_LEDGER_FAILED, the entry is not on the disk.
        """
        with self._mutex:
            known = self.trial(trial.trial_id)
            if known is None or known.closed or not trial.closed:
                reason = 'was never started' if known is None else 'is closed already'
                if known is not None and not known.closed:
                    reason = 'has no outcome'
                raise StationError(
                    ErrorCode.RUNNER_BAD_REQUEST,
                    f'trial {trial.trial_id} {reason}: a trial is started once and closed once',
                )
            record = replace(trial, ledger_digest='')
            entry = self._append(chain.TRIAL_CLOSED, to_json(record), trial=record)
        closed = replace(trial, ledger_digest=entry.digest)
        self._write_trial_json(closed)
        return closed

    def close_interrupted(
        self,
        *,
        complete: Callable[[TrialRecord], TrialRecord] | None = None,
    ) -> list[TrialRecord]:
        """Close every trial that started and never ended as INTERRUPTED.

        It counts as a failure: only ``complete``, given each record, may set ``infrastructure``
        (on proof), or add the bag that was recovered.

        :return: the closed records.
        """
        with self._mutex:
            closed = []
            for trial in self.open_trials():
                record = replace(
                    trial,
                    outcome=TrialOutcome.INTERRUPTED,
                    error_code=ErrorCode.RUNNER_INTERRUPTED,
                    message=_INTERRUPTED,
                    stamp_ns=time.time_ns(),
                )
                closed.append(self.close_trial(complete(record) if complete else record))
            return closed

    def add_interval(self, interval: StateInterval) -> None:
        """Write what the station did for a while; intervals come in the order of their starts."""
        self._append(chain.INTERVAL, to_json(interval), trial_id=interval.trial_id)

    def add_note(self, data: dict[str, Any], *, request_id: str = '') -> str:
        """Write anything else worth keeping; return the entry's digest."""
        return self._append(chain.NOTE, to_json(data), request_id=request_id).digest

    def complete_files(self) -> list[str]:
        """Write the ``trial.json`` of every closed trial that has none; return those trials."""
        missing = [
            trial
            for trial in self.trials()
            if trial.closed and not self.run.trial_json(trial.trial_id).is_file()
        ]
        return [trial.trial_id for trial in missing if self._write_trial_json(trial)]

    def close(self) -> None:
        """Close the database and give the lock back; once is enough."""
        super().close()
        self._lock.release()

    def _write_trial_json(self, trial: TrialRecord) -> bool:
        # The trial is closed by its entry; this file is a copy that can be made again.
        path = self.run.trial_json(trial.trial_id)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, trial_data(trial))
        except OSError as error:
            _LOG.warning('%s is not written (%s); `enpire recover` writes it', path, error)
            return False
        return True

    def _append(
        self,
        kind: str,
        data: dict[str, Any],
        *,
        trial: TrialRecord | None = None,
        trial_id: str = '',
        request_id: str = '',
    ) -> Entry:
        if trial is not None:
            trial_id, request_id = trial.trial_id, trial.request_id
        content = canonical_json(data)
        with self._mutex, station_errors(self.run.ledger):
            try:
                return self._insert(kind, content, trial_id, request_id)
            except sqlite3.OperationalError as error:
                if 'full' not in str(error) or not self._reserve.spend():
                    raise
                return self._insert(kind, content, trial_id, request_id)

    def _insert(self, kind: str, content: str, trial_id: str, request_id: str) -> Entry:
        self._connection.execute('BEGIN IMMEDIATE')
        try:
            last = self._connection.execute(
                'SELECT sequence, digest FROM entries ORDER BY sequence DESC LIMIT 1'
            ).fetchone()
            entry = Entry.following(
                *(last or (0, GENESIS)), kind, content, trial_id=trial_id, request_id=request_id
            )
            self._connection.execute(
                f'INSERT INTO entries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
                tuple(getattr(entry, name) for name in COLUMNS.split(', ')),
            )
            self._connection.execute('COMMIT')
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute('ROLLBACK')
            raise
        return entry
