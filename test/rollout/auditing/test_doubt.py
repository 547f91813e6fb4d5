"""The runner's question whether the judge is doubted."""

from __future__ import annotations

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.book import ALARM, AuditBook, CLEAR, FILE_NAME
from enpire_nodes.rollout.auditing.doubt import Doubt


def test_without_a_book_nobody_doubts(tmp_path):
    Doubt(tmp_path).check()
    assert not (tmp_path / FILE_NAME).exists()


def test_an_alarm_holds_until_it_is_cleared_by_whomever(tmp_path):
    doubt, book = Doubt(tmp_path), AuditBook(tmp_path)
    book.append(ALARM, {'message': 'look at the side camera'})
    for asked in (doubt, doubt, Doubt(tmp_path)):
        with pytest.raises(StationError, match='side camera') as caught:
            asked.check()
        assert caught.value.code is ErrorCode.RUNNER_JUDGE_DOUBTED
    book.append(CLEAR, {'who': 'Ada', 'seconds': 5.0, 'reason': ''})
    doubt.check()
    Doubt(tmp_path).check()


def test_an_alarm_that_is_raised_here_holds_too(tmp_path):
    with pytest.raises(StationError, match=r'it lied; look at trial_7 with `enpire audit show`'):
        Doubt(tmp_path).raise_alarm('it lied', ['trial_7'])
    with pytest.raises(StationError, match='trial_7'):
        Doubt(tmp_path).check()


def test_a_book_that_was_tampered_with_stops_the_station(tmp_path):
    AuditBook(tmp_path).append(ALARM, {'message': 'look'})
    path = tmp_path / FILE_NAME
    doubt = Doubt(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'look', b'fine'))
    with pytest.raises(StationError, match='changed after it was written') as caught:
        doubt.check()
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED
