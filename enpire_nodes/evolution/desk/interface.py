"""What a station does for its agent; the trial socket offers exactly this."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from enpire_nodes.evolution.desk.views import BudgetLine, HistoryView, JobView, TrialAsk
from enpire_nodes.rollout.records import TrialRecord

#: The most that :meth:`Desk.store` is given, bytes.
MOST_BYTES = 64 * 2**20


class Desk(Protocol):
    """Thread-safe: every request comes in a thread of its own.

    What cannot be done raises a StationError whose message says what to do instead.
    """

    def status(self) -> dict[str, Any]:
        """Return where the campaign stands, as JSON types.

        Keys: ``campaign``, ``task``, ``target``, ``state``, ``incumbent`` (``commit``,
        ``subject``, ``successes``, ``trials``, ``lower``), ``queue`` (of ``job_id``, ``kind``,
        ``state``, ``left``), ``next`` (words).
        """
        ...

    def submit(self, ask: TrialAsk) -> JobView:
        """Queue trials.

        :raises StationError: SUPERVISOR_JOB_REFUSED, SUPERVISOR_BUDGET_USED, HUB_COMMIT_UNKNOWN,
            HUB_ARTIFACT_UNKNOWN.
        """
        ...

    def job(self, job_id: str, *, wait: float = 0.0) -> JobView:
        """Return a job, once it is over or ``wait`` s have passed.

        :raises StationError: SUPERVISOR_JOB_UNKNOWN.
        """
        ...

    def cancel(self, job_id: str) -> JobView:
        """Run no more trials of a job.

        :raises StationError: SUPERVISOR_JOB_UNKNOWN.
        """
        ...

    def jobs(self) -> list[JobView]:
        """Return all jobs, oldest first."""
        ...

    def history(self) -> HistoryView:
        """Return what was tried, and what came of it."""
        ...

    def publish(self, commit: str, weights: str) -> JobView:
        """Propose a commit for ``main``: re-tested against it, then confirmed.

        :raises StationError: as of :meth:`submit`.
        """
        ...

    def store(self, content: bytes) -> str:
        """Keep weights; return their sha256."""
        ...

    def idea(self, sentence: str) -> dict[str, Any]:
        """Claim an idea.

        :return: ``claimed`` (bool), ``key`` (of the claim), ``message``, and ``similar``, a list
            of :class:`~enpire_nodes.evolution.desk.views.SimilarIdea` as JSON, most alike first.
        """
        ...

    def budget(self) -> list[BudgetLine]:
        """Return what was used of every budget."""
        ...

    def peers(self) -> str:
        """Return news of the other stations, of bounded length."""
        ...

    def trial(self, trial_id: str) -> TrialRecord:
        """Return a trial of this station.

        :raises StationError: SUPERVISOR_JOB_UNKNOWN, there is none.
        """
        ...

    def bag(self, trial_id: str) -> Path:
        """Return the directory of a trial's bag.

        :raises StationError: SUPERVISOR_JOB_UNKNOWN, there is none.
        """
        ...
