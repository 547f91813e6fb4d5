"""Labels of a run: a person's word above a simulator's truth, and no word at all refused."""

from dataclasses import replace

import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout import labelled
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.labelled import labelled_evidence, labels_of
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.records import TrialOutcome, VerdictOutcome


@pytest.fixture
def desk(tmp_path):
    """Fill a run with three trials of two attempts; the simulator knows one of them."""
    desk = AuditDesk(tmp_path, Sampler(b'key', 0.0))
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        for number in range(3):
            trial = open_trial(f't{number}')
            ledger.start_trial(trial)
            made = (attempt(1, VerdictOutcome.FAILURE), attempt(2, VerdictOutcome.SUCCESS))
            ledger.close_trial(replace(ended(trial, TrialOutcome.SUCCESS), attempts=made))
            desk.hear(ledger.trial(f't{number}'), {1: False, 2: True} if number == 0 else None)
    return desk


def test_a_person_is_heard_above_the_truth(tmp_path, desk):
    desk.label('t0', 2, VerdictOutcome.FAILURE, labeller='Ada', seconds=1.0)
    desk.label('t1', 1, VerdictOutcome.FAILURE, labeller='Ada', seconds=1.0)
    found = labels_of(tmp_path)
    assert found.known == {('t0', 1): False, ('t0', 2): False, ('t1', 1): False}
    assert found.corrected == ('t0 attempt 2: Ada says FAILURE, and the simulator SUCCESS',)
    assert found.disputed == ()


def test_a_person_who_cannot_tell_takes_the_label_away(tmp_path, desk):
    desk.label('t0', 2, VerdictOutcome.UNCERTAIN, labeller='Ada', seconds=1.0)
    assert labels_of(tmp_path).known == {('t0', 1): False, ('t0', 2): None}


def test_two_people_who_say_the_opposite_leave_it_open_until_one_says_otherwise(tmp_path, desk):
    desk.label('t1', 1, VerdictOutcome.FAILURE, labeller='Ada', seconds=1.0)
    desk.label('t1', 1, VerdictOutcome.SUCCESS, labeller='Bo', seconds=1.0)
    found = labels_of(tmp_path)
    assert found.known['t1', 1] is None
    assert found.disputed == ('t1 attempt 1: Ada says FAILURE, Bo says SUCCESS',)
    desk.label('t1', 1, VerdictOutcome.SUCCESS, labeller='Ada', seconds=1.0)
    found = labels_of(tmp_path)
    assert (found.known['t1', 1], found.disputed) == (True, ())


def test_each_labelled_attempt_is_read_from_its_bag(tmp_path, desk, monkeypatch):
    read = []
    monkeypatch.setattr(
        labelled, 'evidence_of', lambda bag, **known: read.append((bag.parent.name, known)) or bag
    )
    with LedgerReader(tmp_path) as ledger:
        assert len(list(labelled_evidence(ledger, 'task'))) == 2
    assert [(name, known['attempt'].index, known['label']) for name, known in read] == [
        ('t0', 1, False), ('t0', 2, True),
    ]  # fmt: skip
    assert read[1][1]['source'] == 't0 attempt 2'


def test_a_run_that_nobody_labelled_is_refused(tmp_path):
    Ledger(tmp_path, station='s', owner='test').close()
    with LedgerReader(tmp_path) as ledger, pytest.raises(StationError, match='audit label') as no:
        list(labelled_evidence(ledger, 'task'))
    assert no.value.code is ErrorCode.ENVIRONMENT_UNLABELLED
