"""Tokens over time, from the calls that the metering proxy saw.

A call's input counts at the instant at which the call began; its output is spread evenly between
the first and the last byte of the answer, which is when a model writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
import math

import numpy as np

from enpire_nodes.evolution.records import ModelCall, Tokens

#: Classes of tokens; ``reasoning`` is a part of ``output``, no other two overlap.
CLASSES = ('fresh', 'cached', 'written', 'output', 'reasoning')
_INPUT = CLASSES[:3]


@dataclass(frozen=True, slots=True)
class TokenSeries:
    """Tokens by class in bins of equal length.

    :param start_ns: begin of the first bin.
    :param step: s, length of a bin.
    :param counts: (bins,) tokens of each of :data:`CLASSES` that fell into each bin.
    """

    start_ns: int
    step: float
    counts: dict[str, np.ndarray]

    def per_minute(self) -> dict[str, np.ndarray]:
        """Return MTU by class: tokens a minute in each bin, (bins,)."""
        return {name: values * (60.0 / self.step) for name, values in self.counts.items()}

    def cumulative(self) -> dict[str, np.ndarray]:
        """Return the tokens by class up to the end of each bin, (bins,)."""
        return {name: np.cumsum(values) for name, values in self.counts.items()}

    @property
    def total(self) -> np.ndarray:
        """Tokens of all classes in each bin, (bins,)."""
        return sum(self.counts[name] for name in (*_INPUT, 'output'))


def total(calls: Iterable[ModelCall]) -> Tokens:
    """Return all tokens of some calls."""
    return sum((call.tokens for call in calls), Tokens())


def series(
    calls: Iterable[ModelCall], start_ns: int, end_ns: int, *, step: float = 60.0
) -> TokenSeries:
    """Sort tokens into bins; what lies outside the span is left out.

    :param step: s, length of a bin.
    :raises ValueError: the step is not above 0, or the span ends before it starts.
    """
    if not step > 0.0 or end_ns < start_ns:
        raise ValueError(f'no bins of {step} s fit between {start_ns} and {end_ns}')
    bins = max(1, math.ceil((end_ns - start_ns) / 1e9 / step))
    edges = np.arange(bins + 1) * step
    counts = {name: np.zeros(bins) for name in CLASSES}
    for call in calls:
        begin = (call.start_ns - start_ns) / 1e9
        if 0.0 <= begin < edges[-1]:
            for name in _INPUT:
                counts[name][int(begin // step)] += getattr(call.tokens, name)
        first, last = ((value - start_ns) / 1e9 for value in _answer(call))
        shares = np.diff(_written(edges, first, last))
        for name in ('output', 'reasoning'):
            counts[name] += getattr(call.tokens, name) * shares
    return TokenSeries(start_ns, step, counts)


def until(calls: Iterable[ModelCall], instant_ns: int) -> Tokens:
    """Return the tokens that were spent by an instant, rounded to whole ones per call."""
    spent = Tokens()
    for call in calls:
        if call.start_ns > instant_ns:
            continue
        first, last = _answer(call)
        if instant_ns >= last:
            share = 1.0
        else:
            share = max(0.0, (instant_ns - first) / (last - first)) if last > first else 0.0
        tokens = call.tokens
        spent += Tokens(
            tokens.fresh,
            tokens.cached,
            tokens.written,
            round(tokens.output * share),
            round(tokens.reasoning * share),
        )
    return spent


def totals_at(calls: Iterable[ModelCall], instants_ns: Sequence[int]) -> np.ndarray:
    """Return the tokens of all classes that were spent by each instant, (instants,) float.

    The same as :func:`until` for each of them, but for its rounding, and much faster.
    """
    instants = np.asarray(instants_ns, dtype=np.int64)
    spent = np.zeros(instants.shape)
    for call in calls:
        first, last = _answer(call)
        spent += (call.tokens.total - call.tokens.output) * (instants >= call.start_ns)
        share = instants >= last
        if last > first:
            share = np.clip((instants - first) / (last - first), 0.0, 1.0)
        spent += call.tokens.output * share
    return spent


def _answer(call: ModelCall) -> tuple[int, int]:
    """Return when the first and the last byte of an answer came, ns."""
    end = max(call.end_ns, call.start_ns)
    return min(call.first_ns or end, end), end


def _written(edges: np.ndarray, first: float, last: float) -> np.ndarray:
    """Return the share of an answer that was written before each edge of the bins."""
    if last > first:
        return np.clip((edges - first) / (last - first), 0.0, 1.0)
    return (edges > last).astype(float)
