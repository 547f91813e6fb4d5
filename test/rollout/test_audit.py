"""Contradictions between ledger, bags and files are found."""

import json
import shutil
import sqlite3

import pytest
from trial_support import ended, fill, open_trial, write_bag

from enpire_nodes.rollout.audit import audit_run
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.recording.writer import BagSettings
from enpire_nodes.rollout.records import TrialOutcome
from enpire_nodes.rollout.recover import recover_run


@pytest.fixture
def run(tmp_path):
    fill(tmp_path, [TrialOutcome.SUCCESS, TrialOutcome.FAILURE])
    return tmp_path


def problems(run):
    with LedgerReader(run) as ledger:
        return list(audit_run(ledger))


def test_a_run_in_order_has_no_problem(run):
    assert problems(run) == []


def test_a_recovered_run_is_in_order(run):
    with Ledger(run, station='s', owner='victim') as ledger:
        ledger.start_trial(open_trial('t8'))
        settings = BagSettings(chunk_size=2048)
        write_bag(ledger.run.bag('t8'), 400, close=False, settings=settings).abandon()
        ledger.start_trial(open_trial('t9'))
        ledger.close_trial(ended(open_trial('t9'), TrialOutcome.FAULTED))
        write_bag(ledger.run.bag('t9'), 400, close=False, settings=settings).abandon()
    assert len(problems(run)) == 2
    with Ledger(run, station='s', owner='test') as ledger:
        recover_run(ledger)
    assert problems(run) == []


def test_an_open_trial_is_named(run):
    with Ledger(run, station='s', owner='test') as ledger:
        ledger.start_trial(open_trial('t9'))
    (problem,) = problems(run)
    assert 't9' in problem
    assert 'enpire recover' in problem


def test_a_missing_or_foreign_file_is_named(run):
    first, second = (run / 'trials' / f'trial_00{n}' / 'trial.json' for n in (0, 1))
    shutil.copy(first, second)
    first.unlink()
    missing, foreign = problems(run)
    assert 'trial.json is missing' in missing
    assert 'another ledger entry' in foreign
    second.write_text('[]')
    assert 'cannot be read' in problems(run)[1]


def test_a_bag_that_was_exchanged_is_named(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        trial = open_trial('t1')
        ledger.start_trial(trial)
        write_bag(ledger.run.bag('t1'), 10)
        digest = check_bag(ledger.run.bag('t1')).digest
        closed = ended(open_trial('t1', bag='trials/t1/bag', bag_digest=digest))
        ledger.close_trial(closed)
    assert problems(tmp_path) == []
    shutil.rmtree(tmp_path / 'trials' / 't1' / 'bag')
    write_bag(tmp_path / 'trials' / 't1' / 'bag', 11)
    assert 'changed after it was recorded' in problems(tmp_path)[0]
    shutil.rmtree(tmp_path / 'trials' / 't1' / 'bag')
    assert 'no MCAP file' in problems(tmp_path)[0]


def test_a_ledger_that_was_cut_off_at_its_end_is_found_by_the_files(run):
    database = sqlite3.connect(run / 'ledger.sqlite')
    database.execute('DROP TRIGGER append_only_delete')
    database.execute(
        'DELETE FROM entries WHERE sequence >= (SELECT sequence FROM entries '
        "WHERE kind = 'trial_started' AND trial_id = 'trial_001')"
    )
    database.commit()
    database.close()
    with LedgerReader(run) as ledger:
        assert ledger.verify().whole
    (problem,) = problems(run)
    assert 'trial_001' in problem
    assert 'does not know it' in problem
    assert (
        json.loads((run / 'trials' / 'trial_001' / 'trial.json').read_text())['success'] is False
    )
