"""The node that puts the scene back with the arms themselves: action ``reset_scene``."""

from __future__ import annotations

import time

from builtin_interfaces.msg import Time

from enpire_msgs.action import ResetScene
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Observation
from enpire_nodes.environment.context import load_context, TASK_PARAMETERS
from enpire_nodes.environment.contract.identity import settings_digest
from enpire_nodes.environment.witness import Witness
from enpire_nodes.ros import convert
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec
from enpire_nodes.ros.programs import ProgramRunner
from enpire_nodes.ros.station_io import Commander, StationSenses
from enpire_nodes.tasks.api import OPERATOR_CODES, ResetReport

PARAMETERS = (
    *TASK_PARAMETERS,
    ParameterSpec(
        'timeout',
        120.0,
        's of the station clock that a reset may take when the goal names no time-out.',
        minimum=5.0,
        maximum=3600.0,
    ),
)


class SceneReset(StationNode):
    """Runs the task's reset program under the motion lease, one goal at a time."""

    def __init__(self, **arguments: object) -> None:
        super().__init__('scene_reset', parameters=PARAMETERS, **arguments)
        self._witness = Witness(self)
        self._statistics = {'resets': 0, 'ready': 0, 'last': ''}

    def configure(self) -> None:
        """Load the task, listen to arms and cameras, and offer the action."""
        self._setup = load_context(self, otherwise=ErrorCode.RESET_NOT_READY)
        self._witness.tell(settings_digest(self._setup.task, self._setup.cameras))
        self._senses = StationSenses(
            self,
            arms=self._setup.arms,
            cameras=self._setup.task.cameras,
            on_tick=self._tick,
        )
        self._commander = Commander(self, arms=self._setup.arms)
        self._runner = ProgramRunner(self, self._commander, self._senses)
        self._goals = GoalServer(
            self, ResetScene, 'reset_scene', accept=self._accept, start=self._start
        )

    def deactivate(self) -> None:
        """Stop the reset under way; the gate holds the arms."""
        self._runner.abort(
            StationError(ErrorCode.RESET_CANCELED, 'the node was deactivated during the reset')
        )

    def cleanup(self) -> None:
        """Take the action away and stop listening."""
        self._goals.destroy()
        self._runner.destroy()
        self._commander.destroy()
        self._senses.destroy()

    def diagnostics(self) -> dict[str, object]:
        """Count the resets."""
        return self._statistics

    def _accept(self, goal: ResetScene.Goal) -> str:
        if not self.active:
            return 'the node is not active'
        return ''

    def _start(self, goal: ResetScene.Goal) -> None:
        self.set_busy(True)
        self._statistics['resets'] += 1
        self._began = self.get_clock().now()
        self._wall = time.monotonic()
        self._recoveries: tuple[str, ...] = ()
        timeout = convert.seconds(goal.timeout) or self.get_parameter('timeout').value
        program = self._setup.task.reset(self._setup.cameras, seed=goal.seed, report=self._report)
        self._runner.start(
            program,
            arms=(self._setup.task.arm,),
            on_done=self._done,
            timeout=timeout,
            late=ErrorCode.RESET_TIMEOUT,
        )

    def _tick(self, observation: Observation, stamp: Time) -> None:
        if self._goals.cancel_requested:
            self._runner.cancel(StationError(ErrorCode.RESET_CANCELED, 'canceled by the client'))
        self._runner.tick(observation, stamp)

    def _report(self, stage: str, message: str, retries: int) -> None:
        self._goals.feedback(stage=stage, message=message, retries=retries)

    def _done(self, report: ResetReport | None, error: StationError | None) -> None:
        result = ResetScene.Result(
            duration=(self.get_clock().now() - self._began).to_msg(),
        )
        if error is None:
            result.outcome = ResetScene.Result.READY
            result.error_code = ErrorCode.NONE
            result.message = report.message
            result.fixture = convert.pose_message(
                report.fixture.position,
                report.fixture.quaternion,
                self.get_clock().now().to_msg(),
            )
            recoveries = report.recoveries
            self._statistics['ready'] += 1
        else:
            result.outcome = self._outcome_of(error)
            result.error_code = error.code or ErrorCode.RESET_INTERNAL
            result.message = error.message
            recoveries = getattr(error, 'recoveries', ())
            self.get_logger().warning(f'reset failed: {error}')
        result.recoveries = list(recoveries)
        result.retries = len(recoveries)
        self._statistics['last'] = result.message
        self.get_logger().info(
            f'reset: outcome {result.outcome} after {time.monotonic() - self._wall:.2f} s wall, '
            f'recoveries: {", ".join(recoveries) or "none"}'
        )
        self.set_busy(False)
        self._goals.finish(result, succeeded=error is None)

    @staticmethod
    def _outcome_of(error: StationError) -> int:
        if error.code == ErrorCode.RESET_CANCELED:
            return ResetScene.Result.CANCELED
        if error.code in OPERATOR_CODES:
            return ResetScene.Result.OPERATOR_NEEDED
        return ResetScene.Result.FAILED


def main() -> int:
    """Run the node."""
    return run(SceneReset)


if __name__ == '__main__':
    raise SystemExit(main())
