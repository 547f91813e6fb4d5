"""What it took: time, robot-time, tokens, money and people, to the target and altogether.

The target is reached when the last trial of a block has ended that was declared before its first
one and whose lower bound is at the target or above. Nothing else counts, however good it looked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
import math

from enpire_nodes.evolution import journal
from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.records import ModelCall, Tokens
from enpire_nodes.rollout.confirmation import Block
from enpire_nodes.rollout.human_time import human_seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent from the begin of a campaign until an instant.

    :param seconds: s of wall-clock.
    :param robot_seconds: s of resetting, executing and verifying, by the station's clock.
    :param price: of the priced calls; ``unpriced`` answered calls have no price, and
        ``uncounted`` did not say how many tokens they took.
    """

    seconds: float
    robot_seconds: float
    tokens: Tokens
    price: float
    unpriced: int
    uncounted: int


def cost_until(log: RunLog, instant_ns: int) -> Cost:
    """Return what a campaign had cost by an instant of the wall clock."""
    calls = [call for call in log.calls if call.start_ns <= instant_ns]
    done = [call for call in calls if call.end_ns <= instant_ns]
    return Cost(
        (instant_ns - log.start_ns) / 1e9,
        math.fsum(
            trial.robot_seconds for ended, trial in log.closed.values() if ended <= instant_ns
        ),
        tokens.until(calls, instant_ns),
        math.fsum(call.price for call in done if math.isfinite(call.price)),
        sum(_answered(call) and not math.isfinite(call.price) for call in done),
        sum(_answered(call) and not call.counted for call in done),
    )


def certifying_block(log: RunLog) -> Block | None:
    """Return the first valid block of this campaign that certifies its target."""
    for block in log.confirmations:
        reached = block.valid and block.summary.lower >= log.campaign.target
        if reached and block_end(log, block):
            return block
    return None


def block_end(log: RunLog, block: Block) -> int:
    """Return when the last trial of a block had ended, ns; 0 when none is of this campaign."""
    own = block.request.request_id
    return max((at for at, trial in log.closed.values() if trial.request_id == own), default=0)


def to_target(log: RunLog) -> Cost | None:
    """Return what it took to reach the target; None when it was not reached."""
    block = certifying_block(log)
    return cost_until(log, block_end(log, block)) if block else None


def people(log: RunLog) -> Counter[str]:
    """Return the s that people gave, by activity, of ledger, audits and journal."""
    found = human_seconds(log.trials, log.audits)
    for entry in log.of_kind(journal.HUMAN):
        found[entry.data.get('why') or 'other'] += entry.data['seconds']
    return found


def _answered(call: ModelCall) -> bool:
    return 200 <= call.status < 300
