"""The node that runs the policy for one attempt: action ``execute_policy``."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
import tempfile
import time

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist
import numpy as np
from std_msgs.msg import Empty

from enpire_msgs.action import ExecutePolicy
from enpire_msgs.msg import SafetyState, StationState
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Command, Observation
from enpire_nodes.environment.context import load_context
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.controllers.registry import controller_class
from enpire_nodes.rollout.messages import parameter_messages
from enpire_nodes.rollout.policy.attempt import AttemptMotion, MotionLimits
from enpire_nodes.rollout.policy.client import WorkerSpec
from enpire_nodes.rollout.policy.episode import Episode
from enpire_nodes.rollout.policy.host import PolicyHost, Prepared, Selection
from enpire_nodes.rollout.policy.operator import OperatorInput
from enpire_nodes.rollout.policy.outcome import EpisodeResult, Outcome
from enpire_nodes.rollout.policy.pictures import pictures_for
from enpire_nodes.rollout.policy.timing import PeriodJitter
from enpire_nodes.rollout.policy_features import FeaturesTopic
from enpire_nodes.rollout.policy_messages import previous_attempt, result_message
from enpire_nodes.rollout.policy_parameters import ControllerParameters, PARAMETERS
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.even_sender import EvenSender
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.station_io import Commander, CONTROL_RATE, StationSenses
from enpire_nodes.tasks.api import Pose

__all__ = ['PARAMETERS', 'PolicyExecutor', 'main']

_STEP_DEADLINE = {'lockstep': 0.5}
_STALE_AFTER = {'lockstep': 3.0}
_FEEDBACK_EVERY = 3  # control periods


class PolicyExecutor(StationNode):
    """Runs the selected controller in a process of its own, one attempt at a time.

    The work is done by :class:`Episode` (what happens when) and :class:`PolicyHost` (the process);
    this class carries messages to and from them.
    """

    def __init__(self, **arguments: object) -> None:
        super().__init__('policy_executor', parameters=PARAMETERS, **arguments)
        self._host: PolicyHost | None = None
        self._episode: Episode | None = None
        self._jitter = PeriodJitter(1.0 / CONTROL_RATE)
        self._counts = {outcome: 0 for outcome in Outcome if outcome is not Outcome.UNSET}
        self._misses = 0

    # -- lifecycle ----------------------------------------------------------------------------

    def configure(self) -> None:
        """Load the task, check the controller, listen, and offer the action."""
        self._setup = load_context(self, otherwise=ErrorCode.POLICY_INTERNAL)
        self._controllers = ControllerParameters(self, locked=self._locked, changed=self._warm)
        self._controllers.check()
        self._host = PolicyHost(
            WorkerSpec(
                '',
                self._log_directory() / 'policy.log',
                start_deadline=self._value('start_deadline'),
                reset_deadline=self._value('reset_deadline'),
                require_isolation=self._value('require_isolation'),
                sandbox=self._value('sandbox'),
            )
        )
        arm = self._setup.task.arm
        self._senses = StationSenses(
            self, arms=(arm,), cameras=self._setup.task.cameras, on_tick=self._tick
        )
        self._operator = OperatorInput(1.0 / CONTROL_RATE)
        self._commander = Commander(self, arms=(arm,))
        self._sender = EvenSender(
            self,
            self._send,
            age=lambda: self._senses.period_age,
            after=self._value('send_after') if self.pace == 'realtime' else 0.0,
        )
        self._features = FeaturesTopic(self)
        self._safety, self._station = SafetyState(), StationState()
        self._subscriptions_of_states = (
            self.create_subscription(SafetyState, 'safety_state', self._on_safety, qos.LATCHED),
            self.create_subscription(StationState, 'station_state', self._on_station, qos.LATCHED),
            self.create_subscription(Twist, 'operator/twist', self._on_twist, qos.LEASE),
            self.create_subscription(Empty, 'operator/done', self._on_done, qos.LEASE),
        )
        self._watchdog = self.create_steady_timer(0.05, self._watch)
        self._goals = GoalServer(
            self, ExecutePolicy, 'execute_policy', accept=self._accept, start=self._start
        )

    def activate(self) -> None:
        """Start the policy's process, so that the first attempt does not wait for it."""
        self._warm()

    def deactivate(self) -> None:
        """Give the arm back at once; the gate holds it."""
        if self._episode is not None:
            self._episode.abandon(
                Outcome.CANCELED, ErrorCode.POLICY_CANCELED, 'the node was deactivated'
            )
        self._host.end()

    def cleanup(self) -> None:
        """Take the action away, stop listening, end the policy's process."""
        self._goals.destroy()
        self._senses.destroy()
        self._sender.destroy()
        self._commander.destroy()
        self._controllers.destroy()
        self.destroy_timer(self._watchdog)
        self._features.destroy()
        for subscription in self._subscriptions_of_states:
            self.destroy_subscription(subscription)
        self.close()

    def close(self) -> None:
        """End the policy's process; called when the node's process ends, too."""
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def diagnostics(self) -> dict[str, object]:
        """Show the controller, the outcomes, and how well the control period is kept."""
        if self._host is None:
            return {}
        deviations, trips = self._jitter.deviations, self._host.round_trips
        return {
            'controller': self._controllers.selection.name,
            'isolation': ' + '.join(self._host.walls) or 'none',
            **{f'attempts {outcome.name.lower()}': n for outcome, n in self._counts.items()},
            'deadline misses': self._misses,
            'policy processes started': self._host.restarts,
            'period jitter p50 [ms]': f'{deviations.percentile(50) * 1e3:.2f}',
            'period jitter p99 [ms]': f'{deviations.percentile(99) * 1e3:.2f}',
            'policy round trip p50 [ms]': f'{trips.percentile(50) * 1e3:.2f}',
            'policy round trip p99 [ms]': f'{trips.percentile(99) * 1e3:.2f}',
        }

    # -- the goal -----------------------------------------------------------------------------

    def _accept(self, goal: ExecutePolicy.Goal) -> str:
        if not self.active:
            return 'the node is not active'
        if goal.attempt < 1:
            return 'attempt counts from 1'
        if goal.fixture.header.frame_id != convert.WORLD:
            return (
                f'the fixture is given in frame {goal.fixture.header.frame_id!r}; '
                f'it must be {convert.WORLD!r}'
            )
        if not np.isfinite(convert.position_of(goal.fixture)).all():
            return 'the position of the fixture is not finite'
        return ''

    def _start(self, goal: ExecutePolicy.Goal) -> None:
        task, selection = self._setup.task, self._controllers.selection
        fixture = Pose(convert.position_of(goal.fixture), convert.quaternion_of(goal.fixture))
        timeout = convert.seconds(goal.timeout) or self._value('timeout')
        self.set_busy(True)
        self._selection, self._digest = selection, ''
        self._operated = getattr(controller_class(selection.name), 'operated', False)
        self._operator.begin()
        self._jitter.begin()
        motion = AttemptMotion(
            task.arm,
            task.observer(self._setup.cameras, fixture),
            origin=fixture.position,
            quaternion=task.hand_down,
            gripper_width=task.motion['grip_width'],
            gripper_effort=task.motion['grip_effort'],
            control_rate=CONTROL_RATE,
            limits=MotionLimits(self._value('max_speed'), self._value('max_lead')),
            pictures=pictures_for(selection.settings, lambda: task.crops(self._setup.cameras)),
        )
        self._goal = goal
        self._episode = episode = Episode(
            self,
            motion,
            lambda: task.settle(fixture),
            timeout=timeout,
            settle_timeout=self._value('settle_timeout'),
            most_misses=self._value('most_misses'),
            stale_after=self._value('stale_after') or _STALE_AFTER.get(self.pace, 0.5),
            lockstep=self.pace == 'lockstep',
        )
        if self._safety.mode == SafetyState.ESTOPPED:
            episode.abandon(
                Outcome.UNSAFE,
                ErrorCode.POLICY_GATE_REFUSED,
                f'the emergency stop is latched: {self._safety.message}',
            )
            return
        context = AttemptContext(
            attempt=goal.attempt,
            seed=goal.seed,
            goal_position=fixture.position,
            goal_quaternion=fixture.quaternion,
            control_rate=CONTROL_RATE,
            timeout=timeout,
            previous=tuple(previous_attempt(attempt) for attempt in goal.previous),
        )
        self._when_done(
            self._host.prepare(selection, context, trial_id=goal.trial_id),
            lambda prepared, error: self._prepared(episode, prepared, error),
        )

    def _prepared(
        self, episode: Episode, prepared: Prepared | None, error: StationError | None
    ) -> None:
        if prepared is not None:
            self._digest = prepared.digest
            self._selection = Selection(self._selection.name, prepared.settings)
            if not prepared.walls:
                self.get_logger().warning(
                    'the policy is NOT isolated from the network: the kernel allows it neither a '
                    'namespace nor a seccomp filter',
                    throttle_duration_sec=600.0,
                )
        episode.prepared(error)

    # -- what the episode asks for (see Link) ---------------------------------------------------

    def ask(self, features: dict[str, np.ndarray]) -> None:
        """Send features to the policy."""
        if self._operated:
            features = {**features, **self._operator.features()}
        answer = self._host.step(features, deadline=self._step_deadline)
        self._when_done(answer, self._episode.answer)

    def sensed(self, stamp: Time) -> None:
        """Publish what the policy is told."""
        self._features.publish(self._goal, self._episode.motion, stamp)

    def engage(self) -> None:
        """Take the motion lease."""
        self._commander.engage((self._setup.task.arm,))

    def send(self, command: Command, stamp: Time) -> None:
        """Send one control period's command."""
        self._sender.send(command, stamp)
        motion = self._episode.motion
        if motion.steps % _FEEDBACK_EVERY == 1:
            self._goals.feedback(step=motion.steps, elapsed=motion.elapsed, force=motion.force)

    def release(self) -> None:
        """Give the lease back."""
        self._sender.drop()
        self._commander.release()

    def defect(self, trace: str) -> None:
        """Log a defect."""
        self.get_logger().error(trace)

    def finish(self, result: EpisodeResult) -> None:
        """Answer the goal."""
        self._episode = None
        self._counts[result.outcome] += 1
        self._misses += result.deadline_misses
        message = result_message(result)
        message.operator_seconds = self._operator.seconds
        message.controller = self._selection.name
        message.controller_digest = self._digest
        message.controller_parameters = parameter_messages(
            {
                f'{self._selection.name}.{name}': value
                for name, value in self._selection.settings.items()
            }
        )
        text = f'attempt {result.outcome.name} after {result.steps} steps: {result.message}'
        if result.code == ErrorCode.NONE:
            self.get_logger().info(text)
        else:
            self.get_logger().warning(text)
        self.set_busy(False)
        self._goals.finish(
            message, succeeded=result.outcome in (Outcome.COMPLETED, Outcome.TIMED_OUT)
        )
        if result.code == ErrorCode.POLICY_DEADLINE_MISSED:
            self._host.end()
        if result.outcome is Outcome.ABORTED:
            self._warm()

    # -- what happens ---------------------------------------------------------------------------

    def _tick(self, observation: Observation, stamp: Time) -> None:
        if self._episode is not None and self._goals.cancel_requested:
            self._episode.cancel()
        if self._episode is not None:
            self._episode.tick(observation, stamp)

    def _watch(self) -> None:
        if self._episode is not None and self._goals.cancel_requested:
            self._episode.cancel()
        if self._episode is not None:
            self._episode.watch(silence=self._senses.age)

    def _send(self, command: Command, stamp: Time) -> None:
        self._commander.send(command, stamp)
        if self.pace == 'realtime':  # otherwise the control period has no wall-clock length
            self._jitter.mark(time.monotonic())

    def _on_safety(self, state: SafetyState) -> None:
        self._safety = state
        if self._episode is not None:
            ours = self._commander.engaged and state.lease == self._commander.lease
            tripped = ours and state.mode == SafetyState.TRIPPED
            self._episode.safety(
                tripped=tripped or state.mode == SafetyState.ESTOPPED,
                passing=ours and state.mode == SafetyState.PASSING,
                message=f'[{state.error_code}] {state.message}',
            )

    def _on_station(self, state: StationState) -> None:
        begins = state.state == StationState.RESETTING and (
            state.trial_id != self._station.trial_id or self._station.state != state.state
        )
        self._station = state
        if begins and self._episode is None and self.active:
            self._warm(state.trial_id)

    def _on_twist(self, twist: Twist) -> None:
        linear = twist.linear
        self._operator.steer(np.array([linear.x, linear.y, linear.z]))

    def _on_done(self, _: Empty) -> None:
        self._operator.finish()

    def _locked(self) -> str:
        if self._episode is not None:
            return 'an attempt is under way; change the controller when it has ended'
        # a latched state outlives a runner that died, and must not lock us for ever
        if self._station.trial_id and self.count_publishers('station_state'):
            return (
                f'trial {self._station.trial_id} is under way; change the controller between '
                'two trials'
            )
        return ''

    def _warm(self, trial_id: str = '') -> None:
        if self._host is not None:
            warming = self._host.warm(self._controllers.selection, trial_id=trial_id)
            self._when_done(warming, self._warmed)

    def _warmed(self, prepared: Prepared | None, error: StationError | None) -> None:
        if error is not None:
            self.get_logger().warning(f'the controller could not be started: {error}')

    def _when_done(self, future: Future, callback: Callable) -> None:
        """Hand a future's result to ``callback(result, error)`` in the executor's thread."""

        def deliver(done: Future) -> None:
            if done.cancelled() or self.executor is None:
                return
            error = done.exception()
            if error is not None and not isinstance(error, StationError):
                error = StationError(ErrorCode.POLICY_INTERNAL, f'{type(error).__name__}: {error}')
            result = None if error is not None else done.result()
            self.executor.create_task(lambda: callback(result, error))

        future.add_done_callback(deliver)

    @property
    def _step_deadline(self) -> float:
        return self._value('step_deadline') or _STEP_DEADLINE.get(self.pace, 0.025)

    def _log_directory(self) -> Path:
        run_directory = self._value('run_directory')
        if run_directory:
            return Path(run_directory) / 'log'
        return Path(tempfile.mkdtemp(prefix='enpire_policy_'))

    def _value(self, name: str) -> object:
        return self.get_parameter(name).value


def main() -> int:
    """Run the node."""
    return run(PolicyExecutor)


if __name__ == '__main__':
    raise SystemExit(main())
