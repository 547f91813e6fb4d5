"""A station whose every answer is scripted, and a book that remembers what it was given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.records import (
    Execution,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)
from enpire_nodes.rollout.trial.port import ExecuteResult, Recording, ResetResult
from enpire_nodes.tasks.api import Pose

FIXTURE = Pose(np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
SECOND = 10**9


def ran(**fields: Any) -> ExecuteResult:
    """Return an execution that ended as it should, but for ``fields``."""
    values = {
        'execution': Execution.COMPLETED,
        'can_retry': True,
        'start_ns': 10 * SECOND,
        'settle_start_ns': 12 * SECOND,
        'settled_ns': 13 * SECOND,
        'steps': 60,
        'controller': 'scripted',
        'controller_digest': 'abc',
    }
    return ExecuteResult(**{**values, **fields})


def verdict(outcome: VerdictOutcome, message: str = '') -> VerdictRecord:
    return VerdictRecord(outcome, error_code=ErrorCode.NONE, message=message)


class ScriptedStation:
    """Plays back results; an exception among them is raised. ``log`` has what was called.

    The clock advances by a second at every call that takes part in a trial.
    """

    def __init__(self) -> None:
        self.log: list[str] = []
        self.clock = 0
        self.resets: list[Any] = []
        self.executions: list[Any] = []
        self.verdicts: list[Any] = []
        self.checks: list[Any] = []
        self.recordings: list[Any] = []
        self.starts: list[Any] = []
        self.preparations: list[Any] = []
        self.previous: list[tuple] = []
        self.seeds: list[int] = []
        self.during: Callable[[str], None] = lambda stage: None

    def now_ns(self) -> int:
        return self.clock

    def prepare(self, controller: str, parameters: dict) -> str:
        return self._play('prepare', self.preparations, controller or 'current')

    def check(self) -> None:
        self._play('check', self.checks, None, log=False)

    def start_recording(self, trial_id: str, bag: Path) -> None:
        self._play('record', self.starts, None)

    def reset(self, trial_id: str, seed: int) -> ResetResult:
        self.seeds.append(seed)
        return self._play('reset', self.resets, ResetResult(FIXTURE))

    def execute(self, trial_id: str, attempt: int, **fields: Any) -> ExecuteResult:
        self.previous.append(fields['previous'])
        return self._play(f'execute {attempt}', self.executions, ran())

    def judge(self, trial_id: str, attempt: int, **stamps: int) -> VerdictRecord:
        return self._play(f'judge {attempt}', self.verdicts, verdict(VerdictOutcome.SUCCESS))

    def stop_recording(self, trial_id: str) -> Recording:
        return self._play('stop', self.recordings, Recording(digest='bag digest'))

    def _play(self, what: str, script: list[Any], default: Any, *, log: bool = True) -> Any:
        if log:
            self.log.append(what)
            self.clock += SECOND
            self.during(what)
        value = script.pop(0) if script else default
        if isinstance(value, Exception):
            raise value
        return value


class Book:
    """Rows in memory."""

    def __init__(self, station: ScriptedStation) -> None:
        self.station = station
        self.started: list[TrialRecord] = []
        self.closed: list[TrialRecord] = []
        self.full = False

    def start_trial(self, trial: TrialRecord) -> str:
        if self.full:
            raise StationError(ErrorCode.RUNNER_LEDGER_FAILED, 'disk full')
        self.station.log.append('started')
        self.started.append(trial)
        return 'digest'

    def close_trial(self, trial: TrialRecord) -> TrialRecord:
        self.station.log.append('closed')
        self.closed.append(trial)
        return replace(trial, ledger_digest='row')
