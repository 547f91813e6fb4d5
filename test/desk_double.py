"""A desk that remembers what it was asked, and a server on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
import hashlib
from pathlib import Path
import tempfile
import threading
import time
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.server import DeskServer
from enpire_nodes.evolution.desk.views import (
    ArmView,
    BudgetLine,
    HistoryView,
    IdeaView,
    JobView,
    SimilarIdea,
    to_json,
    TrialAsk,
)
from enpire_nodes.rollout.records import TrialRecord

COMMIT = 'ab' * 20


class DeskDouble:
    """Keeps jobs in memory; ``finish`` ends one."""

    def __init__(self) -> None:
        self.asks: list[TrialAsk] = []
        self.proposed: list[tuple[str, str]] = []
        self.stored: dict[str, bytes] = {}
        self.known: dict[str, JobView] = {}
        self.records: dict[str, TrialRecord] = {}
        self.bags: dict[str, Path] = {}
        self.sentences: list[str] = []
        self.claimed = True
        self.defect: Exception | None = None
        self.changed = threading.Condition()

    def finish(self, job_id: str, **changes: Any) -> None:
        """End a job."""
        with self.changed:
            self.known[job_id] = replace(self.known[job_id], **{'state': 'done', **changes})
            self.changed.notify_all()

    def status(self) -> dict[str, Any]:
        if self.defect is not None:
            raise self.defect
        return {'campaign': 'night', 'target': 0.9, 'queue': [], 'next': 'claim an idea'}

    def submit(self, ask: TrialAsk) -> JobView:
        self.asks.append(ask)
        return self._make('test', ask.commit, ask.trials)

    def job(self, job_id: str, *, wait: float = 0.0) -> JobView:
        deadline = time.monotonic() + wait
        with self.changed:
            while True:
                if job_id not in self.known:
                    raise StationError(ErrorCode.SUPERVISOR_JOB_UNKNOWN, f'no job {job_id}')
                left = deadline - time.monotonic()
                if self.known[job_id].ended or left <= 0.0:
                    return self.known[job_id]
                self.changed.wait(left)

    def cancel(self, job_id: str) -> JobView:
        self.job(job_id)
        self.finish(job_id, state='canceled')
        return self.job(job_id)

    def jobs(self) -> list[JobView]:
        return list(self.known.values())

    def history(self) -> HistoryView:
        idea = IdeaView(COMMIT, 'abababab', 'Search wider', trials=10, successes=7, lower=0.4)
        return HistoryView((idea, IdeaView('cd' * 20, subject='Untested')), best=COMMIT, plateau=3)

    def publish(self, commit: str, weights: str) -> JobView:
        self.proposed.append((commit, weights))
        return self._make('retest', commit, 40)

    def store(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self.stored[digest] = content
        return digest

    def idea(self, sentence: str) -> dict[str, Any]:
        self.sentences.append(sentence)
        similar = [to_json(SimilarIdea(COMMIT, 'Search wider', 0.8, 'dead: 7/10'))]
        return {'claimed': self.claimed, 'key': 'wide', 'message': 'noted', 'similar': similar}

    def budget(self) -> list[BudgetLine]:
        return [BudgetLine('trials', 12, 100, 'trials'), BudgetLine('money', 1.5, 0.0, 'USD')]

    def peers(self) -> str:
        return 'station_2: 40/50 with a wider spiral'

    def trial(self, trial_id: str) -> TrialRecord:
        try:
            return self.records[trial_id]
        except KeyError as error:
            raise StationError(ErrorCode.SUPERVISOR_JOB_UNKNOWN, f'no trial {trial_id}') from error

    def bag(self, trial_id: str) -> Path:
        self.trial(trial_id)
        return self.bags.get(trial_id, Path('/nonexistent/bag'))

    def _make(self, kind: str, commit: str, trials: int) -> JobView:
        name = f'job-{len(self.known) + 1}'
        self.known[name] = JobView(name, kind, 'queued', arms=(ArmView(commit),), trials=trials)
        return self.known[name]


@contextmanager
def served(desk: DeskDouble, **settings: Any) -> Iterator[Path]:
    """Yield the socket of a server on ``desk``; short, for names of sockets have a limit."""
    with tempfile.TemporaryDirectory(prefix='desk') as folder:
        path = Path(folder) / 'trial.sock'
        server = DeskServer(path, desk, **settings)
        server.start()
        try:
            yield path
        finally:
            server.close()
