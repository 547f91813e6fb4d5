"""The SQLite side of the ledger: schema, opening, and its errors in the station's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger.chain import Entry

#: Raised by one whenever the table changes in a way that older code cannot read.
SCHEMA_VERSION = 1

COLUMNS = 'sequence, kind, wall_ns, monotonic_ns, trial_id, request_id, content, previous, digest'

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    sequence     INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    wall_ns      INTEGER NOT NULL,
    monotonic_ns INTEGER NOT NULL,
    trial_id     TEXT    NOT NULL,
    request_id   TEXT    NOT NULL,
    content      TEXT    NOT NULL,
    previous     TEXT    NOT NULL,
    digest       TEXT    NOT NULL UNIQUE
);
CREATE UNIQUE INDEX IF NOT EXISTS one_start ON entries (trial_id) WHERE kind = 'trial_started';
CREATE UNIQUE INDEX IF NOT EXISTS one_end ON entries (trial_id) WHERE kind = 'trial_closed';
CREATE UNIQUE INDEX IF NOT EXISTS one_request ON entries (request_id) WHERE kind = 'request';
CREATE INDEX IF NOT EXISTS by_request ON entries (request_id, kind);
CREATE INDEX IF NOT EXISTS by_kind ON entries (kind);
CREATE TRIGGER IF NOT EXISTS append_only_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER IF NOT EXISTS append_only_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


@contextmanager
def station_errors(path: Path) -> Iterator[None]:
    """Turn whatever SQLite or the file system raises into RUNNER_LEDGER_FAILED with a remedy."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        text = str(error)
        if 'full' in text or getattr(error, 'errno', None) == 28:
            remedy = 'the disk is full: free some space'
        elif 'malformed' in text or 'not a database' in text:
            remedy = 'the file is damaged: keep it, and start a new run directory'
        elif 'readonly' in text or 'unable to open' in text or isinstance(error, OSError):
            remedy = 'check that the directory exists and may be written'
        elif 'locked' in text:
            remedy = 'another program holds the database: close it'
        else:
            remedy = 'check the disk'
        raise StationError(
            ErrorCode.RUNNER_LEDGER_FAILED, f'ledger {path}: {text}; {remedy}'
        ) from error


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or create a ledger: WAL, and every commit on the disk before it returns.

    :raises sqlite3.Error: SQLite could not.
    :raises StationError: RUNNER_LEDGER_FAILED, the ledger was written by newer code.
    """
    if not path.exists():  # whole or not at all: a reader may look at any moment
        fresh = path.with_name(f'{path.name}.new')
        fresh.unlink(missing_ok=True)
        _open_for_writing(fresh).close()
        fresh.replace(path)
    return _open_for_writing(path)


def _open_for_writing(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute('PRAGMA journal_mode=WAL')
        connection.execute('PRAGMA synchronous=FULL')
        version = connection.execute('PRAGMA user_version').fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StationError(
                ErrorCode.RUNNER_LEDGER_FAILED,
                f'ledger {path} has version {version}, this code knows {SCHEMA_VERSION}: '
                'update enpire, or start a new run directory',
            )
        if version < SCHEMA_VERSION:
            connection.executescript(
                f'BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;'
            )
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a ledger without the right to change it, also while a runner writes it.

    :raises sqlite3.Error: SQLite could not.
    """
    connection = sqlite3.connect(
        f'{path.absolute().as_uri()}?mode=ro',
        timeout=5.0,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
    try:
        connection.execute('SELECT 1 FROM entries LIMIT 1')
    except sqlite3.OperationalError as error:
        connection.close()
        if 'unable to open' not in str(error) and 'readonly' not in str(error):
            raise
        # A copy on a read-only medium has no room for WAL's shared memory.
        uri = f'{path.absolute().as_uri()}?mode=ro&immutable=1'
        return sqlite3.connect(uri, isolation_level=None, check_same_thread=False, uri=True)
    return connection


def entry_of(row: tuple) -> Entry:
    """Return the entry of a row that was selected by :data:`COLUMNS`."""
    return Entry(*row)
