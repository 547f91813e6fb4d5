"""Whoever touches anything behind a report is found out, and what was touched is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
import sqlite3

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.accounting.run_log import Head, RunLog
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.results import signed_line
from enpire_nodes.evolution.journal import Journal, RESULT
from enpire_nodes.evolution.report import verify
from enpire_nodes.evolution.report.figures import figures
from enpire_nodes.evolution.report.report import VERSION, write_report
from enpire_nodes.evolution.report.verify import _hub, differences, verify_run
from enpire_nodes.evolution.tree.build import hub_ideas, tree_of
from enpire_nodes.rollout.auditing.book import AuditBook
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.record_json import to_json


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def ledger_rows(run: Path, statement: str) -> None:
    database = sqlite3.connect(run / 'ledger.sqlite')
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        database.execute(f'DROP TRIGGER {name}')
    assert database.execute(statement).rowcount > 0
    database.commit()
    database.close()


def change_ledger(run: Path) -> None:
    ledger_rows(
        run,
        'UPDATE entries SET content = replace(content, \'"FAILURE"\', \'"SUCCESS"\') '
        "WHERE kind = 'trial_closed' AND sequence = (SELECT min(sequence) FROM entries "
        "WHERE kind = 'trial_closed' AND instr(content, '\"FAILURE\"'))",
    )


def cut_ledger(run: Path) -> None:
    ledger_rows(run, 'DELETE FROM entries WHERE sequence = (SELECT max(sequence) FROM entries)')


def change_journal(run: Path) -> None:
    edited(run / 'research' / 'journal.jsonl', '"output":', '"output":1')


def cut_journal(run: Path) -> None:
    path = run / 'research' / 'journal.jsonl'
    path.write_text(''.join(path.read_text().splitlines(keepends=True)[:-1]))


def cut_audits(run: Path) -> None:
    path = run / 'audits.jsonl'
    path.write_text(''.join(path.read_text().splitlines(keepends=True)[:-1]))


def change_audits(run: Path) -> None:
    edited(run / 'audits.jsonl', '"says":"FAILURE"', '"says":"SUCCESS"')


def trial_json(run: Path) -> Path:
    return sorted(run.glob('trials/*/trial.json'))[0]


def change_trial_json(run: Path) -> None:
    edited(trial_json(run), '"seed": ', '"seed": 1')


def change_bag(run: Path) -> None:
    path = sorted(run.glob('trials/*/bag/*.mcap'))[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_figure(run: Path) -> None:
    edited(run / 'report.json', '"robot_seconds": ', '"robot_seconds": 1')


def change_signature(run: Path) -> None:
    report = json.loads((run / 'report.json').read_text())
    report['signature'] = ('0' if report['signature'][0] != '0' else '1') + report['signature'][1:]
    (run / 'report.json').write_text(json.dumps(report))


def change_weights(run: Path) -> None:
    path = sorted(run.glob('research/artifacts/??/*'))[0]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b'!')


def lose_weights(run: Path) -> None:
    sorted(run.glob('research/artifacts/??/*'))[0].unlink()


def lose_notes(run: Path) -> None:
    git(run / 'research' / 'hub.git', 'update-ref', '-d', 'refs/notes/results-station_1')


def lose_report(run: Path) -> None:
    (run / 'report.json').unlink()


TOUCHES = {
    change_ledger: ('ledger', 'its content was changed'),
    cut_ledger: ('ledger', 'its end was cut off'),
    change_journal: ('journal', 'entry '),
    cut_journal: ('journal', 'its end was cut off'),
    change_audits: ('audits', 'its content was changed'),
    cut_audits: ('audits', 'its end was cut off'),
    change_trial_json: ('trials', 'trial.json says otherwise than the ledger of: seed'),
    change_bag: ('trials', '.mcap'),
    change_figure: ('report.json', 'signature does not fit'),
    change_signature: ('report.json', 'signature does not fit'),
    change_weights: ('artifacts', 'is not what its name says'),
    lose_weights: ('artifacts', 'are gone'),
    lose_notes: ('hub', 'is in no note'),
    lose_report: ('report.json', 'there is none'),
}


def test_an_untouched_run_agrees(finished):
    run, keys = finished
    assert verify_run(run, keys=keys) == []


def test_a_copy_agrees(copied):
    run, keys = copied
    assert verify_run(run, keys=keys) == []


@pytest.mark.parametrize('touch', TOUCHES, ids=lambda touch: touch.__name__)
def test_what_was_touched_is_named(copied, touch: Callable[[Path], None]):
    run, keys = copied
    touch(run)
    where, words = TOUCHES[touch]
    found = verify_run(run, keys=keys)
    assert any(p.where == where and words in p.words for p in found), found


def test_a_figure_that_was_signed_and_does_not_follow_is_named(copied):
    run, keys = copied
    report = json.loads((run / 'report.json').read_text())
    report['figures']['headline']['to']['successes'] += 1
    about = {name: report[name] for name in ('version', 'ends', 'figures')}
    (run / 'report.json').write_text(json.dumps(signed_line(about, signing_key(keys))))
    (problem,) = verify_run(run, keys=keys)
    assert problem.where == 'report.json'
    assert problem.words.startswith('headline.to.successes says')


def test_a_key_that_nobody_trusts_signs_nothing(copied, tmp_path):
    run, keys = copied
    write_report(run, keys=tmp_path / 'other keys')
    found = verify_run(run, keys=keys)
    assert [p.where for p in found] == ['report.json']
    assert 'not trusted here' in found[0].words


def test_a_run_that_went_on_still_agrees(copied):
    run, keys = copied
    Journal(run).note('human', seconds=5.0, why='review')
    AuditBook(run).append('clear', {'seconds': 3.0})
    assert verify_run(run, keys=keys) == []


def test_a_report_of_a_campaign_under_way_still_agrees_later(copied):
    """As far as the report looked, nothing has changed: not even a block that was half done."""
    run, keys = copied
    log = RunLog.read(run)
    own = [e for e in log.ledger if e.request_id == log.confirmations[0].request.request_id]
    half = own[len(own) // 2]
    while_it_ran = RunLog.read(run, {**log.ends, 'ledger': Head(half.sequence, half.digest)})
    numbers = figures(while_it_ran, tree_of(while_it_ran, hub_ideas(while_it_ran)))
    about = {'version': VERSION, 'ends': to_json(while_it_ran.ends), 'figures': numbers}
    (run / 'report.json').write_text(json.dumps(signed_line(about, signing_key(keys))))
    assert verify_run(run, keys=keys) == []


def test_an_idea_that_the_hub_lost_is_named(copied):
    run, keys = copied
    hub = run / 'research' / 'hub.git'
    git(hub, 'update-ref', '-d', 'refs/heads/station/station_1/idea-5')
    found = verify_run(run, keys=keys)
    assert any('tree.problems' in p.words and 'the hub does not' in p.words for p in found), found


def test_a_cut_chain_is_whole_in_itself(copied):
    run, _ = copied
    cut_ledger(run)
    with LedgerReader(run) as ledger:
        assert ledger.verify().whole


def test_differences_name_the_place():
    told = {'a': {'b': [1, 2]}, 'c': 1}
    assert list(differences(told, {'a': {'b': [1, 3]}, 'c': 1})) == [
        'a.b[1] says 2, the records say 3'
    ]
    assert list(differences(told, told)) == []


@pytest.mark.parametrize(
    ('name', 'value'),
    [('ends', {}), ('ends', []), ('ends', {'ledger': {'sequences': 1}}), ('figures', {}),
     ('ends', {name: {'sequence': '1'} for name in ('ledger', 'journal', 'audits')}),
     ('ends', {name: {'sequence': -3} for name in ('ledger', 'journal', 'audits')}),
     ('figures', {'tree': {'ideas': [None]}}), ('figures', {'tree': {'ideas': [{'commit': []}]}})],
)  # fmt: skip
def test_a_report_of_another_shape_is_told_not_stumbled_over(copied, name, value):
    run, keys = copied
    report = json.loads((run / 'report.json').read_text())
    (run / 'report.json').write_text(json.dumps({**report, name: value}))
    (problem,) = verify_run(run, keys=keys)
    assert (problem.where, 'no report of a campaign' in problem.words) == ('report.json', True)


@pytest.mark.parametrize('text', ['', '[]', '{}', '\udcff'])
def test_a_report_that_is_none_is_told(copied, text):
    run, keys = copied
    (run / 'report.json').write_bytes(text.encode('utf-8', 'surrogateescape'))
    (problem,) = verify_run(run, keys=keys)
    assert problem.where == 'report.json'


def test_a_report_of_another_version_is_not_called_forged(copied):
    run, keys = copied
    report = json.loads((run / 'report.json').read_text())
    (run / 'report.json').write_text(json.dumps({**report, 'version': VERSION + 1}))
    (problem,) = verify_run(run, keys=keys)
    assert 'write it again' in problem.words


def test_a_hub_that_is_gone_is_told(finished, tmp_path):
    run, keys = finished
    log = RunLog.read(run)
    log.__dict__['campaign'] = replace(log.campaign, hub='')
    gone = replace(log, run=tmp_path)
    gone.__dict__['campaign'] = log.campaign
    (problem,) = _hub(gone, keys)
    assert (problem.where, 'is gone' in problem.words) == ('hub', True)


def test_many_wrong_figures_are_counted(copied):
    run, keys = copied
    report = json.loads((run / 'report.json').read_text())
    for idea in report['figures']['tree']['ideas']:
        idea.update(dict.fromkeys(('trials', 'successes', 'lower', 'upper', 'seconds'), -1))
    about = {name: report[name] for name in ('version', 'ends', 'figures')}
    (run / 'report.json').write_text(json.dumps(signed_line(about, signing_key(keys))))
    found = verify_run(run, keys=keys)
    assert len(found) == 21
    assert found[-1].words.startswith('and ')


def test_a_report_that_cannot_be_read_is_told(copied):
    run, keys = copied
    lose_report(run)
    (run / 'report.json').mkdir()
    (problem,) = verify_run(run, keys=keys)
    assert problem.where == 'report.json'
    assert problem.words.startswith('it cannot be read: ')


def test_another_end_of_the_same_length_is_named(copied):
    """A chain whose end was cut off and written anew is whole in itself."""
    run, keys = copied
    count = len(AuditBook(run).news())
    cut_audits(run)
    AuditBook(run).append('clear', {'seconds': 3.0})
    assert len(AuditBook(run).news()) == count
    found = verify_run(run, keys=keys)
    assert [(p.where, p.words) for p in found] == [
        ('audits', f'entry {count} is not the one that the report names'),
        ('report.json', 'its figures cannot be computed again: audits is not whole'),
    ]


def test_a_result_that_nobody_signed_is_named(copied):
    run, keys = copied
    Journal(run).note(RESULT, successes=6, trials=6)
    number = Journal(run).news()[-1].sequence
    (problem,) = verify_run(run, keys=keys)
    assert problem.where == 'journal'
    assert problem.words.startswith(f'the result of entry {number}: ')


def test_figures_that_cannot_be_computed_again_are_told(copied, monkeypatch):
    def fails(log: RunLog) -> None:
        raise StationError(ErrorCode.HUB_UNUSABLE, 'the hub is no repository')

    run, keys = copied
    monkeypatch.setattr(verify, 'hub_ideas', fails)
    (problem,) = verify_run(run, keys=keys)
    assert problem.where == 'report.json'
    assert problem.words == 'its figures cannot be computed again: the hub is no repository'
