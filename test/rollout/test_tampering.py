"""An agent that edits what a run has recorded: rows, files, bags and seeds, with or without skill.

What it is graded by is the business of test/environment/contract/test_attacks.py.
"""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import shutil
import sqlite3

import pytest
from trial_support import ended, open_trial, write_bag

from enpire_nodes.rollout.audit import audit_run
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.ledger.chain import GENESIS
from enpire_nodes.rollout.ledger.database import COLUMNS, entry_of
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.records import RequestRecord, TrialOutcome

TRIAL = 't1'


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Make a run with a campaign seed, a request, and a failure with its bag."""
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        ledger.add_note({'campaign_seed': 7, 'environment': 'a' * 64})
        ledger.start_request(RequestRecord('r1', 'agent', 1, 2, seeds=(41,)))
        trial = open_trial(TRIAL, request_id='r1', seed=41, environment_digest='a' * 64)
        ledger.start_trial(trial)
        write_bag(ledger.run.bag(TRIAL), 200)
        digest = check_bag(ledger.run.bag(TRIAL)).digest
        bag = {'bag': f'trials/{TRIAL}/bag', 'bag_digest': digest}
        fields = {'request_id': 'r1', 'seed': 41, 'environment_digest': 'a' * 64, **bag}
        ledger.close_trial(ended(open_trial(TRIAL, **fields), TrialOutcome.FAILURE))
    assert problems(tmp_path) == []
    return tmp_path


def problems(run: Path) -> list[str]:
    with LedgerReader(run) as ledger:
        return list(audit_run(ledger))


def change_rows(run: Path, old: str, new: str) -> None:
    """Rewrite text in rows of the ledger, past its triggers."""
    database = sqlite3.connect(run / 'ledger.sqlite')
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.execute(f'DROP TRIGGER {name}')
    done = database.execute(
        'UPDATE entries SET content = replace(content, ?, ?) WHERE instr(content, ?)',
        (old, new, old),
    )
    assert done.rowcount > 0
    database.commit()
    database.close()


def chain_anew(run: Path) -> None:
    """Compute every digest of the chain again, as who knows the code can."""
    database = sqlite3.connect(run / 'ledger.sqlite')
    previous = GENESIS
    for row in database.execute(f'SELECT {COLUMNS} FROM entries ORDER BY sequence').fetchall():
        entry = entry_of((*row[:-2], previous, ''))
        previous = entry.expected_digest()
        database.execute(
            'UPDATE entries SET previous = ?, digest = ? WHERE sequence = ?',
            (entry.previous, previous, entry.sequence),
        )
    database.commit()
    database.close()
    with LedgerReader(run) as ledger:
        assert ledger.verify().whole


def edit_json(run: Path, **fields: object) -> None:
    path = run / 'trials' / TRIAL / 'trial.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def flip_a_byte(run: Path) -> None:
    (path,) = (run / 'trials' / TRIAL / 'bag').glob('*.mcap')
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def exchange_the_bag(run: Path) -> None:
    bag = run / 'trials' / TRIAL / 'bag'
    shutil.rmtree(bag)
    write_bag(bag, 201)


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('"FAILURE"', '"SUCCESS"'),
        ('"seed":41', '"seed":42'),
        ('"seeds":[41]', '"seeds":[42]'),
        ('"campaign_seed":7', '"campaign_seed":8'),
        ('a' * 64, 'b' * 64),
    ],
    ids=['outcome', 'seed', 'seeds of the request', 'campaign seed', 'environment'],
)
def test_an_edited_row_breaks_the_chain(run, old, new):
    change_rows(run, old, new)
    assert 'is bad' in problems(run)[0]


def test_a_chain_made_anew_does_not_fit_to_the_files_beside_the_bags(run):
    change_rows(run, '"FAILURE"', '"SUCCESS"')
    chain_anew(run)
    assert problems(run) == [f'trial {TRIAL}: trial.json is of another ledger entry']


@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'outcome': 'SUCCESS'}, 'otherwise than the ledger of: outcome'),
        ({'success': True, 'seed': 42}, 'otherwise than the ledger of: seed, success'),
        ({'environment_digest': 'b' * 64}, 'environment_digest'),
        ({'attempts': []}, 'attempts'),
        ({'ledger_digest': '0' * 64}, 'of another ledger entry'),
    ],
)
def test_an_edited_result_file_is_named(run, fields, words):
    edit_json(run, **fields)
    (problem,) = problems(run)
    assert words in problem


@pytest.mark.parametrize('attack', [flip_a_byte, exchange_the_bag])
def test_an_edited_bag_is_named(run, attack: Callable[[Path], None]):
    attack(run)
    (problem,) = problems(run)
    assert TRIAL in problem


def test_an_invented_trial_is_named(run):
    shutil.copytree(run / 'trials' / TRIAL, run / 'trials' / 't2')
    assert problems(run) == ['trial t2: it has files, and the ledger does not know it']


def test_a_failure_that_was_deleted_is_named(run):
    shutil.rmtree(run / 'trials' / TRIAL)
    assert any('trial.json is missing' in problem for problem in problems(run))
