"""``enpire environment guide``: the steps of phase one, as far as their files are there."""

import argparse
from dataclasses import replace
import json

import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.cli import environment_guide
from enpire_nodes.cli.environment_guide import steps
from enpire_nodes.cli.environment_record import REQUESTER
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import TrialOutcome, VerdictOutcome

TASK = 'pin_insertion'


@pytest.fixture
def place(tmp_path):
    return tmp_path / 'environment', tmp_path / 'frozen'


@pytest.fixture
def guide(place):
    def call():
        parser = argparse.ArgumentParser()
        environment_guide.add_parser(parser.add_subparsers())
        directory, frozen = map(str, place)
        parsed = parser.parse_args(['guide', TASK, '--directory', directory, '--frozen', frozen])
        return parsed.run(parsed)

    return call


def recorded(run, *, truth=()):
    """Two trials of phase one, the truth of some of them known to the auditor."""
    with Ledger(run, station='s', owner='test') as ledger:
        desk = AuditDesk(run, Sampler(b'key', 0.0))
        for number in range(2):
            trial = open_trial(f't{number}', requester=REQUESTER, environment_digest='e')
            ledger.start_trial(trial)
            made = (attempt(1, VerdictOutcome.SUCCESS),)
            trial = replace(ended(trial, TrialOutcome.SUCCESS), attempts=made)
            ledger.close_trial(trial)
            desk.hear(trial, {1: True} if number in truth else None)
        return desk


def done(place):
    return [step.name for step in steps(TASK, *place) if step.done]


def test_nothing_is_done_at_first_and_record_comes_next(guide, place, capsys):
    assert done(place) == []
    assert guide() == 1
    assert 'next: enpire environment record' in ' '.join(capsys.readouterr().out.split())


def test_labels_of_a_person_and_of_the_simulator_count(place):
    desk = recorded(place[0] / 'run', truth=[0])
    assert done(place) == ['record']
    desk.label('t1', 1, VerdictOutcome.SUCCESS, labeller='Ada', seconds=30.0)
    assert done(place) == ['record', 'label']


def test_labels_of_which_people_differ_are_not_done(place):
    desk = recorded(place[0] / 'run', truth=[0, 1])
    for name, label in (('Ada', VerdictOutcome.SUCCESS), ('Bo', VerdictOutcome.FAILURE)):
        desk.label('t1', 1, label, labeller=name, seconds=1.0)
    step = next(step for step in steps(TASK, *place) if step.name == 'label')
    assert not step.done
    assert 'people differ: t1 attempt 1: Ada says SUCCESS, Bo says FAILURE' in step.state


def test_a_report_that_does_not_pass_says_what_failed(place):
    recorded(place[0] / 'run', truth=[0, 1])
    criteria = [{'name': 'recall', 'passed': False}, {'name': 'latency', 'passed': True}]
    report = place[0] / 'acceptance.json'
    report.write_text(json.dumps({'version': 1, 'passed': False, 'criteria': criteria}))
    step = next(step for step in steps(TASK, *place) if step.name == 'measure')
    assert (step.done, step.state) == (False, 'not passed: recall')
    for content in ('{', '[]', '{"version": 99, "passed": true, "criteria": []}'):
        report.write_text(content)
        step = next(step for step in steps(TASK, *place) if step.name == 'measure')
        assert (step.done, 'is no acceptance report' in step.state) == (False, True)


def test_all_done_says_how_to_use_it_and_what_it_cost(guide, place, capsys):
    desk = recorded(place[0] / 'run', truth=[0])
    desk.label('t1', 1, VerdictOutcome.SUCCESS, labeller='Ada', seconds=90.0)
    (place[0] / 'weights.npz').touch()
    (place[0] / 'acceptance.json').write_text(
        json.dumps({'version': 1, 'passed': True, 'criteria': []})
    )
    place[1].mkdir()
    (place[1] / 'manifest.json').touch()
    assert guide() == 0
    said = ' '.join(capsys.readouterr().out.split())
    assert 'The environment is frozen' in said
    assert 'human minutes 1.5: label 1.5' in said
