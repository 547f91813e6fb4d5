"""What was measured of an idea, as the station writes and signs it."""

from __future__ import annotations

from typing import Any

from enpire_nodes.common.bounds import upper_bound
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.rules import compare
from enpire_nodes.evolution.records import Job
from enpire_nodes.rollout.statistics import summarize


def results_of(job: Job, evidence: Evidence, *, stamp_ns: int) -> list[dict[str, Any]]:
    """Return one result for each arm of a job that is over; JSON types.

    The digests of the trials tie it to the station's ledger, those of the bags to what was
    recorded: whoever doubts it can recompute it.
    """
    found = []
    for index, arm in enumerate(job.arms):
        trials = evidence.of(arm.request_id)
        if not trials or not arm.commit:
            continue
        summary = summarize(trials)
        result: dict[str, Any] = {
            'commit': arm.commit,
            'weights': arm.weights,
            'job': job.job_id,
            'kind': job.kind.name,
            'request': arm.request_id,
            'trials': summary.counted,
            'excluded': summary.excluded,
            'successes': summary.successes,
            'first_attempt_successes': summary.first_attempt_successes,
            'lower': summary.lower,
            'upper': upper_bound(summary.successes, summary.counted),
            'max_attempts': job.max_attempts,
            'robot_seconds': round(sum(trial.robot_seconds for trial in trials), 3),
            'environment': trials[-1].environment_digest,
            'trial_digests': [trial.ledger_digest for trial in trials],
            'bag_digests': [trial.bag_digest for trial in trials],
            'stamp_ns': stamp_ns,
        }
        if job.paired:
            other = job.arms[1 - index]
            seen = compare(evidence.pairs(arm.request_id, other.request_id))
            result['against'] = {
                'commit': other.commit,
                'weights': other.weights,
                'pairs': seen.pairs,
                'wins': seen.better,
                'losses': seen.worse,
                'p_value': seen.p_value,
            }
        found.append(result)
    return found
