"""From votes to a judgement.

Without learned eyes:

==================  ==================  =====================================
cameras             force               judgement
==================  ==================  =====================================
all SUCCESS         SUCCESS             SUCCESS
any FAILURE         FAILURE             FAILURE
all FAILURE         UNCERTAIN           FAILURE
anything else       anything else       UNCERTAIN
==================  ==================  =====================================

So a success needs everyone, and a failure a camera that saw it and nobody who felt otherwise.

Learned eyes only ever take a success away. One that says FAILURE contradicts, and the judgement is
UNCERTAIN. One in its grey range contradicts nothing: it abstains. A success then stands if every
measurement of position, depth and force is clear, and another eye, which looks from elsewhere,
says SUCCESS; two eyes that abstain confirm nothing, and the judgement is UNCERTAIN. The price of
the rule is small: what it lets through still had to fool both geometric views, the force and one
eye, and not to look like a failure to the other. Without it the shares of all grey ranges would
add up, and clear cases would go to the audit queue because one eye of several hesitates.

A failure that the measurements found stands unless every eye says SUCCESS: one view alone can be
fooled by a pin behind the block, which is why there are two. And where no camera says SUCCESS and
the eyes say FAILURE (one may abstain here, too), one of two things makes the failure certain:

* every camera says FAILURE, whatever was felt: a pin pressed on the rim, or stuck half-way,
  resists too, so that force can refute a success but not prove one;
* the force says FAILURE, even if a camera could not measure, because something hid the block.

Evidence that is missing, such as a camera's that sends nothing, is no abstention: with it the eyes
confirm neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.tasks.api import Judgement, Outcome, Vote

CAMERA, EYE = 'camera/', 'eye/'  # how the sources of votes begin
_MIXED = ErrorCode.REWARD_DISAGREEMENT


def count_votes(
    votes: tuple[Vote, ...], codes: Sequence[ErrorCode], *, latency: float
) -> Judgement:
    """Combine the votes of the cameras, of the learned eyes, if any, and, last, of the force.

    :param votes: from the sources ``camera/...``, ``eye/...`` and ``force``.
    :param codes: why each vote is UNCERTAIN, else NONE.
    :param latency: s from the newest picture to now.
    """
    score = min(vote.score for vote in votes)
    summary = '; '.join(f'{vote.source}: {vote.reason}' for vote in votes)
    missing = [code for code in codes if code not in (ErrorCode.NONE, _MIXED)]
    outcome, code = _outcome(votes, complete=not missing), ErrorCode.NONE
    if outcome is Outcome.UNCERTAIN:
        code = missing[0] if missing else _MIXED
    return Judgement(outcome, score, votes, latency, code, summary)


def _outcome(votes: tuple[Vote, ...], *, complete: bool) -> Outcome:
    cameras = [vote.verdict for vote in votes if vote.source.startswith(CAMERA)]
    eyes = [vote.verdict for vote in votes if vote.source.startswith(EYE)]
    force = votes[-1].verdict
    if _all(Outcome.SUCCESS, cameras) and force is Outcome.SUCCESS:
        sure = complete and (not eyes or _confirm(Outcome.SUCCESS, eyes))
        return Outcome.SUCCESS if sure else Outcome.UNCERTAIN
    all_out = _all(Outcome.FAILURE, cameras)
    measured = (Outcome.FAILURE in cameras and force is Outcome.FAILURE) or (
        all_out and force is Outcome.UNCERTAIN
    )
    learned = complete and Outcome.SUCCESS not in cameras and _confirm(Outcome.FAILURE, eyes)
    if (measured and not _all(Outcome.SUCCESS, eyes)) or (
        learned and (all_out or force is Outcome.FAILURE)
    ):
        return Outcome.FAILURE
    return Outcome.UNCERTAIN


def _confirm(outcome: Outcome, eyes: Sequence[Outcome]) -> bool:
    """Whether some eye says so, none the opposite, and at most one hesitates."""
    hesitant = eyes.count(Outcome.UNCERTAIN)
    return outcome in eyes and hesitant <= 1 and eyes.count(outcome) + hesitant == len(eyes)


def _all(outcome: Outcome, verdicts: Sequence[Outcome]) -> bool:
    return bool(verdicts) and all(verdict is outcome for verdict in verdicts)
