"""A station on paper: it keeps a real ledger, and success is whatever the test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution.campaign.schedule import Slice
from enpire_nodes.evolution.records import JobKind
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    Execution,
    RequestRecord,
    StateInterval,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
)

SECONDS = 12.0  # s that a trial takes, by the station's clock


class PaperStation:
    """Runs slices as the trial runner would, in no time.

    :param succeeds: told commit and seed, says whether the first attempt succeeds.
    """

    def __init__(self, run: Path, succeeds: Callable[[str, int], bool]) -> None:
        self.ledger = Ledger(run, station='station_1', owner='test')
        self.succeeds = succeeds
        self.order: list[str] = []
        self.refusals: list[tuple[ErrorCode, str]] = []
        # one that was killed was here before
        self._begun = len(self.ledger.trials()) + len(self.ledger.open_trials())
        self._clock = max((past.end_ns for past in self.ledger.intervals()), default=0)

    def run(self, piece: Slice) -> tuple[ErrorCode, str]:
        """Run one trial; the next refusal that was prepared comes instead."""
        if self.refusals:
            return self.refusals.pop(0)
        job, arm = piece.job, piece.arm
        self.order.append(arm.request_id)
        seeds = job.seeds or tuple(
            1000 * self.ledger.declared_trials() + n for n in range(job.trials)
        )
        known = self.ledger.request(arm.request_id)
        request = known or self.ledger.start_request(
            RequestRecord(
                arm.request_id, job.requester, job.trials, job.max_attempts, seeds,
                controller='learned', controller_parameters=arm.settings, idea=arm.idea,
                commit=arm.commit, confirmation=job.kind is JobKind.CONFIRM,
            )
        )  # fmt: skip
        done = len(self.ledger.trials_of_request(arm.request_id))
        seed = request.seeds[done]
        trial = TrialRecord(
            f'trial-{self._begun + len(self.order):05d}', request_id=arm.request_id,
            requester=job.requester, station='station_1', task='pin_insertion',
            commit=arm.commit, idea=arm.idea, controller='learned', controller_digest='c',
            controller_parameters=arm.settings, seed=seed, max_attempts=job.max_attempts,
        )  # fmt: skip
        self.ledger.start_trial(trial)
        self.ledger.close_trial(closed(trial, self.succeeds(arm.commit, seed)))
        self._work(job.requester, trial.trial_id)
        return ErrorCode.NONE, ''

    def close(self) -> None:
        """Give the ledger back."""
        self.ledger.close()

    def _work(self, requester: str, trial_id: str) -> None:
        start, self._clock = self._clock, self._clock + int(SECONDS * 1e9)
        span = (start, self._clock)
        self.ledger.add_interval(
            StateInterval(Activity.EXECUTING, *span, *span, requester, trial_id)
        )


def closed(trial: TrialRecord, success: bool) -> TrialRecord:
    """Return a trial with one attempt and its verdict."""
    verdict = VerdictOutcome.SUCCESS if success else VerdictOutcome.FAILURE
    return replace(
        trial,
        outcome=TrialOutcome.SUCCESS if success else TrialOutcome.FAILURE,
        attempts=(
            AttemptRecord(
                1, execution=Execution.COMPLETED, steps=100, duration=6.0,
                verdict=VerdictRecord(verdict),
            ),
        ),
        reset_seconds=4.0,
        execute_seconds=7.0,
        verify_seconds=1.0,
        wall_seconds=SECONDS,
        bag_digest='b' * 64,
    )  # fmt: skip
