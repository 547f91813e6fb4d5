"""How a station serves a campaign: numbers that a lab may want to set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """See the parameters of the node for what each means to a person.

    :param retest_trials: pairs of a re-test of what the agent proposes.
    :param confirmation_attempts: most attempts of a trial of a confirmation block.
    :param most_queued: trials that the agent may have in the queue.
    :param background_share: of the budgets of trials and robot time, what the station may use for
        tests that nobody asked for while the agent thinks; 0 runs none.
    :param background_pairs: pairs of such a test.
    """

    retest_trials: int = 20
    confirmation_attempts: int = 8
    most_queued: int = 200
    background_share: float = 0.3
    background_pairs: int = 4
