"""When the judge is to be doubted.

Two rates are watched for each auditor: failures that were judged successes, and successes that
were not judged so. The judge is doubted as soon as the lower bound of a rate, by the Beta-mixture
e-process that holds at every look (:func:`~enpire_nodes.rollout.statistics.anytime_lower_bound`),
lies above what is accepted. All rules together raise a false alarm against a judge that is as good
as accepted with a probability of at most ``1 - confidence``, however long the campaign is, until
a person clears the alarm and the counting starts anew.

How many audited failures it takes to notice a judge that calls this share of them successes (0.2 %
accepted, confidence 0.99, 2,000 simulated campaigns each, seed 0; the test repeats it):

===================  ======  ===============  ====================
true false positive  median  95 % noticed by  not within 5,000
===================  ======  ===============  ====================
100 %                     2                2                  none
50 %                      3                8                  none
20 %                      9               29                  none
10 %                     25               77                  none
5 %                      70              204                  none
2 %                     325              832                  none
1 %                   1,307            2,875                0.05 %
0.2 % (as accepted)   never            never                 100 %
===================  ======  ===============  ====================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.statistics import anytime_lower_bound

TRUTH, SECOND, PERSON, CANARY = 'truth', 'second_verifier', 'person', 'canary'
#: Auditors in the order in which they are reported.
AUDITORS = (TRUTH, SECOND, PERSON, CANARY)
_RULES = 2 * 3  # two rates, of every auditor but the canaries


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """What is accepted.

    :param false_successes: 0 to 1, share of the failures that may be judged successes.
    :param misses: 0 to 1, share of the successes that may not be judged so, UNCERTAIN included.
    :param second_errors: 0 to 1, added to both for the second verifier, which errs itself.
    :param confidence: of all rules together.
    """

    false_successes: float = 0.002
    misses: float = 0.10
    second_errors: float = 0.01
    confidence: float = 0.99

    def doubt(self, tallies: Mapping[str, Tally]) -> str:
        """Return why the judge is doubted, in words; empty when it is not.

        :param tallies: by auditor, counted since the last time that a person cleared an alarm.
        """
        for auditor in AUDITORS:
            tally = tallies.get(auditor)
            if tally is None:
                continue
            words = _canary_doubt(tally) if auditor == CANARY else self._doubt(auditor, tally)
            if words:
                return words
        return ''

    def _doubt(self, auditor: str, tally: Tally) -> str:
        slack = self.second_errors if auditor == SECOND else 0.0
        if self.exceeds(tally.false_successes, tally.failures, self.false_successes + slack):
            return (
                f'{auditor} calls {tally.false_successes} of {tally.failures} failures judged '
                f'successes; {self.false_successes + slack:.2%} are accepted'
            )
        if self.exceeds(tally.misses, tally.successes, self.misses + slack):
            return (
                f'{auditor} says that {tally.misses} of {tally.successes} successes were not '
                f'judged so; {self.misses + slack:.2%} are accepted'
            )
        return ''

    def exceeds(self, hits: int, cases: int, accepted: float) -> bool:
        """Whether ``hits`` of ``cases`` show, at any look, that a rate is above ``accepted``."""
        if hits == 0:
            return False
        confidence = 1.0 - (1.0 - self.confidence) / _RULES
        return anytime_lower_bound(hits, cases, confidence=confidence) > accepted


def _canary_doubt(tally: Tally) -> str:
    if tally.false_successes:
        return f'{tally.false_successes} known failures were judged successes'
    if tally.misses:
        return f'{tally.misses} known successes were not judged so'
    return ''
