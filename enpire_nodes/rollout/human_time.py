"""What a run cost people, by activity: steering from the ledger, the rest from the audit book.

Only time that was measured is counted: seconds in which a hand was on the stick, and seconds that
the one who labelled or reviewed took by the clock of the command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from enpire_nodes.common.errors import StationError
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import TrialRecord

#: Steering a whole attempt, and taking over from another controller.
DEMONSTRATE, RESCUE = 'demonstrate', 'rescue'


def human_seconds(trials: Iterable[TrialRecord], audits: Audits) -> Counter[str]:
    """Return the s that people spent on the trials of a run and on its audits, by activity."""
    return +(steered(trials) + audits.human_seconds)


def steered(trials: Iterable[TrialRecord]) -> Counter[str]:
    """Return the s for which people steered, by activity."""
    found: Counter[str] = Counter()
    for trial in trials:
        helped = bool(trial.controller_parameters.get('teleop.base'))
        seconds = sum(attempt.operator_seconds for attempt in trial.attempts)
        found[RESCUE if helped else DEMONSTRATE] += seconds
    return +found


def in_words(seconds: Counter[str]) -> str:
    """Return the minutes in one line; empty when nobody spent any."""
    if not seconds:
        return ''
    parts = ', '.join(f'{name} {value / 60.0:.1f}' for name, value in seconds.most_common())
    return f'human minutes {sum(seconds.values()) / 60.0:.1f}: {parts}'


def cost_of(run: Path) -> str:
    """Return the human minutes of a run in one line; empty when nobody spent any."""
    try:
        with LedgerReader(run) as ledger:
            return in_words(human_seconds(ledger.trials(), Audits.of(run)))
    except StationError:
        return ''
