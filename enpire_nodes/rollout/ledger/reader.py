"""Reading a ledger: trials, requests, intervals, and the check of its chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
import sqlite3
import threading
from types import TracebackType

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import chain
from enpire_nodes.rollout.ledger.chain import ChainReport, check_chain, Entry
from enpire_nodes.rollout.ledger.database import (
    COLUMNS,
    entry_of,
    open_for_reading,
    station_errors,
)
from enpire_nodes.rollout.record_json import from_json
from enpire_nodes.rollout.records import RequestRecord, StateInterval, TrialRecord
from enpire_nodes.rollout.run_directory import RunDirectory

# One row per trial, in the order of their starts: the closing entry where there is one.
_TRIALS = """
SELECT coalesce(ends.content, starts.content), coalesce(ends.digest, '')
FROM entries AS starts LEFT JOIN entries AS ends
  ON ends.trial_id = starts.trial_id AND ends.kind = 'trial_closed'
WHERE starts.kind = 'trial_started'
"""


class LedgerReader:
    """Reads the ledger of a run; may run beside the one writer.

    :raises StationError: RUNNER_LEDGER_FAILED when there is no readable ledger.
    """

    def __init__(self, run: Path) -> None:
        self.run = RunDirectory(Path(run))
        if not self.run.ledger.is_file():
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED,
                f'there is no ledger in {self.run.path}: name the directory of a run',
            )
        self._connect(open_for_reading)

    def _connect(self, connect: Callable[[Path], sqlite3.Connection]) -> None:
        self._mutex = threading.RLock()
        with station_errors(self.run.ledger):
            self._connection = connect(self.run.ledger)

    def trial(self, trial_id: str) -> TrialRecord | None:
        """Return one trial, closed or not; None when it never started."""
        found = self._trials('AND starts.trial_id = ?', trial_id)
        return found[0] if found else None

    def trials(self, *, limit: int | None = None) -> list[TrialRecord]:
        """Return all trials in the order of their starts; ``limit`` keeps the newest ones."""
        if limit is None:
            return self._trials('ORDER BY starts.sequence')
        return self._trials('ORDER BY starts.sequence DESC LIMIT ?', limit)[::-1]

    def trials_of_request(self, request_id: str) -> list[TrialRecord]:
        """Return the trials of one request in the order of their starts."""
        return self._trials('AND starts.request_id = ? ORDER BY starts.sequence', request_id)

    def open_trials(self) -> list[TrialRecord]:
        """Return the trials that started and have no end."""
        return self._trials('AND ends.sequence IS NULL ORDER BY starts.sequence')

    def request(self, request_id: str) -> RequestRecord | None:
        """Return a request as it was first made; None when it is unknown."""
        with self._mutex, station_errors(self.run.ledger):
            row = self._connection.execute(
                f'SELECT {COLUMNS} FROM entries WHERE kind = ? AND request_id = ?',
                (chain.REQUEST, request_id),
            ).fetchone()
        return from_json(RequestRecord, entry_of(row).data) if row else None

    def declared_trials(self) -> int:
        """Return how many trials all requests together declared, run or not."""
        return sum(entry.data['trials'] for entry in self.entries(chain.REQUEST))

    def intervals(self) -> list[StateInterval]:
        """Return what the station did, in order."""
        return [from_json(StateInterval, entry.data) for entry in self.entries(chain.INTERVAL)]

    def entries(self, kind: str | None = None, *, after: int = 0) -> Iterator[Entry]:
        """Yield the entries in order.

        :param kind: one of :mod:`~.chain`'s; None means all.
        :param after: sequence of the last one that is known already.
        """
        where, values = ('WHERE kind = ?', (kind,)) if kind else ('', ())
        last = after
        while True:
            glue = 'AND' if where else 'WHERE'
            with self._mutex, station_errors(self.run.ledger):
                rows = self._connection.execute(
                    f'SELECT {COLUMNS} FROM entries {where} {glue} sequence > ? '
                    'ORDER BY sequence LIMIT 500',
                    (*values, last),
                ).fetchall()
            if not rows:
                return
            for row in rows:
                yield entry_of(row)
            last = rows[-1][0]

    def verify(self) -> ChainReport:
        """Check every entry of the chain; the report names the first bad one."""
        return check_chain(self.entries())

    def holds(self, digest: str) -> bool:
        """Whether an entry has this digest: false for a record whose entry was cut off."""
        with self._mutex, station_errors(self.run.ledger):
            query = 'SELECT 1 FROM entries WHERE digest = ?'
            return self._connection.execute(query, (digest,)).fetchone() is not None

    def close(self) -> None:
        """Close the database; once is enough."""
        with self._mutex:
            self._connection.close()

    def _trials(self, rest: str, *values: object) -> list[TrialRecord]:
        with self._mutex, station_errors(self.run.ledger):
            rows = self._connection.execute(f'{_TRIALS} {rest}', values).fetchall()
        return [
            replace(from_json(TrialRecord, chain.decode(content)), ledger_digest=digest)
            for content, digest in rows
        ]

    def __enter__(self) -> LedgerReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
