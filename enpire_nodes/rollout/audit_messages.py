"""What the audits say, as messages."""

from __future__ import annotations

from builtin_interfaces.msg import Time

from enpire_msgs.msg import AuditStatus, AuditTally
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.auditing.alarm import AUDITORS
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.auditing.tally import Tally

_COUNTS = (
    'true_successes', 'false_successes', 'true_failures', 'false_failures', 'uncertain',
    'undecided',
)  # fmt: skip
_RATES = (
    'precision', 'precision_lower', 'recall', 'recall_lower', 'false_positive_rate',
    'false_positive_upper',
)  # fmt: skip


def tally_message(auditor: str, tally: Tally) -> AuditTally:
    """Return one auditor's tally."""
    values = {name: getattr(tally, name) for name in (*_COUNTS, *_RATES)}
    return AuditTally(auditor=auditor, **values)


def status_message(audits: Audits, *, task: str, accepted: float, stamp: Time) -> AuditStatus:
    """Return ``audit_status``.

    :param accepted: 0 to 1, share of the failures that may be judged successes.
    """
    drawn, tallies = audits.sampled, audits.whole.tallies
    message = AuditStatus(
        task=task,
        environment_digest=audits.environment_digest,
        alarm=bool(audits.alarm),
        error_code=int(ErrorCode.RUNNER_JUDGE_DOUBTED if audits.alarm else ErrorCode.NONE),
        message=audits.alarm,
        trials=len(audits.trials),
        sampled=len(drawn),
        waiting=sum(not trial.labelled for trial in drawn),
        canaries=audits.canaries,
        canaries_failed=audits.canaries_failed,
        accepted_disagreement=accepted,
        tallies=[tally_message(name, tallies[name]) for name in AUDITORS if name in tallies],
    )
    message.header.stamp = stamp
    return message
