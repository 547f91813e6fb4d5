"""Reading beside the writer."""

import sqlite3

import pytest
from trial_support import ended, fill, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.ledger.chain import TRIAL_CLOSED
from enpire_nodes.rollout.records import TrialOutcome


def test_a_missing_ledger_is_explained(tmp_path):
    with pytest.raises(StationError, match='there is no ledger') as caught:
        LedgerReader(tmp_path)
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED


def test_a_file_that_is_no_ledger_is_explained(tmp_path):
    (tmp_path / 'ledger.sqlite').write_bytes(b'garbage' * 100)
    with pytest.raises(StationError, match='damaged'):
        LedgerReader(tmp_path)


def test_trials_come_in_the_order_of_their_starts(tmp_path):
    outcomes = [TrialOutcome.FAILURE, TrialOutcome.SUCCESS, TrialOutcome.UNCERTAIN]
    fill(tmp_path, outcomes)
    with LedgerReader(tmp_path) as reader:
        assert [trial.outcome for trial in reader.trials()] == outcomes
        assert [trial.trial_id for trial in reader.trials(limit=2)] == ['trial_001', 'trial_002']
        assert reader.trial('trial_001').success
        assert reader.trial('nobody') is None
        assert reader.open_trials() == []
        assert len(reader.intervals()) == 9


def test_entries_are_read_on_from_where_somebody_stopped(tmp_path):
    fill(tmp_path, [TrialOutcome.FAILURE, TrialOutcome.SUCCESS])
    with LedgerReader(tmp_path) as reader:
        first, second = reader.entries(TRIAL_CLOSED)
        assert list(reader.entries(TRIAL_CLOSED, after=first.sequence)) == [second]
        assert list(reader.entries(TRIAL_CLOSED, after=second.sequence)) == []
        assert next(reader.entries(after=3)).sequence == 4


def test_a_reader_sees_a_trial_start_and_end(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger, LedgerReader(tmp_path) as reader:
        ledger.start_trial(open_trial())
        assert [trial.trial_id for trial in reader.open_trials()] == ['trial_1']
        closed = ledger.close_trial(ended(open_trial()))
        assert reader.trials() == [closed]
        assert reader.holds(closed.ledger_digest)
        assert not reader.holds('0' * 64)


def test_tampering_behind_our_back_is_named(tmp_path):
    fill(tmp_path, [TrialOutcome.FAILURE] * 3)
    database = sqlite3.connect(tmp_path / 'ledger.sqlite')
    database.execute('DROP TRIGGER append_only_update')
    database.execute(
        "UPDATE entries SET content = replace(content, 'FAILURE', 'SUCCESS') "
        "WHERE kind = 'trial_closed' AND trial_id = 'trial_001'"
    )
    database.commit()
    row = database.execute(
        "SELECT sequence FROM entries WHERE kind = 'trial_closed' AND trial_id = 'trial_001'"
    ).fetchone()
    database.close()
    with LedgerReader(tmp_path) as reader:
        report = reader.verify()
    assert not report.whole
    assert report.bad_sequence == row[0]
    assert 'changed' in report.problem


def test_a_long_ledger_is_read_in_pieces(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        ledger._connection.execute('PRAGMA synchronous=OFF')  # 1,100 flushes prove nothing here
        for number in range(1100):
            ledger.add_note({'n': number})
        assert ledger.verify().entries == 1101
        assert [entry.data['n'] for entry in ledger.entries('note')] == list(range(1100))
