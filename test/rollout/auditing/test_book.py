"""The book: chained, appended by several at once, whole after a crash, and hard to forge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import fcntl
import json

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.book import AuditBook, FILE_NAME, LABEL
from enpire_nodes.rollout.ledger import line_book


@pytest.fixture
def filled(tmp_path):
    book = AuditBook(tmp_path)
    for number in range(4):
        book.append(LABEL, {'number': number})
    return tmp_path


def numbers(run) -> list[int]:
    return [entry.data['number'] for entry in AuditBook(run).news()]


def test_what_is_written_is_read_again_and_read_once(filled):
    book = AuditBook(filled)
    assert book.changed()
    assert [entry.sequence for entry in book.news()] == [1, 2, 3, 4]
    assert not book.changed()
    assert book.news() == []
    AuditBook(filled).append(LABEL, {'number': 4})
    assert book.changed()
    assert [entry.data['number'] for entry in book.news()] == [4]


def test_an_empty_run_has_no_news(tmp_path):
    book = AuditBook(tmp_path)
    assert not book.changed()
    assert book.news() == []


def test_two_may_write_at_once(tmp_path):
    def write(first: int) -> None:
        book = AuditBook(tmp_path)
        for number in range(25):
            book.append(LABEL, {'number': first + number})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (0, 100)))
    assert sorted(numbers(tmp_path)) == [*range(25), *range(100, 125)]


@pytest.mark.parametrize('left', [1, 40, -1])
def test_a_line_that_a_crash_cut_short_stays_and_counts_for_nothing(filled, left):
    path = filled / FILE_NAME
    whole = path.read_bytes()
    AuditBook(filled).append(LABEL, {'number': 4})
    torn = path.read_bytes()[len(whole) :][:left]
    path.write_bytes(whole + torn)
    book = AuditBook(filled)
    assert len(book.news()) == 4
    AuditBook(filled).append(LABEL, {'number': 5})
    assert [entry.data['number'] for entry in book.news()] == [5]
    assert numbers(filled) == [0, 1, 2, 3, 5]
    assert path.read_bytes().startswith(whole + torn)


def _edit(lines: list[bytes]) -> None:
    line = json.loads(lines[1])
    line['content']['number'] = 7
    lines[1] = json.dumps(line).encode() + b'\n'


FORGERIES = {
    'changed': (_edit, 'entry 2: its content was changed'),
    'removed': (lambda lines: lines.pop(1), 'entry 3: entry 2 is missing'),
    'swapped': (lambda lines: lines.reverse(), 'entry 4: entry 1 is missing'),
    'repeated': (lambda lines: lines.append(lines[1]), 'entry 2: entry 5 is missing'),
    'garbled': (lambda lines: lines.append(b'{"sequence":5,"kind":\n'), 'entry 5: it is not'),
    'of another form': (lambda lines: lines.append(b'{"sequence":5}\n'), 'entry 5: it is not'),
}


@pytest.mark.parametrize('kind', FORGERIES)
def test_a_forged_book_is_refused_for_reading_and_for_writing(filled, kind):
    forge, words = FORGERIES[kind]
    path = filled / FILE_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    forge(lines)
    path.write_bytes(b''.join(lines))
    book = AuditBook(filled)
    for action in (book.news, lambda: book.append(LABEL, {}), book.news):
        assert book.changed()
        with pytest.raises(StationError, match=words) as caught:
            action()
        assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED


def test_a_book_that_was_put_right_again_is_read_whole(filled):
    path = filled / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-30] + b'"' + whole[-29:])
    book = AuditBook(filled)
    with pytest.raises(StationError):
        book.append(LABEL, {})
    with pytest.raises(StationError):
        book.news()
    path.write_bytes(whole)
    assert [entry.sequence for entry in book.news()] == [1, 2, 3, 4]


def test_who_has_read_the_book_notices_that_it_was_cut_or_taken_away(filled):
    book, path = AuditBook(filled), filled / FILE_NAME
    book.news()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b''.join(lines[:3]))
    assert book.changed()
    with pytest.raises(StationError, match='are gone'):
        book.news()
    path.unlink()
    assert book.changed()
    with pytest.raises(StationError, match='is gone'):
        book.news()


def test_a_full_disk_is_said(tmp_path):
    (tmp_path / 'run').write_text('a file where the run should be')
    with pytest.raises(StationError, match='check the disk'):
        AuditBook(tmp_path / 'run').append(LABEL, {})


def test_nobody_waits_for_ever_for_a_book_that_somebody_keeps_locked(filled, monkeypatch):
    monkeypatch.setattr(line_book, '_PATIENCE', 0.05)
    path = filled / FILE_NAME
    before = path.read_bytes()
    with path.open('rb') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StationError, match='kept locked by another process') as caught:
            AuditBook(filled).append(LABEL, {'number': 4})
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED
    assert path.read_bytes() == before
    AuditBook(filled).append(LABEL, {'number': 4})
    assert numbers(filled) == [0, 1, 2, 3, 4]
