"""Confirmation blocks: what was declared is what was run, or nothing is confirmed."""

from dataclasses import replace

import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.confirmation import blocks, read_block
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import RequestRecord, TrialOutcome, VerdictOutcome

DECLARED = RequestRecord(
    'block', 'test', trials=3, max_attempts=2, seeds=(11, 12, 13), commit='c0ffee',
    confirmation=True, environment_digest='e1',
)  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        yield ledger


def run(ledger, number, outcome=TrialOutcome.SUCCESS, **changes):
    values = {
        'request_id': 'block', 'seed': 11 + number, 'commit': 'c0ffee', 'max_attempts': 2,
        'environment_digest': 'e1', 'controller_digest': 'd1',
    } | changes  # fmt: skip
    trial = open_trial(f't{number}', **values)
    ledger.start_trial(trial)
    success = outcome is TrialOutcome.SUCCESS
    made = attempt(1, VerdictOutcome.SUCCESS if success else VerdictOutcome.FAILURE)
    ledger.close_trial(replace(ended(trial, outcome), attempts=(made,)))


def complete(ledger, **changes):
    ledger.start_request(DECLARED)
    for number in range(3):
        run(ledger, number, **(changes if number == 1 else {}))
    return read_block(ledger, 'block')


def test_a_block_that_was_run_as_declared_confirms(ledger):
    block = complete(ledger)
    assert block.problems == ()
    assert (block.summary.successes, block.summary.counted) == (3, 3)
    assert block.valid
    assert block.summary.lower == pytest.approx(0.05 ** (1 / 3))
    assert blocks(ledger) == [block]


def test_failures_count_and_break_nothing(ledger):
    block = complete(ledger, outcome=TrialOutcome.FAILURE)
    assert block.valid
    assert block.summary.successes == 2


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'seed': 99}, 'seeds'),
        ({'commit': 'other'}, 'commit'),
        ({'environment_digest': 'e2'}, 'environment'),
        ({'max_attempts': 8}, 'attempts'),
        ({'controller_digest': 'd2'}, 'controller changed'),
        ({'infrastructure': True, 'outcome': TrialOutcome.FAULTED}, 'left out'),
    ],
)
def test_what_was_not_declared_confirms_nothing(ledger, changes, words):
    block = complete(ledger, **changes)
    assert any(words in problem for problem in block.problems)
    assert not block.valid


def test_a_block_that_is_not_complete_confirms_nothing(ledger):
    ledger.start_request(DECLARED)
    run(ledger, 0)
    block = read_block(ledger, 'block')
    assert block.problems == ('1 of the 3 declared trials are closed',)


def test_a_declaration_after_the_first_trial_is_seen(ledger):
    run(ledger, 0)
    ledger.start_request(DECLARED)
    run(ledger, 1)
    run(ledger, 2)
    assert 'before it was declared' in read_block(ledger, 'block').problems[0]


def test_a_ledger_that_was_edited_confirms_nothing(ledger):
    complete(ledger)
    for row in ledger._connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
        ledger._connection.execute(f'DROP TRIGGER {row[0]}')
    ledger._connection.execute("UPDATE entries SET digest = 'x' WHERE sequence = 2")
    assert 'not whole' in read_block(ledger, 'block').problems[0]


@pytest.mark.parametrize('declared', [None, replace(DECLARED, confirmation=False)])
def test_what_is_no_block_is_refused(ledger, declared):
    if declared is not None:
        ledger.start_request(declared)
    with pytest.raises(StationError, match='--confirm') as caught:
        read_block(ledger, 'block')
    assert caught.value.code is ErrorCode.RUNNER_BAD_REQUEST
