"""How many trials a judge that has broken goes on for, until the audits notice.

Campaigns are drawn from attempts that were really judged: each trial is one attempt, a success or
a failure by the toss of a fair coin, and of its class any of the attempts with the same chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from enpire_nodes.rollout.auditing.alarm import AlarmRule
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.records import VerdictOutcome


@dataclass(frozen=True, slots=True)
class Heard:
    """An attempt, and what the judge and an auditor said of it."""

    label: bool
    verdict: VerdictOutcome
    auditor: VerdictOutcome


def trials_until_noticed(
    attempts: Sequence[Heard],
    auditor: str,
    *,
    rule: AlarmRule,
    campaigns: int,
    most: int,
    rng: np.random.Generator,
) -> list[int | None]:
    """Return for each campaign the trial after which the judge is doubted, in ascending order.

    :param attempts: of both classes.
    :param auditor: as :data:`~enpire_nodes.rollout.auditing.alarm.AUDITORS` names it.
    :param most: trials of a campaign.
    :return: None, last, for campaigns that went on to their end.
    """
    classes = [[one for one in attempts if one.label is label] for label in (False, True)]
    noticed = [_campaign(classes, auditor, rule, most, rng) for _ in range(campaigns)]
    return sorted(noticed, key=lambda trial: (trial is None, trial))


def _campaign(
    classes: Sequence[Sequence[Heard]],
    auditor: str,
    rule: AlarmRule,
    most: int,
    rng: np.random.Generator,
) -> int | None:
    tally = Tally()
    for trial, toss in enumerate(rng.integers(2, size=most), start=1):
        drawn = classes[toss][rng.integers(len(classes[toss]))]
        tally.add(drawn.verdict, drawn.auditor)
        if rule.doubt({auditor: tally}):
            return trial
    return None
