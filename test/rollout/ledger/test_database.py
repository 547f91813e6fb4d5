"""What SQLite is asked for, and how its errors are told."""

import sqlite3

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger.database import (
    open_for_reading,
    open_for_writing,
    SCHEMA_VERSION,
    station_errors,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'ledger.sqlite'


@pytest.fixture
def connection(path):
    connection = open_for_writing(path)
    yield connection
    connection.close()


def insert(connection, sequence, kind='note', trial=''):
    connection.execute(
        'INSERT INTO entries VALUES (?, ?, 0, 0, ?, ?, ?, ?, ?)',
        (sequence, kind, trial, f'r{sequence}', '{}', '', f'digest{sequence}'),
    )


def test_a_reader_finds_a_whole_ledger_or_none(tmp_path, monkeypatch):
    path, seen = tmp_path / 'ledger.sqlite', []
    connect = sqlite3.connect

    def look(*arguments, **options):
        seen.append(path.exists())
        return connect(*arguments, **options)

    monkeypatch.setattr(sqlite3, 'connect', look)
    open_for_writing(path).close()
    assert seen == [False, True], 'it is made under another name'
    assert [file.name for file in tmp_path.iterdir()] == ['ledger.sqlite']


def test_what_a_crash_left_half_made_is_made_anew(tmp_path):
    (tmp_path / 'ledger.sqlite.new').write_bytes(b'half')
    open_for_writing(tmp_path / 'ledger.sqlite').close()
    open_for_reading(tmp_path / 'ledger.sqlite').close()


def test_commits_are_written_ahead_and_flushed(connection):
    assert connection.execute('PRAGMA journal_mode').fetchone()[0] == 'wal'
    assert connection.execute('PRAGMA synchronous').fetchone()[0] == 2


@pytest.mark.parametrize('change', ["UPDATE entries SET kind = 'x'", 'DELETE FROM entries'])
def test_entries_cannot_be_changed_by_the_way(connection, change):
    insert(connection, 1)
    with pytest.raises(sqlite3.IntegrityError, match='append-only'):
        connection.execute(change)


@pytest.mark.parametrize('kind', ['trial_started', 'trial_closed'])
def test_the_database_itself_refuses_a_second_start_or_end(connection, kind):
    insert(connection, 1, kind, 't1')
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, 2, kind, 't1')


def test_readers_cannot_write_and_see_what_is_written_meanwhile(path, connection):
    reader = open_for_reading(path)
    insert(connection, 1)
    assert reader.execute('SELECT count(*) FROM entries').fetchone()[0] == 1
    with pytest.raises(sqlite3.OperationalError, match='readonly'):
        insert(reader, 2)
    reader.close()


def test_a_newer_ledger_is_refused(path, connection):
    connection.execute(f'PRAGMA user_version={SCHEMA_VERSION + 1}')
    with pytest.raises(StationError, match='update enpire'):
        open_for_writing(path)


@pytest.mark.parametrize(
    ('error', 'remedy'),
    [
        (sqlite3.OperationalError('database or disk is full'), 'free some space'),
        (sqlite3.DatabaseError('database disk image is malformed'), 'is damaged'),
        (sqlite3.OperationalError('unable to open database file'), 'may be written'),
        (sqlite3.OperationalError('database is locked'), 'another program'),
        (OSError(28, 'No space left on device'), 'free some space'),
        (OSError(13, 'Permission denied'), 'may be written'),
    ],
)
def test_every_error_names_a_remedy(path, error, remedy):
    with pytest.raises(StationError, match=remedy) as caught, station_errors(path):
        raise error
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED
