"""The soak's promises: kept by a good run, broken by each thing that may go wrong."""

from __future__ import annotations

from dataclasses import replace
import io

import pytest
from rich.console import Console

from enpire_nodes.cli import soak
from enpire_nodes.cli.main import main
from enpire_nodes.cli.session import Tale
from enpire_nodes.cli.soak import check, draw_seeds, farewell, promise_table, requests
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    StateInterval,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)

SECOND = 10**9


def trial(number: int, controller: str, success: bool) -> TrialRecord:
    outcome = VerdictOutcome.SUCCESS if success else VerdictOutcome.FAILURE
    return TrialRecord(
        f't{number:03d}',
        controller=controller,
        outcome=TrialOutcome.SUCCESS if success else TrialOutcome.FAILURE,
        attempts=(AttemptRecord(1, verdict=VerdictRecord(outcome)),),
        max_attempts=1,
        reset_seconds=4.0,
        execute_seconds=8.0,
        start_ns=0,
        end_ns=13 * SECOND,
        bag='trials/x/bag',
        bag_digest='d',
    )


@pytest.fixture
def trials():
    scripted = [trial(n, 'scripted', n % 2 == 0) for n in range(20)]
    spiral = [trial(n + 20, 'spiral_search', True) for n in range(20)]
    return [*scripted, *spiral]


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        work = StateInterval(Activity.EXECUTING, 0, 9 * SECOND, 0, 9 * SECOND)
        idle = StateInterval(
            Activity.IDLE_NO_WORK, 9 * SECOND, 10 * SECOND, 9 * SECOND, 10 * SECOND
        )
        ledger.add_interval(work)
        ledger.add_interval(idle)
        yield ledger


def broken(promises) -> list[str]:
    return [name for name, _, kept in promises if not kept]


def test_a_good_run_keeps_every_promise(ledger, trials):
    promises = check(ledger, trials, Tale(), asked=40)
    assert broken(promises) == []
    shown = {name: words for name, words, _ in promises}
    assert shown['robot at work'] == '90.0 % of the wall clock'
    assert "Barnard's p" in shown['spiral_search beats scripted']


def with_reset_failure(trials):
    failed = replace(
        trials[0],
        outcome=TrialOutcome.RESET_FAILED,
        attempts=(),
        execute_seconds=0.0,
        error_code=ErrorCode.RESET_GRASP_FAILED,
        infrastructure=True,
    )
    return [failed, replace(failed, trial_id='t001'), *trials[2:]]


@pytest.mark.parametrize(
    ('change', 'promise'),
    [
        (lambda t: t[:-1], 'trials without an operator'),
        (with_reset_failure, 'resets'),
        (lambda t: [replace(t[0], outcome=TrialOutcome.FAULTED), *t[1:]], 'crashes'),
        (lambda t: [replace(t[0], outcome=TrialOutcome.INTERRUPTED), *t[1:]], 'crashes'),
        (lambda t: [replace(t[0], bag_digest=''), *t[1:]], 'bags'),
        (lambda t: [*t[:20], *(replace(x, controller='spiral_search') for x in t[:20])], 'beats'),
    ],
)
def test_what_breaks_a_promise(ledger, trials, change, promise):
    lost = broken(check(ledger, change(trials), Tale(), asked=40))
    assert len(lost) == 1
    assert promise in lost[0]


def test_a_problem_that_the_ledger_does_not_know_counts(ledger, trials):
    tale = Tale(problems=['driver had to be restarted'])
    promises = check(ledger, trials, tale, asked=40)
    assert broken(promises) == ['crashes, faults']
    console = Console(file=io.StringIO(), width=150)
    console.print(promise_table(promises))
    assert 'driver had to be restarted' in console.file.getvalue()
    assert 'NOT kept' in console.file.getvalue()


def test_a_ledger_that_was_tampered_with_counts(ledger, trials):
    for row in ledger._connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
        ledger._connection.execute(f'DROP TRIGGER {row[0]}')
    ledger._connection.execute("UPDATE entries SET digest = 'x' WHERE sequence = 2")
    assert broken(check(ledger, trials, Tale(), asked=40)) == ['ledger']


def test_few_trials_are_not_compared(ledger, trials):
    few = [*trials[:3], *trials[20:23]]
    assert not any('beats' in name for name, _, _ in check(ledger, few, Tale(), asked=6))


def test_both_controllers_get_the_same_seeds():
    assert draw_seeds(1, 5) == draw_seeds(1, 5)
    assert draw_seeds(1, 5) != draw_seeds(2, 5)
    assert draw_seeds(1, 3) == draw_seeds(1, 5)[:3]


@pytest.mark.ros
def test_both_controllers_are_asked_for_the_same_trials():
    first, second = requests([4, 5], attempts=2)
    assert (first.controller, second.controller) == soak.CONTROLLERS
    assert list(first.seeds) == list(second.seeds) == [4, 5]
    assert first.request_id != second.request_id


def test_the_farewell_says_where_everything_is(tmp_path):
    tale = Tale(memory={'driver': 140_000_000}, seconds=201.4)
    words = farewell(tmp_path, ['success.png'], tale)
    assert '201 s' in words
    assert '140 MB' in words
    assert 'success.png' in words
    assert 'enpire trials' in words


def test_a_station_that_does_not_come_up_breaks_the_promise(monkeypatch, tmp_path, capsys, ledger):
    def no_station(console, configuration, goals):
        return Tale(problems=['driver: exited with 3'])

    monkeypatch.setattr(soak, 'work', no_station)
    monkeypatch.setattr(soak, 'pictures', lambda *_: [])
    assert main(['soak', '--run', str(tmp_path), '--trials', '2']) == 1
    assert 'exited with 3' in capsys.readouterr().out


def test_a_station_without_a_ledger_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(soak, 'work', lambda *_, **__: Tale(problems=['no driver']))
    assert main(['soak', '--run', str(tmp_path / 'none')]) == 1
    shown = capsys.readouterr()
    assert 'no driver' in shown.out + shown.err


@pytest.mark.ros
@pytest.mark.egl
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.alone
def test_the_soak_runs_with_one_trial_each(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    directory = tmp_path / 'soak'
    code = main(['soak', '--trials', '1', '--attempts', '1', '--run', str(directory)])
    shown = capsys.readouterr().out
    assert code == 0, shown
    for name in ('success.png', 'station.png'):
        assert (directory / name).stat().st_size > 20_000
    with LedgerReader(directory) as reader:
        first, second = reader.trials()
        assert [first.controller, second.controller] == ['scripted', 'spiral_search']
        assert first.seed == second.seed
        assert first.attempts
        assert reader.verify().whole
        assert all(reader.run.bag(trial.trial_id).is_dir() for trial in (first, second))
