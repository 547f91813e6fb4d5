"""``enpire run`` against a real runner among doubles."""

from __future__ import annotations

import pytest
from station_doubles import Doubles

from enpire_nodes.cli.main import main
from enpire_nodes.cli.run import parse_settings
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.trial_runner import TrialRunner


@pytest.fixture
def station(ros, tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))
    partners = Doubles(ros)
    runner = ros.make(TrialRunner, run_directory=str(tmp_path), station_deadline=5.0)
    yield partners
    runner.close()


@pytest.mark.ros
def test_trials_are_run_and_summed_up(station, tmp_path, capsys):
    code = main(['run', '--trials', '2', '--attempts', '1', '--seeds', '3', '4', '--wait', '20'])
    shown = capsys.readouterr().out
    assert code == 0
    assert 'SUCCESS' in shown
    assert 'pass@1' in shown
    with LedgerReader(tmp_path) as ledger:
        assert [trial.seed for trial in ledger.trials()] == [3, 4]
        assert {trial.requester for trial in ledger.trials()} == {'operator'}


@pytest.mark.ros
def test_a_stopped_request_says_how_to_go_on(station, capsys):
    code = main(['run', '--trials', '1', '--controller', 'nonsense', '--wait', '20'])
    told = capsys.readouterr().err
    assert code == 1
    assert 'nonsense' in told
    assert '--request' in told


@pytest.mark.ros
def test_no_station_is_exit_code_1(ros, monkeypatch, capsys):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))
    assert main(['run', '--wait', '0.5']) == 1
    assert 'Is the station up' in capsys.readouterr().err


def test_settings_are_read_as_scalars():
    assert parse_settings(['press_force=1.5', 'steps=3', 'name=x', 'on=true']) == {
        'press_force': 1.5, 'steps': 3, 'name': 'x', 'on': True,
    }  # fmt: skip


@pytest.mark.parametrize('setting', ['press_force', '=3', 'x=[1, 2]'])
def test_settings_of_another_form_are_wrong_usage(setting, capsys):
    assert main(['run', '--set', setting]) == 2
    assert '--set' in capsys.readouterr().err
