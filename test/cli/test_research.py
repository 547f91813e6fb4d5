"""``enpire research`` against a real supervisor with a robot on paper."""

from __future__ import annotations

from pathlib import Path

from paper_runner import PaperRunner
import pytest

from enpire_nodes.cli.main import main, make_parser

pytest.importorskip('enpire_msgs')

from enpire_msgs.action import RunResearch
from enpire_nodes.cli.research import goal_of, outcome_name, result_words
from enpire_nodes.evolution.agent_supervisor import AgentSupervisor
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.seed import seed_files
from enpire_nodes.evolution.journal import research_directory
from enpire_nodes.evolution.researcher.start import make_start

pytestmark = [pytest.mark.ros, pytest.mark.timeout(180)]


@pytest.fixture
def station(ros, tmp_path, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))
    monkeypatch.setenv('ENPIRE_KEYS', str(tmp_path / 'keys'))
    run = tmp_path / 'run'
    runner = ros.within(
        lambda: ros.add(
            PaperRunner(
                run, namespace='/station_1', context=ros.context, use_global_arguments=False
            )
        ),
    )
    supervisor = ros.make(AgentSupervisor, run_directory=str(run), require_frozen=False)
    yield run
    supervisor.close()
    runner.close()


def test_a_campaign_that_cannot_begin_ends_at_once_in_words_and_names_its_report(station, capsys):
    code = main(['research', '--trials', '12', '--campaign', 'c1', '--wait', '30'])
    shown = capsys.readouterr().out
    # the template's recipe learns, and there is nothing to learn from: nobody has shown anything
    assert code == 1, shown
    assert 'no weights came with it; run `enpire train` first' in shown
    assert 'report: ' in shown
    assert Path(shown.split('report: ')[1].splitlines()[0]).is_file()
    assert (station / 'research' / 'journal.jsonl').is_file()


def test_a_campaign_is_followed_until_its_budget_is_used(station, tmp_path, capsys):
    seed = tmp_path / 'seed'
    seed_files(seed, 'pin_insertion')
    make_start(seed)
    Hub.create(research_directory(station) / 'hub.git', seed=seed)
    assert main(['research', '--trials', '12', '--campaign', 'c1', '--wait', '30']) == 3
    shown = capsys.readouterr().out
    assert '12 trials' in shown
    assert Path(shown.split('report: ')[1].splitlines()[0]).is_file()


def test_a_campaign_without_a_budget_is_refused_in_words(station, capsys):
    assert main(['research', '--campaign', 'c1', '--wait', '30']) == 1
    assert 'no budget is set' in capsys.readouterr().err


def test_without_a_station_it_says_so(ros, monkeypatch, capsys):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))
    assert main(['research', '--trials', '5', '--wait', '0.5']) == 1
    assert 'agent_supervisor did not take the request' in capsys.readouterr().err


def test_budgets_are_given_in_the_units_of_people():
    args = make_parser(['research']).parse_args(
        ['research', '--hours', '1.5', '--robot-minutes', '90', '--tokens', '7', '--money', '2.5',
         '--target', '0.85', '--confirmation', '40']
    )  # fmt: skip
    goal = goal_of(args, agent='claude', campaign='c')
    assert (goal.budget_wall_clock.sec, goal.budget_robot_time.sec) == (5400, 5400)
    assert (goal.budget_tokens, goal.budget_money) == (7, 2.5)
    assert (goal.target_success_rate, goal.confirmation_trials) == (0.85, 40)
    assert (goal.agent, goal.campaign) == ('claude', 'c')


def test_the_end_is_told_in_words():
    result = RunResearch.Result(
        outcome=RunResearch.Result.BUDGET_USED, message='tokens are used up',
        best_commit='a' * 40, report='/r/report.html',
    )  # fmt: skip
    assert outcome_name(result) == 'BUDGET_USED'
    words = result_words(result)
    assert 'budget used: tokens are used up' in words
    assert 'aaaaaaaaaa' in words
    assert '/r/report.html' in words
    assert outcome_name(RunResearch.Result()) == 'UNSET'
