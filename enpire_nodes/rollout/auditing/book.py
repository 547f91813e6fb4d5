"""The audit book ``audits.jsonl`` of a run.

The auditor's node, the runner (a canary that failed) and the command ``enpire audit`` write it,
each for itself; see :class:`~enpire_nodes.rollout.ledger.line_book.LineBook`.
"""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.rollout.ledger.line_book import LineBook

FILE_NAME = 'audits.jsonl'

#: A trial that was closed: its verdicts, and whether it was drawn.
TRIAL = 'trial'
#: What an auditor other than a person says of an attempt.
FINDING = 'finding'
#: What a person says of an attempt.
LABEL = 'label'
#: Why the judge is doubted; holds until a CLEAR. Drawn from the entries up to number ``seen``.
ALARM = 'alarm'
#: A person has looked, and trusts the judge again; ``unheard`` trials were over and not here yet.
CLEAR = 'clear'


class AuditBook(LineBook):
    """The audits of one run.

    :param run: the run directory.
    """

    def __init__(self, run: Path) -> None:
        super().__init__(Path(run) / FILE_NAME)
