"""``enpire audit`` as a person sees it."""

from __future__ import annotations

import argparse
from dataclasses import replace
import json

from audit_support import evidence
import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.cli import audit, audit_look
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.alarm import AlarmRule, SECOND
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.recording import evidence as reading
from enpire_nodes.rollout.records import VerdictOutcome as V


@pytest.fixture
def enpire(capsys, run):
    def call(*arguments):
        parser = argparse.ArgumentParser()
        audit.add_parser(parser.add_subparsers())
        parsed = parser.parse_args(['audit', *map(str, arguments), '--run', str(run)])
        code = parsed.run(parsed)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def run(tmp_path):
    """Two trials that were drawn, one with two attempts, and one that was not judged."""
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        desk = AuditDesk(tmp_path, Sampler(b'key', 1.0), AlarmRule())
        for name, verdicts in (
            ('trial_1', (V.FAILURE, V.SUCCESS)),
            ('trial_2', (V.SUCCESS,)),
            ('trial_3', ()),
        ):
            trial = open_trial(name)
            ledger.start_trial(trial)
            attempts = tuple(attempt(index + 1, item) for index, item in enumerate(verdicts))
            closed = ledger.close_trial(replace(ended(trial), attempts=attempts))
            desk.hear(closed)
    return tmp_path


@pytest.fixture
def desk(run):
    return AuditDesk(run, Sampler(b'key', 1.0), AlarmRule())


def test_the_list_shows_what_waits_and_the_rates(enpire, desk):
    code, out, _ = enpire('list')
    assert code == 0
    assert 'trial_1' in out
    assert 'trial_2' in out
    assert 'trial_3' not in out
    assert 'drawn' in out
    assert '3 trials heard, 2 drawn' in out
    assert 'SUCCESS' not in out
    desk.label('trial_2', 1, V.SUCCESS, labeller='Ada', seconds=90.0)
    _, out, _ = enpire('list')
    assert 'trial_2' not in out
    assert 'person' in out
    assert 'label 1.5' in out


def test_the_list_does_not_tell_the_judges_verdict_before_the_label_is_given(enpire, run):
    desk = AuditDesk(run, Sampler(b'', 0.0), AlarmRule())
    for name, verdict in (('trial_4', V.UNCERTAIN), ('trial_5', V.SUCCESS)):
        desk.hear(replace(ended(open_trial(name)), attempts=(attempt(1, verdict),)))
    desk.find(SECOND, 'trial_5', 1, V.FAILURE, 'no pin')
    waiting = {
        item['trial_id']: item for item in json.loads(enpire('list', '--json')[1])['waiting']
    }
    odd = [waiting[name] for name in ('trial_4', 'trial_5')]
    assert [item['why'] for item in odd] == ['odd', 'odd']
    table = enpire('list')[1].partition('the judge,')[0]
    for word in ('uncertain', 'contradicts', 'SUCCESS', 'FAILURE'):
        assert word.lower() not in table.lower()


def test_the_list_for_programs(enpire, desk):
    desk.label('trial_2', 1, V.SUCCESS, labeller='Ada', seconds=5.0)
    code, out, _ = enpire('list', '--json')
    data = json.loads(out)
    assert code == 0
    assert [item['trial_id'] for item in data['waiting']] == ['trial_1']
    assert data['tallies']['person']['true_successes'] == 1
    assert data['human_seconds'] == {'label': 5.0}


def test_show_writes_the_sheet_beside_the_bag_and_does_not_tell_the_verdict(
    enpire, run, monkeypatch
):
    asked = []

    def evidence_of(bag, *, task, attempt):
        asked.append((bag, task.name, attempt.index))
        return evidence()

    monkeypatch.setattr(reading, 'evidence_of', evidence_of)
    code, out, _ = enpire('show', 'trial_1')
    path = run / 'trials' / 'trial_1' / 'audit_2.png'
    assert (code, out.strip()) == (0, str(path))
    assert path.stat().st_size > 10000
    assert asked == [(run / 'trials' / 'trial_1' / 'bag', 'pin_insertion', 2)]
    code, out, _ = enpire('show', '1', '--attempt', 1, '--output', run / 'mine.png')
    assert out.strip() == str(run / 'mine.png')
    assert asked[-1][2] == 1


def test_a_bag_that_cannot_be_read_is_said(enpire):
    code, _, err = enpire('show', 'trial_2')
    assert code == 1
    assert 'ENVIRONMENT_EVIDENCE_UNREADABLE' in err


def test_a_label_is_written_down_with_its_time(enpire, desk):
    code, out, _ = enpire('label', 'trial_2', 'failure', '--by', 'Ada', '--seconds', 12)
    assert code == 0
    assert 'FAILURE by Ada (12 s); the judge said SUCCESS' in out
    desk.refresh()
    assert desk.audits.trials['trial_2'].labels == {1: V.FAILURE}
    assert desk.audits.human_seconds == {'label': 12.0}


def test_the_time_is_that_since_the_pictures_were_shown(enpire, desk, run):
    code, _, err = enpire('label', 'trial_2', 'success', '--by', 'Ada')
    assert code == 1
    assert '--seconds' in err
    audit_look.begin(run / 'trials' / 'trial_2' / 'audit_1.json')
    assert enpire('label', 'trial_2', 'success', '--by', 'Ada')[0] == 0
    desk.refresh()
    assert 0.0 <= desk.audits.human_seconds['label'] < 5.0
    assert enpire('label', 'trial_2', 'success', '--by', 'Ada')[0] == 1  # that look is booked


def test_a_look_is_kept_until_its_label_is_in_the_book(enpire, run):
    note = run / 'trials' / 'trial_2' / 'audit_1.json'
    audit_look.begin(note)
    assert enpire('label', 'trial_2', 'success', '--by', ' ')[0] == 1
    assert note.is_file()
    assert enpire('label', 'trial_2', 'success', '--by', 'Ada')[0] == 0
    assert not note.exists()


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('label', 'none', 'success'), 'no trial is called none'),
        (('label', 'trial', 'success'), '3 trials fit it'),
        (('label', 'trial_3', 'success'), 'never judged'),
        (('label', 'trial_1', 'success', '--attempt', 5), 'judged: 1, 2'),
        (('show', 'trial_3'), 'never judged'),
    ],
)
def test_what_cannot_be_labelled_or_shown_is_explained(enpire, arguments, words):
    rest = ('--by', 'Ada', '--seconds', 1) if arguments[0] == 'label' else ()
    code, _, err = enpire(*arguments, *rest)
    assert code == 1
    assert words in err


def test_an_alarm_is_shown_until_it_is_cleared(enpire, desk):
    assert enpire('clear', '--reason', 'nothing', '--by', 'Ada', '--seconds', 1)[0] == 1
    with pytest.raises(SystemExit):
        enpire('clear', '--reason', 'nobody says how long', '--by', 'Ada')
    for number in range(3):
        desk.hear(
            replace(ended(open_trial(f't{number}')), attempts=(attempt(1, V.SUCCESS),)), {1: False}
        )
    code, out, _ = enpire('list')
    assert code == 1
    assert 'ALARM' in out
    code, out, _ = enpire('clear', '--reason', 'lamp replaced', '--by', 'Ada', '--seconds', 120)
    assert code == 0
    assert 'cleared by Ada' in out
    code, out, _ = enpire('list')
    assert (code, 'ALARM' in out) == (0, False)
    assert 'human minutes 2.0: review 2.0' in out


def test_a_book_that_was_changed_is_refused(enpire, run):
    path = run / 'audits.jsonl'
    path.write_bytes(path.read_bytes().replace(b'"sampled":true', b'"sampled":false'))
    code, _, err = enpire('list')
    assert code == 1
    assert 'changed after it was written' in err
    with pytest.raises(StationError) as caught:
        AuditDesk(run, Sampler(b'', 0.0))
    assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED
