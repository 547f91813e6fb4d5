"""``enpire environment record``: its plan, what it says, and a real station."""

import argparse
from dataclasses import replace

import pytest
from trial_support import ended, open_trial

from enpire_nodes.cli import environment_record
from enpire_nodes.cli.environment_record import (
    PLAN,
    REQUESTER,
    settings_by_controller,
    Share,
    summary,
)
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import TrialOutcome


def record(*arguments):
    parser = argparse.ArgumentParser()
    environment_record.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(['record', *map(str, arguments)])
    return parsed.run(parsed)


@pytest.mark.parametrize('text', PLAN)
def test_the_usual_plan_can_be_read(text):
    share = Share.parse(text)
    assert f'{share.controller}:{share.trials}' == text


@pytest.mark.parametrize('text', ['spiral_search', ':3', 'hold:0', 'hold:x', 'hold:-1'])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match='CONTROLLER:TRIALS'):
        Share.parse(text)


def test_settings_go_to_their_controller():
    plan = [Share('replay', 2), Share('hold', 1)]
    texts = ['replay.bag=/a/bag', 'hold.duration=2.5']
    assert settings_by_controller(texts, plan) == {
        'replay': {'replay.bag': '/a/bag'},
        'hold': {'hold.duration': 2.5},
    }


@pytest.mark.parametrize('text', ['bag=/a', 'scripted.depth=0.03', 'replay.bag'])
def test_settings_of_nobody_are_refused_before_a_station_starts(text, capsys, tmp_path):
    assert record('replay:1', '--set', text, '--run', tmp_path) == 2
    assert text.partition('=')[0] in capsys.readouterr().err


def test_the_summary_tells_how_the_trials_of_phase_one_were_judged():
    def trial(number, outcome, **fields):
        return ended(open_trial(f't{number}', **{'requester': REQUESTER, **fields}), outcome)

    trials = [
        trial(1, TrialOutcome.SUCCESS, controller='spiral_search'),
        trial(2, TrialOutcome.SUCCESS, controller='spiral_search'),
        trial(3, TrialOutcome.FAILURE, controller='hold'),
        trial(4, TrialOutcome.SUCCESS, controller='hold', requester='agent'),
        replace(open_trial('t5', controller='hold'), requester=REQUESTER),
    ]
    assert summary(trials).splitlines() == [
        'spiral_search: 2 trials, judged 2 success',
        'hold: 2 trials, judged 1 failure, 1 open',
    ]
    assert summary([]) == 'nothing was recorded'


def test_a_station_that_is_not_there_is_named(capsys, tmp_path):
    assert record('--station', tmp_path / 'none.yaml', '--run', tmp_path) == 2
    assert 'none.yaml' in capsys.readouterr().err


@pytest.mark.ros
@pytest.mark.egl
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(180)
def test_a_station_records_its_plan(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    code = record('hold:1', 'scripted:1', '--run', tmp_path / 'run', '--truth')
    said = capsys.readouterr()
    assert code == 0, said.err
    with LedgerReader(tmp_path / 'run') as ledger:
        trials = ledger.trials()
        ends = [(trial.outcome.name, trial.message) for trial in trials]
        assert 'hold: 1 trials, judged 1 failure' in said.out, ends
        assert [trial.controller for trial in trials] == ['hold', 'scripted']
        assert {trial.requester for trial in trials} == {REQUESTER}
        assert all(ledger.run.bag(trial.trial_id).is_dir() for trial in trials)
