"""A trial runner that runs no robot: ``python test/paper_runner.py RUN SECONDS``, as a process.

It keeps a real ledger and takes real goals; whether a trial succeeds is drawn from its commit.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import sys

from paper_station import PaperStation

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import SafetyState, Utilization
from enpire_nodes.evolution.campaign.schedule import Slice
from enpire_nodes.evolution.records import Arm, Job, JobKind
from enpire_nodes.rollout import runner_messages
from enpire_nodes.rollout.messages import parameter_values
from enpire_nodes.ros import qos
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode

GOOD, BAD = 0.97, 0.15


def rate(commit: str) -> float:
    """Return how often a commit succeeds: one in four is good."""
    return GOOD if int(commit[:4], 16) % 4 == 0 else BAD


def succeeds(commit: str, seed: int) -> bool:
    """Draw from commit and seed alone, so that a repeated trial comes out as before."""
    return (seed * 2654435761 + int(commit[:8], 16)) % 1000 < 1000 * rate(commit)


class PaperRunner(StationNode):
    """Closes each trial ``seconds`` after it was asked for."""

    succeeds = staticmethod(succeeds)

    def __init__(self, run_directory: Path, seconds: float = 0.05, **arguments: object) -> None:
        super().__init__('trial_runner', **arguments)
        self._run, self._seconds = Path(run_directory), seconds
        self.goals: list[RunTrials.Goal] = []
        self.refusals: list[tuple[int, str]] = []

    def configure(self) -> None:
        """Open the ledger, and take goals."""
        self.station = PaperStation(self._run, self.succeeds)
        self.station.ledger.close_interrupted()
        self._server = GoalServer(
            self, RunTrials, 'run_trials',
            accept=lambda _: '' if self.active else 'inactive', start=self._start,
        )  # fmt: skip
        self._safety = self.create_publisher(SafetyState, 'safety_state', qos.LATCHED)
        self._time = self.create_publisher(Utilization, 'robot_utilization', qos.LATCHED)
        self.tell(SafetyState.HOLDING)
        self._time.publish(Utilization(station='station_1', wall_seconds=1.0, executing=1.0))

    def close(self) -> None:
        """Give the ledger back."""
        self.station.close()

    def tell(self, mode: int) -> None:
        """Publish the state of the gate."""
        self._safety.publish(SafetyState(mode=mode, message='as the test says'))

    def _start(self, goal: RunTrials.Goal) -> None:
        self.goals.append(goal)
        self._timer = self.create_steady_timer(self._seconds, lambda: self._finish(goal))

    def _finish(self, goal: RunTrials.Goal) -> None:
        self.destroy_timer(self._timer)
        if self.refusals:
            code, words = self.refusals.pop(0)
            result = RunTrials.Result(
                outcome=RunTrials.Result.STOPPED, error_code=code, message=words
            )
            self._server.finish(result, succeeded=False)
            return
        record = runner_messages.request_record(goal, max_attempts=8)
        arm = Arm(
            record.request_id, record.commit, idea=record.idea,
            settings=parameter_values(goal.controller_parameters),
        )  # fmt: skip
        kind = JobKind.CONFIRM if record.confirmation else JobKind.TEST
        job = Job('job', kind, record.requester, (arm,), record.trials, record.max_attempts,
                  record.seeds)  # fmt: skip
        self.station.run(Slice(replace(job), arm))
        left = record.trials - len(self.station.ledger.trials_of_request(record.request_id))
        outcome = RunTrials.Result.YIELDED if left else RunTrials.Result.COMPLETED
        self._server.finish(RunTrials.Result(outcome=outcome), succeeded=True)


def main() -> int:
    """Run the node until a signal comes."""
    split = sys.argv.index('--ros-args') if '--ros-args' in sys.argv else len(sys.argv)
    directory, seconds = sys.argv[1:split]
    return run(lambda: PaperRunner(Path(directory), float(seconds)))


if __name__ == '__main__':
    raise SystemExit(main())
