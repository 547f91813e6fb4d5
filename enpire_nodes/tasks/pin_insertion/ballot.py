"""From votes to a judgement.

==================  ==================  =====================================
cameras             force               judgement
==================  ==================  =====================================
all SUCCESS         SUCCESS             SUCCESS
any FAILURE         FAILURE             FAILURE
all FAILURE         UNCERTAIN           FAILURE
anything else       anything else       UNCERTAIN
==================  ==================  =====================================

So a success needs everyone, and a failure a camera that saw it and nobody who felt otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.tasks.api import Judgement, Outcome, Vote


def count_votes(
    votes: tuple[Vote, ...], codes: Sequence[ErrorCode], *, latency: float
) -> Judgement:
    """Combine the cameras' votes and, last, the force's.

    :param votes: one per camera, then the force's.
    :param codes: why each vote is UNCERTAIN, else NONE.
    :param latency: s from the newest picture to now.
    """
    cameras, force = [vote.verdict for vote in votes[:-1]], votes[-1].verdict
    score = min(vote.score for vote in votes)
    summary = '; '.join(f'{vote.source}: {vote.reason}' for vote in votes)
    if all(verdict is Outcome.SUCCESS for verdict in (*cameras, force)):
        return Judgement(Outcome.SUCCESS, score, votes, latency, ErrorCode.NONE, summary)
    seen_out = any(verdict is Outcome.FAILURE for verdict in cameras)
    all_out = all(verdict is Outcome.FAILURE for verdict in cameras)
    if (seen_out and force is Outcome.FAILURE) or (all_out and force is Outcome.UNCERTAIN):
        return Judgement(Outcome.FAILURE, score, votes, latency, ErrorCode.NONE, summary)
    missing = [code for code in codes if code not in (ErrorCode.NONE, _MIXED)]
    return Judgement(
        Outcome.UNCERTAIN, score, votes, latency, missing[0] if missing else _MIXED, summary
    )


_MIXED = ErrorCode.REWARD_DISAGREEMENT
