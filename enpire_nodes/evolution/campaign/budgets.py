"""What a campaign has used of its budgets, and when it must stop."""

from __future__ import annotations

from dataclasses import dataclass
import math

from enpire_nodes.evolution.records import Budgets

#: Share of a budget from which the agent is warned.
WARNING = 0.8


@dataclass(frozen=True, slots=True)
class Used:
    """What was used, in the units of :class:`~enpire_nodes.evolution.records.Budgets`.

    :param money: NaN when a call was made whose price is unknown.
    """

    tokens: int = 0
    money: float = 0.0
    wall_clock: float = 0.0
    robot_time: float = 0.0
    trials: int = 0


@dataclass(frozen=True, slots=True)
class BudgetState:
    """How far one budget is used.

    :param limit: never 0: a budget without a limit has no state.
    """

    name: str
    used: float
    limit: float
    unit: str

    @property
    def share(self) -> float:
        """Part of the limit that is used, 1 and more when it is used up."""
        return self.used / self.limit

    @property
    def spent(self) -> bool:
        """Whether nothing is left; an amount that nobody knows counts as nothing left."""
        return not self.used < self.limit

    def words(self) -> str:
        """Say how much is left."""
        if math.isnan(self.used):
            return (
                f'{self.name}: unknown of {self.limit:g} {self.unit}, the price list lacks a model'
            )
        return f'{self.name}: {self.used:.6g} of {self.limit:g} {self.unit} used'


def states(limits: Budgets, used: Used, *, currency: str = '') -> list[BudgetState]:
    """Return the state of every budget that has a limit, the most used first."""
    every = (
        BudgetState('tokens', used.tokens, limits.tokens, 'tokens'),
        BudgetState('money', used.money, limits.money, currency or 'units'),
        BudgetState('wall_clock', used.wall_clock, limits.wall_clock, 's'),
        BudgetState('robot_time', used.robot_time, limits.robot_time, 's'),
        BudgetState('trials', used.trials, limits.trials, 'trials'),
    )
    kept = [state for state in every if state.limit > 0]
    return sorted(kept, key=lambda state: (not state.spent, -state.share))


def spent(limits: Budgets, used: Used, *, currency: str = '') -> str:
    """Return which budget is used up, in words; empty when none is."""
    return next(
        (state.words() for state in states(limits, used, currency=currency) if state.spent), ''
    )
