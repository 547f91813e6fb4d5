"""What a trial through the suite costs more than the same trial in one bare process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enpire_nodes.benchmark.spread import mean_interval
from enpire_nodes.benchmark.timing import TrialTiming


@dataclass(frozen=True, slots=True)
class Overhead:
    """A paired comparison, seed by seed.

    :param bare: s, mean wall-clock of a bare trial.
    :param suite: s, mean wall-clock of the same trials through the suite.
    :param percent: by how much ``suite`` is longer than ``bare``.
    :param low: percent, end of a bootstrap interval (95 %); ``high`` likewise.
    :param pairs: that were compared.
    :param unlike: pairs left out, because the two trials did not go the same way.
    """

    bare: float
    suite: float
    percent: float
    low: float
    high: float
    pairs: int
    unlike: int


def compare(bare: Sequence[TrialTiming], suite: Sequence[TrialTiming]) -> Overhead | None:
    """Compare the trials that have a seed in common and went the same way.

    :return: None when no two trials can be compared.
    """
    by_seed = {trial.seed: trial for trial in bare}
    pairs = [(by_seed[trial.seed], trial) for trial in suite if trial.seed in by_seed]
    alike = [(one, other) for one, other in pairs if one.like(other)]
    if not alike:
        return None
    walls = np.array([(one.wall, other.wall) for one, other in alike])
    mean_bare, mean_suite = walls.mean(axis=0)
    low, high = mean_interval(walls[:, 1] - walls[:, 0])
    share = 100.0 / mean_bare
    return Overhead(
        bare=float(mean_bare),
        suite=float(mean_suite),
        percent=float((mean_suite - mean_bare) * share),
        low=float(low * share),
        high=float(high * share),
        pairs=len(alike),
        unlike=len(pairs) - len(alike),
    )
