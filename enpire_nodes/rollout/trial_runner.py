"""The node that owns trials: action ``run_trials``, topics ``trial`` and ``station_state``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
import queue
import threading
import time
import traceback

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import ResearchStatus, ResetStatistics, StationState, Trial, Utilization
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.context import load_context
from enpire_nodes.environment.contract.guard import NODES as WITNESSES
from enpire_nodes.rollout import runner_messages
from enpire_nodes.rollout.frozen import ENVIRONMENT, require_own_run
from enpire_nodes.rollout.ledger import Ledger, station_lock_path, StationLock
from enpire_nodes.rollout.messages import trial_message
from enpire_nodes.rollout.records import (
    Activity,
    CANARY,
    RequestRecord,
    TrialOutcome,
    TrialRecord,
    VerdictRecord,
)
from enpire_nodes.rollout.runner_audits import RunnerAudits
from enpire_nodes.rollout.runner_environment import load_environment
from enpire_nodes.rollout.runner_messages import Standing
from enpire_nodes.rollout.runner_parameters import deadlines, PARAMETERS
from enpire_nodes.rollout.station_client import StationClient
from enpire_nodes.rollout.trial.requests import Identity, RequestOutcome, RequestRunner
from enpire_nodes.rollout.trial.reset_tally import ResetTally
from enpire_nodes.rollout.trial.seeds import fresh_campaign_seed, trial_seed
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.rollout.witnesses import NodeWitnesses
from enpire_nodes.ros import qos
from enpire_nodes.ros.goals import GoalServer
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode

__all__ = ['PARAMETERS', 'TrialRunner', 'main']

_LOOK = 0.05  # s between two looks at the partners
_REPORT = 1.0  # s between two reports without a change
_WORKING = (
    ResearchStatus.STARTING,
    ResearchStatus.THINKING,
    ResearchStatus.WAITING_FOR_ROBOT,
    ResearchStatus.STALLED,
)


class TrialRunner(StationNode):
    """Runs requests one at a time in a thread of its own; this class carries messages.

    What happens in a trial is :mod:`~enpire_nodes.rollout.trial.protocol`, how the nodes are
    reached is :class:`StationClient`. The working thread never touches rclpy: it posts calls to
    the spinning thread.
    """

    def __init__(self, **arguments: object) -> None:
        super().__init__('trial_runner', parameters=PARAMETERS, **arguments)
        self._station = self.get_namespace().strip('/') or 'station'
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._held = ExitStack()
        self._worker: threading.Thread | None = None
        self._client: StationClient | None = None
        self._standing = Standing()
        self._looked = 0.0
        self._working = self._agent_works = False

    # -- lifecycle ----------------------------------------------------------------------------

    def configure(self) -> None:
        """Lock the station, open the ledger, and find the partners."""
        with ExitStack() as held:
            owner = self.get_fully_qualified_name()
            held.enter_context(StationLock(station_lock_path(self.get_namespace()), owner=owner))
            directory = self._value('run_directory') or f'runs/{time.strftime("%Y%m%d-%H%M%S")}'
            self._ledger = held.enter_context(
                Ledger(Path(directory).absolute(), station=self._station, owner=owner)
            )
            context = load_context(self, otherwise=ErrorCode.RUNNER_STATION_NOT_READY)
            self._task = context.task.name
            self._environment = load_environment(self, context, limits=self._limits_digest)
            frozen = self._environment.manifest_digest
            require_own_run(self._ledger, frozen)
            self._draw_from = self._value('seed') or fresh_campaign_seed()
            note = {'campaign_seed': self._draw_from, 'task': self._task, ENVIRONMENT: frozen}
            self._ledger.add_note({**note, 'digest': context.task.digest()})
            self._resets = ResetTally(self._ledger.trials())
            self._timeline = Timeline(
                self._ledger.add_interval,
                changed=lambda: self._post(self._publish_state),
                past=self._ledger.intervals(),
            )
            held.callback(self._timeline.close)
            self._held = held.pop_all()
        self._client = StationClient(
            self,
            partners=tuple(self._value('partners')),
            deadlines=deadlines(self),
            lost_after=self._value('lost_after'),
        )
        self._witnesses = NodeWitnesses(self._client, WITNESSES if frozen else ())
        self._audits = RunnerAudits(self, self._client.link)
        shared = {
            'ledger': self._ledger,
            'timeline': self._timeline,
            'identity': self._identity,
            'draw_seed': lambda index: trial_seed(self._draw_from, index),
            'trial_started': self._trial_started,
            'trial_closed': self._trial_closed,
        }
        station = self._environment.held(self._client, self._witnesses)
        self._requests = RequestRunner(
            station=self._audits.watch(station, **shared),
            **shared,
            progress=self._progress,
            patience=self._value('patience'),
        )
        self._states = self.create_publisher(StationState, 'station_state', qos.LATCHED)
        self._trials = self.create_publisher(Trial, 'trial', qos.EVENTS)
        self._reset_reports = self.create_publisher(
            ResetStatistics, 'reset_statistics', qos.LATCHED
        )
        self._utilizations = self.create_publisher(Utilization, 'utilization', qos.LATCHED)
        self._research = self.create_subscription(
            ResearchStatus, 'research_status', self._on_research, qos.LATCHED
        )
        self._goals = GoalServer(
            self, RunTrials, 'run_trials', accept=self._accept, start=self._start
        )
        self._clocks = (
            self.create_steady_timer(_LOOK, self._look),
            self.create_steady_timer(_REPORT, self._report),
        )

    def activate(self) -> None:
        """Start the working thread; it closes what an earlier runner left open first."""
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name='trials', daemon=True)
            self._worker.start()
        self._jobs.put(self._settle_past)
        self._report()

    def deactivate(self) -> None:
        """End the request under way by a controlled stop, which goes on after this returns."""
        self._client.cancel()

    def cleanup(self) -> None:
        """Close the ledger, leave the graph, and free the station."""
        self.close()
        for timer in self._clocks:
            self.destroy_timer(timer)
        self._goals.destroy()
        self._witnesses.destroy()
        self._audits.destroy()
        self._client.destroy()
        for publisher in (self._states, self._trials, self._reset_reports, self._utilizations):
            self.destroy_publisher(publisher)
        self.destroy_subscription(self._research)

    def close(self) -> None:
        """Close the row of a trial under way as interrupted, and the ledger."""
        worker, self._worker = self._worker, None
        if worker is not None:
            self._client.close()
            self._jobs.put(None)
            worker.join(timeout=5.0)
        self._held.close()

    def diagnostics(self) -> dict[str, object]:
        """Show where the request stands, and what keeps the station from working."""
        if self._client is None:
            return {}
        summary = self._standing.summary
        return {
            'activity': self._timeline.activity.name.lower(),
            'run directory': self._ledger.run.path,
            'environment': self._environment.words,
            'trials of the request': summary.trials,
            'successes of the request': summary.successes,
            'obstacles': '; '.join(self._client.obstacles()) or 'none',
        }

    # -- the goal -----------------------------------------------------------------------------

    def _accept(self, goal: RunTrials.Goal) -> str:
        return '' if self.active else 'the node is not active'

    def _start(self, goal: RunTrials.Goal) -> None:
        wrong = runner_messages.contradiction(goal)
        if wrong:
            result = RunTrials.Result(
                outcome=RunTrials.Result.STOPPED,
                error_code=int(ErrorCode.RUNNER_BAD_REQUEST),
                message=wrong,
                request_id=goal.request_id,
            )
            self._goals.finish(result, succeeded=False)
            return
        request = runner_messages.request_record(goal, max_attempts=self._value('max_attempts'))
        self._client.renew()
        self.set_busy(True)
        self._jobs.put(lambda: self._run(request, goal.at_most))

    # -- the working thread -------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception as error:  # noqa: BLE001 - the thread must outlive its jobs
                words = str(self._known(error))
                self._post(lambda words=words: self.set_fault(words))

    def _known(self, error: Exception) -> StationError:
        """Return an error with a code; log what nobody has foreseen."""
        if isinstance(error, StationError):
            return error
        self.get_logger().error(traceback.format_exc())
        words = f'{type(error).__name__}: {error}; see the log of {self.get_name()}'
        return StationError(ErrorCode.RUNNER_INTERNAL, words)

    def _run(self, request: RequestRecord, at_most: int) -> None:
        self._working = True
        try:
            result = self._requests.run(request, self._request_started, at_most=at_most)
            message = runner_messages.result_message(result)
            succeeded = result.outcome in (RequestOutcome.COMPLETED, RequestOutcome.YIELDED)
        except Exception as error:  # noqa: BLE001 - whoever waits for the result gets one
            succeeded, known = False, self._known(error)
            message = RunTrials.Result(
                outcome=RunTrials.Result.STOPPED,
                error_code=int(known.code),
                message=known.message,
                request_id=request.request_id,
            )
        finally:
            self._working = False
        self._post(lambda: self._finish(message, succeeded))

    def _settle_past(self) -> None:
        recordings = {}
        ended = [t for t in self._ledger.trials(limit=1) if t.outcome is TrialOutcome.INTERRUPTED]
        for trial in (*self._ledger.open_trials(), *ended):
            bag = self._ledger.run.bag(trial.trial_id)
            if not bag.is_dir():
                continue
            try:
                recording = self._client.adopt_recording(trial.trial_id, bag)
            except StationError as error:
                self.get_logger().warning(f'the bag of {trial.trial_id}: {error}')
            else:
                recordings[trial.trial_id] = (self._ledger.run.relative(bag), recording.digest)

        def complete(trial: TrialRecord) -> TrialRecord:
            bag, digest = recordings.get(trial.trial_id, ('', ''))
            return replace(trial, bag=bag, bag_digest=digest)

        for trial in self._ledger.close_interrupted(complete=complete):
            self._trial_closed(trial)
        self._ledger.complete_files()

    def _request_started(self, request: RequestRecord) -> None:
        done = self._ledger.trials_of_request(request.request_id)
        self._post(lambda: self._standing.begin(request, done))

    def _trial_started(self, trial: TrialRecord) -> None:
        self._post(lambda: self._standing.start(trial))

    def _progress(self, attempt: int, verdict: VerdictRecord | None) -> None:
        def tell() -> None:
            self._standing.progress(attempt, verdict)
            self._publish_state()

        self._post(tell)

    def _trial_closed(self, trial: TrialRecord) -> None:
        def tell() -> None:
            self._resets.add(trial)
            request = self._standing.request
            if request is not None and request.request_id == trial.request_id:
                self._standing.close(trial)
            message = trial_message(trial)
            self._trials.publish(message)
            if trial.requester == CANARY:
                self._standing.leave()
            else:
                self._goals.feedback(
                    completed=self._standing.summary.trials,
                    trials=request.trials if request else 0,
                    last_trial=message,
                )
            self._report()

        self._post(tell)

    def _identity(self) -> Identity:
        return Identity(self._station, self._task, self._environment.digest)

    def _limits_digest(self) -> str:
        return self._client.safety.limits_digest

    def _post(self, call: Callable[[], None]) -> None:
        executor = self.executor
        if executor is not None and self._worker is not None:
            executor.create_task(call)

    # -- the spinning thread ------------------------------------------------------------------

    def _finish(self, result: RunTrials.Result, succeeded: bool) -> None:
        words = f'request {result.request_id}: {result.completed} trials closed; {result.message}'
        # rclpy ties a severity to the place of the call
        if succeeded:
            self.get_logger().info(words)
        else:
            self.get_logger().warning(words)
        self.set_busy(False)
        self._goals.finish(result, succeeded=succeeded)
        self._look()
        self._publish_state()

    def _look(self) -> None:
        now = time.monotonic()
        if self._looked and now - self._looked > 0.5 + _LOOK:
            # we were kept from running ourselves: heartbeats are waiting, nobody was silent
            with self._client.waiting.changing():
                self._client.presence.forgive(now)
        self._looked = now
        if self._goals.cancel_requested:
            self._client.cancel()
        request = self._standing.request
        requester = request.requester if self._working and request else ''
        self._timeline.rest(self._idle_activity(), requester=requester)

    def _idle_activity(self) -> Activity:
        now = time.monotonic()
        if self._client.estopped:
            return Activity.ESTOPPED
        if self._client.presence.broken(now):
            return Activity.FAULTED
        if self._client.presence.troubles(now):
            return Activity.OFFLINE
        agents = self._agent_works and not self._working
        return Activity.IDLE_WAITING_AGENT if agents else Activity.IDLE_NO_WORK

    def _on_research(self, status: ResearchStatus) -> None:
        self._agent_works = status.state in _WORKING

    def _report(self) -> None:
        stamp = self.get_clock().now().to_msg()
        self._timeline.refresh()
        self._publish_state()
        self._reset_reports.publish(runner_messages.reset_message(self._resets, stamp=stamp))
        self._utilizations.publish(
            runner_messages.utilization_message(
                self._timeline.whole(), station=self._station, stamp=stamp
            )
        )

    def _publish_state(self) -> None:
        activity = self._timeline.activity
        troubles = self._client.presence.troubles(time.monotonic())
        message = '; '.join(f'{name} {words}' for name, words in troubles.items())
        if activity is Activity.ESTOPPED:
            message = self._client.safety.message
        self._states.publish(
            runner_messages.state_message(
                self._standing,
                station=self._station,
                stamp=self.get_clock().now().to_msg(),
                activity=activity,
                message=message,
                session=self._timeline.session(),
            )
        )

    def _value(self, name: str) -> object:
        return self.get_parameter(name).value


def main() -> int:
    """Run the node."""
    return run(TrialRunner)


if __name__ == '__main__':
    raise SystemExit(main())
