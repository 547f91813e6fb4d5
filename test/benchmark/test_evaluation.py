"""Figures from results that are known beforehand, whole and with parts missing."""

from dataclasses import replace
import json

from observed_run import CYCLE, ObservedRun
import pytest
from rich.console import Console

from enpire_nodes.benchmark.evaluation import evaluate
from enpire_nodes.benchmark.load import machine
from enpire_nodes.benchmark.plot import draw
from enpire_nodes.benchmark.report import print_report, quantity, write_report
from enpire_nodes.benchmark.session import Results
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.records import TrialOutcome

NOT_MEASURED = {'the suite at real time': 'the driver did not come up'}


@pytest.fixture
def results(tmp_path, timing):
    made = ObservedRun(tmp_path, late_ms=2.0, judged_ms=20.0)
    trials = [timing(1, CYCLE / 1.02), timing(2, CYCLE / 1.02)]
    return Results(
        bare_paced=trials,
        bare_free=[replace(trial, wall=trial.wall / 6) for trial in trials],
        realtime=made.run,
        other=made.run,
        problems={'the suite in lockstep': '[/x] nobody offers /station_1/run_trials'},
    )


def by_key(results):
    return {figure.key: figure for figure in evaluate(results).figures}


def test_each_figure_has_its_value_and_goal(results):
    found = by_key(results)

    assert found['overhead_realtime'].value == pytest.approx(2.0)
    assert found['overhead_realtime'].goal == 5.0
    assert found['jitter_p99'].value == pytest.approx(2.0, abs=0.01)
    assert 'by its own clock: p99 1.50 ms' in found['jitter_p99'].detail
    assert found['verdict_p99'].value == pytest.approx(20.0, abs=0.01)
    assert found['speed_bare'].value == pytest.approx(6.0)
    assert found['memory'].value == pytest.approx(0.25)
    assert found['lost_realtime'].value == 0
    assert found['cpu_separate'].value == pytest.approx(0.4)
    goals = [figure for figure in found.values() if figure.goal is not None and figure.value]
    assert all(figure.reached for figure in goals)


def test_goals_that_are_missed_are_not_reached(tmp_path, results):
    results.realtime = ObservedRun(tmp_path / 'bad', late_ms=7.0, judged_ms=90.0, lost=2).run
    results.realtime.memory['driver'] = 1_300_000_000
    results.bare_paced = [replace(trial, wall=trial.wall / 1.2) for trial in results.bare_paced]

    found = by_key(results)

    for key in ('overhead_realtime', 'jitter_p99', 'verdict_p99', 'memory', 'lost_realtime'):
        assert found[key].reached is False, key
    assert 'joint_states 6' in found['lost_realtime'].detail


def test_what_is_missing_says_why(results):
    found = by_key(results)

    for key in ('overhead_lockstep', 'speed_lockstep', 'lost_lockstep'):
        assert found[key].value is None
        assert 'nobody offers /station_1/run_trials' in found[key].missing


def test_nothing_at_all_is_still_a_report():
    found = evaluate(Results(problems=NOT_MEASURED)).figures

    assert len(found) == 11
    assert all(figure.value is None and figure.missing for figure in found)
    assert any('the driver did not come up' in figure.missing for figure in found)


def test_trials_that_went_another_way_are_told(results):
    results.bare_paced = [replace(trial, outcome='FAILURE') for trial in results.bare_paced]

    figure = by_key(results)['overhead_realtime']

    assert figure.value is None
    assert 'bare 2 FAILURE; suite 2 SUCCESS' in figure.missing


def test_trials_without_a_verdict_are_told_once_for_each_way(results):
    run = results.realtime
    ends = [
        (TrialOutcome.FAULTED, ErrorCode.GATE_COMMAND_STALE, 'no command for 0.2 s'),
        (TrialOutcome.FAULTED, ErrorCode.GATE_COMMAND_STALE, 'no command for 0.2 s'),
        (TrialOutcome.FAILURE, ErrorCode.NONE, 'no success in 1 of 1 attempts'),
    ]
    run.trials = [
        replace(trial, outcome=outcome, error_code=code, message=message)
        for trial, (outcome, code, message) in zip(run.trials, ends, strict=True)
    ]

    assert evaluate(results).notes == [
        'suite, real time: 2 of 3 trials FAULTED (GATE_COMMAND_STALE): no command for 0.2 s'
    ]


def test_broken_bag_leaves_the_other_figures_alone(results):
    for file in results.realtime.bag(results.realtime.trials[1]).glob('*.mcap'):
        file.write_bytes(b'nothing')

    found = by_key(results)

    assert found['lost_realtime'].value is None
    assert 'not an MCAP file' in found['lost_realtime'].missing
    assert found['jitter_p99'].value is not None


def test_report_shows_goals_and_reasons(results):
    console = Console(width=160, record=True, file=open('/dev/null', 'w'))  # noqa: SIM115

    print_report(
        console, evaluate(results),
        machine=machine(), problems=results.problems, warning='the machine was busy',
    )  # fmt: skip

    text = console.export_text()
    for words in ('reached', '≤ 5.00 %', 'missing', 'the machine was busy', 'between', 'driver'):
        assert words in text
    assert 'not measured: the suite in lockstep: [/x] nobody offers' in text


def test_json_has_everything(results, tmp_path):
    path = tmp_path / 'bench.json'

    write_report(
        path, evaluate(results),
        machine=machine(), problems=results.problems, conditions={'trials': 2},
    )  # fmt: skip

    data = json.loads(path.read_text())
    assert data['conditions'] == {'trials': 2}
    figures = {figure['key']: figure for figure in data['figures']}
    assert figures['verdict_p99']['reached'] is True
    assert len(data['jitter_ms']) == 3 * 98
    assert len(data['trials']['suite, real time']) == 2


@pytest.mark.parametrize('empty', [False, True])
def test_picture_is_drawn_with_and_without_results(results, tmp_path, empty):
    path = tmp_path / 'bench.png'

    draw(path, evaluate(Results() if empty else results), title='bench')

    assert path.read_bytes().startswith(b'\x89PNG')
    assert path.stat().st_size > 20_000


@pytest.mark.parametrize(
    ('value', 'unit', 'text'),
    [
        (3.14159, '%', '3.14 %'),
        (51.26, 'ms', '51.3 ms'),
        (0.0, '', '0'),
        (5.5, 'x', '5.50 ×'),
        (float('nan'), '%', '?'),
    ],
)
def test_quantities_are_as_precise_as_makes_sense(value, unit, text):
    assert quantity(value, unit) == text
