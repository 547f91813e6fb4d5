"""How good the best recipe was known to be, at every trial.

The best is the recipe whose lower bound is highest, not the one with the luckiest score: a gain
that was not tested again does not get far, and below :data:`ENOUGH` trials it is none. The bounds
hold at every look (they are anytime-valid for each recipe by itself), so the curve may be watched;
the rate may fall as more trials come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.accounting.station_time import robot_seconds_by_trial
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.statistics import anytime_lower_bound

#: A recipe: its commit (or, without one, its controller).
Recipe = str
#: Trials without which nothing is called the best.
ENOUGH = 5


@dataclass(frozen=True, slots=True)
class Point:
    """The best recipe when a trial had ended.

    :param seconds: s since the campaign began.
    :param robot_seconds: s for which the robot had worked for graded trials.
    :param tokens: that had been spent, all classes.
    :param lower: 95 % anytime-valid bound of the rate; ``upper`` likewise.
    """

    seconds: float
    robot_seconds: float
    tokens: int
    recipe: Recipe
    successes: int
    trials: int
    lower: float
    upper: float

    @property
    def rate(self) -> float:
        """Share of successes (pass@k)."""
        return self.successes / self.trials


def recipe_of(trial: TrialRecord) -> Recipe:
    """Return what a trial graded."""
    return trial.commit or trial.controller


def curve(log: RunLog) -> list[Point]:
    """Return the best after every graded trial that changed what is known of it."""
    ends = [ended for ended, _ in log.graded]
    spent = dict(zip(ends, tokens.totals_at(log.calls, ends), strict=True))
    return best_so_far(
        log.graded,
        robot_seconds_by_trial(log.trials),
        start_ns=log.start_ns,
        spent=lambda ended: round(float(spent[ended])),
    )


def best_so_far(
    graded: Iterable[tuple[int, TrialRecord]],
    robot_seconds: Mapping[str, float],
    *,
    start_ns: int,
    spent: Callable[[int], int],
) -> list[Point]:
    """Return the curve; see :func:`curve`.

    :param graded: trials with the wall clock of their ends, ns.
    :param robot_seconds: by trial.
    :param spent: tokens by an instant, ns.
    """
    counts: dict[Recipe, tuple[int, int]] = {}
    lowers: dict[Recipe, float] = {}
    worked, points = 0.0, []
    for ended, trial in graded:
        worked += robot_seconds.get(trial.trial_id, 0.0)
        if not trial.counted:
            continue
        recipe = recipe_of(trial)
        successes, trials = counts.get(recipe, (0, 0))
        counts[recipe] = successes, trials = successes + trial.success, trials + 1
        if trials >= ENOUGH:
            lowers[recipe] = anytime_lower_bound(successes, trials)
        if not lowers:
            continue
        best = max(lowers, key=lambda name: lowers[name])
        successes, trials = counts[best]
        last = points[-1] if points else None
        if last and (last.recipe, last.successes, last.trials) == (best, successes, trials):
            continue
        points.append(
            Point(
                (ended - start_ns) / 1e9,
                worked,
                spent(ended),
                best,
                successes,
                trials,
                lowers[best],
                1.0 - anytime_lower_bound(trials - successes, trials),
            )
        )
    return points
