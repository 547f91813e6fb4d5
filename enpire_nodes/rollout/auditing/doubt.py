"""Whether the judge of a run is doubted: what the trial runner asks before every trial."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing import book
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.auditing.book import AuditBook
from enpire_nodes.rollout.auditing.desk import doubted


class Doubt:
    """The alarm in a run's audit book, whoever raised it and whenever that was.

    It reads the book itself, so that an alarm holds although the auditor is down.

    :param run: the run directory.
    """

    def __init__(self, run: Path) -> None:
        self._book, self._audits = AuditBook(run), Audits()

    def check(self) -> None:
        """Return when the judge is trusted.

        :raises StationError: RUNNER_JUDGE_DOUBTED, or RUNNER_LEDGER_FAILED for a book that was
            tampered with.
        """
        if self._book.changed():
            self._audits.take(self._book.news())
        if self._audits.alarm:
            raise StationError(ErrorCode.RUNNER_JUDGE_DOUBTED, self._audits.alarm)

    def raise_alarm(self, why: str, trials: list[str]) -> None:
        """Write an alarm into the book, and stop.

        :param why: in words.
        :param trials: that a person should look at.
        :raises StationError: RUNNER_JUDGE_DOUBTED.
        """
        message = doubted(why, trials)
        self._book.append(book.ALARM, {'message': message})
        raise StationError(ErrorCode.RUNNER_JUDGE_DOUBTED, message)
