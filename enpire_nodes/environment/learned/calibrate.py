"""From the scores of episodes that nobody learned from to a temperature and two thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from enpire_nodes.common.bounds import upper_bound
from enpire_nodes.environment.learned.thresholds import Range
from enpire_nodes.tasks.api import Outcome

_SUREST, _LEAST = 0.03, 0.35  # the lower threshold stays between; the upper mirrors it


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What an eye made of the held-out episodes; it says SUCCESS when all their pictures do.

    :param successes: episodes that are.
    :param failures: episodes that are.
    :param false_positives: failures that it calls SUCCESS.
    :param false_negatives: successes that it calls FAILURE.
    :param uncertain: of either.
    :param false_positive_bound: upper 95 % bound of the rate of false positives.
    :param brier: mean square error of the calibrated scores of single pictures.
    """

    successes: int
    failures: int
    false_positives: int
    false_negatives: int
    uncertain: int
    false_positive_bound: float
    brier: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return asdict(self)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return by what log-odds are divided so that their logistic is the share of successes.

    Platt's targets keep it finite when the classes are told apart without an error, and both
    classes weigh the same: the score is the probability of success at even odds.
    J. Platt, Probabilistic outputs for support vector machines, 1999; C. Guo et al., On
    calibration of modern neural networks, 2017.

    :param logits: (n,) of held-out pictures.
    :param labels: (n,) bool.
    """
    successes, failures = int(labels.sum()), int((~labels).sum())
    target = np.where(labels, (successes + 1.0) / (successes + 2.0), 1.0 / (failures + 2.0))
    weight = np.where(labels, 0.5 / successes, 0.5 / failures)

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(weight @ (np.logaddexp(0.0, scaled) - target * scaled))

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 4.0), method='bounded').x))


def choose_range(
    scores: Sequence[np.ndarray], labels: Sequence[bool], *, bound: float = 0.05
) -> Range:
    """Choose the two thresholds from what held-out episodes score.

    An episode counts with its worst picture: the highest of a failure, the lowest of a success.
    The upper threshold lies above all failures but as many as keep the 95 % bound of the rate of
    false positives within ``bound`` (none, if there are too few episodes for that); the lower one
    likewise below the successes. Where the classes are apart, the range is the middle half, in
    log-odds, of the gap that nobody was seen in: at its very edge lies the most extreme of n
    episodes, which one new one in n + 1 surpasses.

    :param scores: of the pictures of each episode, calibrated; none may be empty.
    :param labels: of the episodes; both classes must be there.
    :param bound: of the rate of false positives, and of false negatives.
    """
    failures = np.sort([float(s.max()) for s, label in zip(scores, labels) if not label])[::-1]
    successes = np.sort([float(s.min()) for s, label in zip(scores, labels) if label])
    above = float(failures[_allowed(len(failures), bound)])
    below = float(successes[_allowed(len(successes), bound)])
    over, under = float(np.nextafter(above, 1.0)), float(np.nextafter(below, 0.0))
    if over < under:
        quarters = np.linspace(logit(above), logit(below), 5)
        low, high = (float(edge) for edge in expit(quarters[[1, 3]]))
    else:
        low, high = under, over
    # A range from 0.001 to 0.999 would call nearly everything new UNCERTAIN: where no held-out
    # episode speaks against it, the calibrated scores themselves are sure enough.
    low = min(max(low, min(_SUREST, under)), _LEAST)
    high = max(min(high, max(1.0 - _SUREST, over)), 1.0 - _LEAST)
    return Range(low, high)


def held_out(scores: Sequence[np.ndarray], labels: Sequence[bool], chosen: Range) -> HeldOut:
    """Count what an eye makes of episodes; parameters as in :func:`choose_range`."""
    verdicts = []
    for taken in scores:
        found = {chosen.verdict(float(score)) for score in taken}
        verdicts.append(found.pop() if len(found) == 1 else Outcome.UNCERTAIN)
    pairs = list(zip(verdicts, labels, strict=True))
    failures = sum(not label for label in labels)
    false_positives = pairs.count((Outcome.SUCCESS, False))
    errors = [np.mean((taken - label) ** 2) for taken, label in zip(scores, labels)]
    return HeldOut(
        successes=len(labels) - failures,
        failures=failures,
        false_positives=false_positives,
        false_negatives=pairs.count((Outcome.FAILURE, True)),
        uncertain=verdicts.count(Outcome.UNCERTAIN),
        false_positive_bound=upper_bound(false_positives, failures),
        brier=float(np.mean(errors)),
    )


def _allowed(episodes: int, bound: float) -> int:
    """Return how many of so many episodes may be judged wrongly."""
    count = 0
    while count + 1 < episodes and upper_bound(count + 1, episodes) <= bound:
        count += 1
    return count
