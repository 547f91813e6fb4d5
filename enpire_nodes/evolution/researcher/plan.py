"""How many trials go where: a researcher with few trials must ask less of each idea."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and thresholds.

    :param base: trials of the start before any idea; up to ``most_base`` while it looks so good
        that no idea could pass its screening, for that may have been luck.
    :param rungs: trials of a candidate in each stage, the first being the screening.
    :param paired: rungs from this one on run the best in turn, on the same seeds.
    :param keep: probability of being better than the best that each rung asks for.
    :param lead: that probability from which a candidate takes the lead.
    :param publish: that probability, of trials after the screening, from which to publish;
        ``proof`` is how many of them it takes.
    :param ideas: after which the best is published at the latest, if it is better.
    :param reserve: trials that the station needs for a re-test and a confirmation block.
    :param eager: publish as soon as something is better, rather than at the end.
    :param attempts: of a trial.
    """

    base: int = 8
    most_base: int = 24
    rungs: tuple[int, ...] = (4, 8, 16)
    keep: tuple[float, ...] = (0.5, 0.7, 0.8)
    paired: int = 1
    lead: float = 0.9
    publish: float = 0.95
    proof: int = 20
    ideas: int = 12
    reserve: int = 120
    eager: bool = True
    attempts: int = 1

    @property
    def enough(self) -> int:
        """Trials from which a candidate may lead: screening and one more stage."""
        return sum(self.rungs[:2])


QUICK = Plan(
    base=6,
    most_base=18,
    rungs=(3, 3, 4),
    paired=2,
    keep=(0.6, 0.75, 0.8),
    proof=7,
    reserve=60,
    eager=False,
)


def plan_for(trials: float, seconds: float, *, seconds_per_trial: float = 5.0) -> Plan:
    """Return the plan for a budget.

    :param trials: that may be run, inf without a limit; ``seconds`` likewise.
    """
    most = min(trials, seconds / seconds_per_trial)
    if most > 250:
        return Plan()
    reserve = min(QUICK.reserve, math.floor(0.55 * most))
    return replace(QUICK, reserve=reserve)
