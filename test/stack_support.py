"""A whole station as a test sees it: through its topics, its actions and its files."""

from __future__ import annotations

from collections.abc import Iterator
import contextlib
import hashlib
import json
from pathlib import Path
import secrets
import threading
import time
from typing import Any

from bringup_support import own_domain, wait_until
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from mcap.reader import make_reader
import rclpy
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import SafetyState, StationState, Trial
from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.bringup.station import StationProcesses
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord
from enpire_nodes.ros import qos

ARMS = ('left', 'right')
STILL = 1e-4  # m, a target that moves less is held
#: s after the death of a node within which the arms must be held.
HELD_WITHIN = 0.25
#: s that the command stream is watched for, and that bring-up waits before it starts a node anew:
#: what a gate tells a driver that is back is another matter.
WATCHED = 1.0
STAGES = {
    'reset': StationState.RESETTING,
    'execute': StationState.EXECUTING,
    'verify': StationState.VERIFYING,
}


class Stack:
    """A station that is up, and everything it says."""

    def __init__(self, station: StationProcesses) -> None:
        self.station = station
        self.run = station.configuration.run
        self.trials: list[Trial] = []
        self.targets: list[tuple[float, str, tuple[float, float, float]]] = []
        self.safety: list[SafetyState] = []
        self.diagnostics: dict[str, DiagnosticStatus] = {}
        self.state: StationState | None = None
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node(
            'watcher', namespace=station.namespace, context=self._context
        )
        listen = self.node.create_subscription
        listen(Trial, 'trial', self.trials.append, qos.EVENTS)
        listen(StationState, 'station_state', self._on_state, qos.LATCHED)
        listen(SafetyState, 'safety_state', self.safety.append, qos.LATCHED)
        listen(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)
        for arm in ARMS:
            listen(PoseStamped, f'driver/{arm}/target_pose', self._target(arm), qos.COMMANDS)
        self._client = ActionClient(self.node, RunTrials, 'run_trials')
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def ready(self, timeout: float = 60.0) -> None:
        """Wait until the station is whole and has nothing to do."""
        self.station.wait_ready(timeout)
        wait_until(
            lambda: self.state and self.state.state == StationState.IDLE_NO_WORK
            and not self.state.trial_id, timeout, 'an idle station',
        )  # fmt: skip

    def request(self, trials: int, **fields: Any) -> Any:
        """Ask for trials; return the goal's handle, or None if only the station's state shows it.

        The answer of a runner that came back may be lost: its dead self haunts the graph.
        """
        name = f'test-{secrets.token_hex(4)}'
        goal = RunTrials.Goal(trials=trials, requester='test', request_id=name, **fields)
        wait_until(self._client.server_is_ready, 20.0, 'run_trials')
        for _ in range(4):
            sent = self._client.send_goal_async(goal)
            deadline = time.monotonic() + 8.0
            while time.monotonic() < deadline:
                if sent.done():
                    if sent.result().accepted:
                        return sent.result()
                    break
                if self.state.request_id == name:
                    return None
                time.sleep(0.01)
            time.sleep(0.3)
        raise AssertionError(f'the runner takes no goal; it is {self.state.state_name}')

    def result(self, handle: Any, timeout: float) -> RunTrials.Result:
        """Wait for the end of a request."""
        future = handle.get_result_async()
        wait_until(future.done, timeout, 'the result of the request')
        return future.result().result

    def reaches(self, stage: int, known: int, *, moving: bool) -> bool:
        """Wait until a trial is in ``stage``; False when it ended before.

        :param known: how many trials there were before it.
        :param moving: whether a target of the driver must have changed within the stage, too.
        """
        deadline, entered = time.monotonic() + 60.0, None
        while time.monotonic() < deadline:
            if entered is None and self.state.state == stage:
                entered = time.monotonic()
            if self.finished(known):
                return False
            if entered and not (moving and self.last_change(entered) == 0.0):
                return True
            time.sleep(0.02)
        raise AssertionError(f'neither in stage {stage} nor at its end after 60 s: {self.state}')

    def last_change(self, since: float) -> float:
        """Return s from ``since`` to the last change of a target of the driver; 0 for none."""
        last, previous = 0.0, {}
        for stamp, arm, position in list(self.targets):
            before = previous.get(arm, position)
            if stamp > since and max(abs(a - b) for a, b in zip(position, before)) > STILL:
                last = stamp - since
            previous[arm] = position
        return last

    def count(self) -> int:
        """Return how many trials the ledger holds."""
        with LedgerReader(self.run) as ledger:
            return len(ledger.trials())

    def finished(self, known: int) -> bool:
        """Whether a trial after the ``known`` ones was opened and has ended already."""
        with LedgerReader(self.run) as ledger:
            trials = ledger.trials()
        return len(trials) > known and all(trial.closed for trial in trials)

    def closed(self, count: int, timeout: float = 60.0) -> TrialRecord:
        """Wait until the ledger holds ``count`` closed trials; return the newest."""

        def newest() -> Any:
            with LedgerReader(self.run) as ledger:
                trials = ledger.trials()
            done = len(trials) >= count and all(trial.closed for trial in trials)
            return trials if done else None

        trials = wait_until(newest, timeout, f'{count} closed trials')
        return max(trials, key=lambda trial: trial.start_ns)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown(timeout_sec=2.0)
        rclpy.try_shutdown(context=self._context)
        self._thread.join(5.0)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while self._context.ok():
                self._executor.spin_once(timeout_sec=0.2)

    def _on_state(self, message: StationState) -> None:
        self.state = message

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.diagnostics.update({status.name: status for status in message.status})

    def _target(self, arm: str) -> Any:
        def note(message: PoseStamped) -> None:
            point = message.pose.position
            self.targets.append((time.monotonic(), arm, (point.x, point.y, point.z)))

        return note


@contextlib.contextmanager
def stack(run: Path, **overrides: Any) -> Iterator[Stack]:
    """Bring a station up in a ROS domain of its own."""
    overrides.setdefault('respawn', {'delay': WATCHED, 'limit': 1000, 'window': 60.0})
    with own_domain():
        with StationProcesses(load_configuration(run=run, **overrides), listen=0.5) as station:
            station.wait_ready(100.0)
            watcher = Stack(station)
            try:
                watcher.ready()
                yield watcher
            finally:
                watcher.close()


def disagreements(run: Path) -> list[str]:
    """Return what the ledger, the files of the trials and their bags say differently."""
    wrong = []
    with LedgerReader(run) as ledger:
        trials = ledger.trials()
        report = ledger.verify()
        if not report.whole:
            wrong.append(f'the chain of the ledger: {report}')
        if ledger.open_trials():
            wrong.append('the ledger has open trials')
    on_disk = {path.name for path in (run / 'trials').iterdir()}
    if on_disk != {trial.trial_id for trial in trials}:
        wrong.append('there are folders without a row, or rows without a folder')
    for trial in trials:
        written = json.loads((run / 'trials' / trial.trial_id / 'trial.json').read_text())
        if written['ledger_digest'] != trial.ledger_digest:
            wrong.append(f'{trial.trial_id}: trial.json has another digest')
        if trial.bag:
            wrong += [f'{trial.trial_id}: {words}' for words in bag_faults(run / trial.bag, trial)]
    return wrong


def bag_faults(bag: Path, trial: Any) -> list[str]:
    """Return what is wrong with a trial's bag; an independent library reads it."""
    files = list(bag.glob('*.mcap'))
    if len(files) != 1 or not (bag / 'metadata.yaml').is_file():
        return [f'{bag} is no bag']
    digest = hashlib.sha256(files[0].read_bytes()).hexdigest()
    faults = [] if digest == trial.bag_digest else ['the bag has another digest']
    with files[0].open('rb') as stream:
        reader = make_reader(stream)
        counted = sum(1 for _ in reader.iter_messages())
        stated = reader.get_summary().statistics.message_count
    if counted != stated:  # a recorder that was killed at once leaves an empty, whole bag
        faults.append(f'the bag states {stated} messages and holds {counted}')
    return faults


def topics_of(bag: Path) -> dict[str, int]:
    """Return the number of messages of each topic in a bag."""
    (file,) = bag.glob('*.mcap')
    counts: dict[str, int] = {}
    with file.open('rb') as stream:
        for _, channel, _ in make_reader(stream).iter_messages():
            counts[channel.topic] = counts.get(channel.topic, 0) + 1
    return counts


def begin(station: Stack, stage: str) -> None:
    """Start a trial, and return while it is in ``stage`` and the arm moves."""
    endings = []
    for _ in range(3):
        station.ready()
        known = station.count()
        station.request(1, controller='scripted', max_attempts=1)
        if station.reaches(STAGES[stage], known, moving=stage != 'verify'):
            return
        endings.append(station.closed(known + 1).message)
    raise AssertionError(f'three trials ended by themselves before or in {stage}: {endings}')


def kill_in(station: Stack, node: str, stage: str) -> None:
    """Kill a node in a stage of a trial, and check what comes of it.

    A trial may end by itself between the look at its stage and the kill; then again.
    """
    for _ in range(3):
        begin(station, stage)
        closed = kill_and_check(station, node)
        if closed.outcome is TrialOutcome.INTERRUPTED:
            assert closed.message
            return
    raise AssertionError(f'three trials went on when {node} was killed in {stage}: {closed}')


def kill_and_check(station: Stack, node: str) -> TrialRecord:
    """Kill a node; the arms are held, the trial is closed, and the station comes back.

    :return: the trial.
    """
    known = station.count()
    restarts = station.station.restarts(node)
    station.targets.clear()
    station.station.kill(node)
    killed = time.monotonic()
    time.sleep(WATCHED)
    held = station.last_change(killed)
    print(f'{node}: the arms were held after {1e3 * held:.0f} ms')
    assert held < HELD_WITHIN
    closed = station.closed(known)
    station.ready()
    assert station.station.restarts(node) == restarts + 1
    assert disagreements(station.run) == []
    return closed
