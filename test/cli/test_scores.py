"""Controllers side by side."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from enpire_nodes.cli.scores import better, mishaps, score_table, scores
from enpire_nodes.rollout.records import (
    AttemptRecord,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)


def trial(number: int, controller: str, *verdicts: VerdictOutcome, **fields) -> TrialRecord:
    attempts = tuple(
        AttemptRecord(index, verdict=VerdictRecord(outcome))
        for index, outcome in enumerate(verdicts, start=1)
    )
    success = VerdictOutcome.SUCCESS in verdicts
    values = {
        'outcome': TrialOutcome.SUCCESS if success else TrialOutcome.FAILURE,
        'controller': controller,
        'attempts': attempts,
        'start_ns': 0,
        'end_ns': 10**10,
        'wall_seconds': 4.0,
        'max_attempts': 2,
    }
    return TrialRecord(f't{number}', **{**values, **fields})


GOOD, BAD = VerdictOutcome.SUCCESS, VerdictOutcome.FAILURE


@pytest.fixture
def trials():
    first = [trial(n, 'scripted', *((GOOD,) if n % 2 else (BAD, GOOD))) for n in range(20)]
    second = [trial(n + 20, 'spiral_search', GOOD) for n in range(20)]
    return [*first, *second]


def test_each_controller_has_its_score(trials):
    scripted, spiral = scores(trials)
    assert (scripted.name, scripted.first_counts, scripted.counts) == (
        'scripted', (10, 20), (20, 20),
    )  # fmt: skip
    assert spiral.first_counts == (20, 20)
    assert scripted.trial_seconds == 10.0
    assert scripted.wall_seconds == 4.0


def test_the_comparison_is_at_the_first_attempt(trials):
    scripted, spiral = scores(trials)
    assert better(scripted, spiral) < 0.01
    assert better(spiral, scripted) > 0.9


def test_open_trials_are_left_out(trials):
    opened = trial(99, 'scripted', outcome=TrialOutcome.UNSET)
    assert scores([*trials, opened])[0].first_counts == (10, 20)


def test_mishaps_are_what_no_verdict_ended(trials):
    bad = [trial(n, 'x', outcome=outcome) for n, outcome in enumerate(
        (TrialOutcome.FAULTED, TrialOutcome.INTERRUPTED, TrialOutcome.RESET_FAILED)
    )]  # fmt: skip
    assert mishaps([*trials, *bad]) == bad


def test_the_table_names_both_and_their_bounds(trials):
    console = Console(file=io.StringIO(), width=120)
    console.print(score_table(scores(trials)))
    shown = console.file.getvalue()
    for words in ('scripted', 'spiral_search', '10/20 50.0 %', 'pass@2', '30.2 % – 69.8 %'):
        assert words in shown
