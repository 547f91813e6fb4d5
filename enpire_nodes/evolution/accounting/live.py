"""The accounts of a campaign that goes on: fed by its journal, asked every second.

Feeding costs as much as there is news; :meth:`LiveAccounts.totals` does not depend on how long
the campaign is, only on how much happened within its window.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import math

from enpire_nodes.evolution import journal
from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.records import ModelCall, Tokens
from enpire_nodes.rollout.ledger.chain import Entry


@dataclass(frozen=True, slots=True)
class LiveTotals:
    """What a campaign has used so far, and how fast it uses it now.

    :param tokens_per_minute: by class, within the window.
    :param price: of the calls whose model is in the price list, in its currency.
    :param unpriced: answered calls that have no price.
    :param human_seconds: s that people gave, as the journal has it.
    :param gpu: newest share, 0 to 1; NaN when there is none.
    """

    tokens: Tokens
    tokens_per_minute: dict[str, float]
    price: float
    unpriced: int
    human_seconds: float
    gpu: float


@dataclass(slots=True)
class LiveAccounts:
    """See the module.

    :param window: s that the rates look back.
    """

    window: float = 600.0
    start_ns: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    price: float = 0.0
    unpriced: int = 0
    human_seconds: float = 0.0
    gpu: float = math.nan
    _calls: deque[ModelCall] = field(default_factory=deque)

    def feed_journal(self, entries: Iterable[Entry]) -> None:
        """Go on by new entries of the journal."""
        for entry in entries:
            if entry.kind == journal.CALL:
                self._call(journal.decoded(entry))
            elif entry.kind == journal.HUMAN:
                self.human_seconds += entry.data['seconds']
            elif entry.kind == journal.GPU:
                share = entry.data['share']
                self.gpu = math.nan if share is None else share
            elif entry.kind == journal.CAMPAIGN:
                self.start_ns = entry.wall_ns

    def totals(self, now_ns: int) -> LiveTotals:
        """Return the accounts as of now.

        :param now_ns: wall clock.
        """
        since = max(self.start_ns, now_ns - round(self.window * 1e9))
        while self._calls and max(self._calls[0].end_ns, self._calls[0].start_ns) <= since:
            self._calls.popleft()
        span = (now_ns - since) / 1e9
        rates = dict.fromkeys(tokens.CLASSES, 0.0)
        if span > 0.0:
            binned = tokens.series(self._calls, since, now_ns, step=span)
            rates = {name: float(counts[0]) for name, counts in binned.per_minute().items()}
        return LiveTotals(
            tokens=self.tokens,
            tokens_per_minute=rates,
            price=self.price,
            unpriced=self.unpriced,
            human_seconds=self.human_seconds,
            gpu=self.gpu,
        )

    def _call(self, call: ModelCall) -> None:
        self.tokens += call.tokens
        if math.isfinite(call.price):
            self.price += call.price
        else:
            self.unpriced += 200 <= call.status < 300
        self._calls.append(call)
