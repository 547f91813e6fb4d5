"""How controllers did, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from rich.table import Table

from enpire_nodes.cli.live import percent
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord
from enpire_nodes.rollout.statistics import barnard, lower_bound, summarize, Summary, upper_bound


@dataclass(frozen=True, slots=True)
class Score:
    """How one controller did.

    :param summary: of its trials.
    :param trial_seconds: mean of the station's clock from the start of a trial to its end.
    :param wall_seconds: mean of the wall clock.
    """

    name: str
    trials: tuple[TrialRecord, ...]
    summary: Summary
    trial_seconds: float
    wall_seconds: float

    @property
    def counts(self) -> tuple[int, int]:
        """Successes at any attempt, and trials that count."""
        return self.summary.successes, self.summary.counted

    @property
    def first_counts(self) -> tuple[int, int]:
        """Successes at the first attempt, and trials that count."""
        return self.summary.first_attempt_successes, self.summary.counted


def scores(trials: Iterable[TrialRecord]) -> list[Score]:
    """Return the score of each controller, in the order of their first trials."""
    by_name: dict[str, list[TrialRecord]] = {}
    for trial in trials:
        if trial.closed:
            by_name.setdefault(trial.controller, []).append(trial)
    return [
        Score(
            name,
            tuple(done),
            summarize(done),
            fmean((trial.end_ns - trial.start_ns) / 1e9 for trial in done),
            fmean(trial.wall_seconds for trial in done),
        )
        for name, done in by_name.items()
    ]


def better(first: Score, second: Score) -> float:
    """Return Barnard's p for the second controller being no better than the first, at pass@1."""
    return barnard(second.first_counts, first.first_counts, alternative='greater')


def mishaps(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return the trials that something else than a verdict ended."""
    judged = (TrialOutcome.SUCCESS, TrialOutcome.FAILURE, TrialOutcome.UNCERTAIN)
    return [trial for trial in trials if trial.outcome not in judged]


def score_table(rows: Sequence[Score]) -> Table:
    """Return the scores as a table with one column a controller."""
    table = Table(title='success', title_justify='left')
    table.add_column('')
    for row in rows:
        table.add_column(row.name, justify='right')
    k = max((trial.max_attempts for row in rows for trial in row.trials), default=1)
    table.add_row('pass@1', *(_rate(*row.first_counts) for row in rows))
    table.add_row('  95 % bounds', *(_bounds(*row.first_counts) for row in rows))
    if k > 1:
        table.add_row(f'pass@{k}', *(_rate(*row.counts) for row in rows))
        table.add_row('  95 % bounds', *(_bounds(*row.counts) for row in rows))
    table.add_row('longest streak', *(str(row.summary.longest_streak) for row in rows))
    table.add_row('excluded', *(str(row.summary.excluded) for row in rows))
    table.add_row('station s per trial', *(f'{row.trial_seconds:.1f}' for row in rows))
    table.add_row('wall s per trial', *(f'{row.wall_seconds:.1f}' for row in rows))
    return table


def _rate(successes: int, trials: int) -> str:
    return f'{successes}/{trials} {percent(successes / trials if trials else float("nan"))}'


def _bounds(successes: int, trials: int) -> str:
    return f'{percent(lower_bound(successes, trials))} – {percent(upper_bound(successes, trials))}'
