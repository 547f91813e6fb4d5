"""Bring a station up as plain processes, keep it up, and take it down without orphans.

The same processes as ``launch/station.launch.py`` starts, for machines without ``launch_ros``, and
for programs that need a station for a while: the demo, the bench, the tests.
"""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import fcntl
import os
from pathlib import Path
import signal
import tempfile
import threading
import time
from types import TracebackType

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.bringup.heartbeats import HeartbeatListener
from enpire_nodes.bringup.memory import family, proportional
from enpire_nodes.bringup.nodes import (
    ENVIRONMENT,
    ProcessSpec,
    station_nodes,
    station_processes,
    write_parameters,
)
from enpire_nodes.bringup.process import NodeProcess, State
from enpire_nodes.bringup.shared_memory import clean_shared_memory
from enpire_nodes.bringup.table import BYSTANDERS, SUPERVISOR

_POLL = 0.02  # s
#: s to listen for a station of this name elsewhere (see ``config/fastdds.xml``; a participant
#: without that profile may need twice as long to be heard).
LISTEN = 2.5


class StationNotReadyError(RuntimeError):
    """A station that did not come up; says which node, and what its process and log say."""


class StationTakenError(RuntimeError):
    """Another station of the same name is up in this ROS domain."""


class StationProcesses:
    """A station's processes, for as long as the ``with`` block lasts.

    :param configuration: of the station.
    :param report: gets a line when something happens to a process; nobody when omitted.
    :param listen: s, how long to listen for a station of that name on another machine.
    :raises StationTakenError: on entering, when a station of that name is already up.
    """

    def __init__(
        self,
        configuration: StationConfiguration,
        *,
        report: Callable[[str], None] = lambda line: None,
        listen: float = LISTEN,
    ) -> None:
        self._listen = listen
        self.configuration = configuration
        self.nodes = station_nodes(configuration)
        self._report = report
        self._logs = configuration.run / 'log'
        environment = child_environment()
        self._processes = [
            NodeProcess(
                spec,
                log=self._logs / f'{spec.name}.log',
                parameters=self._logs / 'parameters.yaml',
                environment=without_key(environment, configuration, spec),
            )
            for spec in station_processes(self.nodes)
        ]
        self._of_node = {
            node.name: process for process in self._processes for node in process.spec.nodes
        }
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._thread: threading.Thread | None = None
        self._listener: HeartbeatListener | None = None
        self._lock: int | None = None

    # -- up and down --------------------------------------------------------------------------

    def __enter__(self) -> StationProcesses:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every process.

        :raises StationTakenError: a station of that name is already up.
        :raises OSError: a process or the run directory cannot be made.
        """
        self._lock = _take_lock(self.namespace)
        try:
            self._listener = HeartbeatListener(self.namespace)
            self._refuse_if_up()
            write_parameters(self.configuration, self.nodes)
            trouble = clean_shared_memory()
            if trouble:
                self._note(f'leftovers in the shared memory stay: {trouble}')
        except BaseException:
            self._release()
            raise
        # One thread starts and stops every process and lives as long as they do: the kernel ends
        # them with the thread that started them (see container.end_with_parent).
        self._thread = threading.Thread(target=self._keep_up, name='bring-up', daemon=True)
        self._thread.start()
        self._started.wait(30.0)
        if self._failure is not None:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """Stop every process in the reverse order of starting; may be repeated."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(15.0 * len(self._processes))
            self._thread = None
        self._release()

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until every node says that it is ready.

        :param timeout: s.
        :raises StationNotReadyError: the time is up, or a node was given up.
        """
        deadline = time.monotonic() + timeout
        names = [node.full_name for node in self.nodes]
        while True:
            missing = self._listener.missing(names)
            if not missing:
                return
            lost = [process for process in self._processes if process.state is State.GIVEN_UP]
            if lost or time.monotonic() > deadline or self._stopping.is_set():
                raise StationNotReadyError(self._explain(missing, timeout))
            time.sleep(_POLL)

    # -- what a caller may ask ----------------------------------------------------------------

    @property
    def namespace(self) -> str:
        """Namespace of the station's nodes."""
        return self.configuration.namespace

    @property
    def running(self) -> bool:
        """Whether every process is up or coming back."""
        return all(process.state in (State.RUNNING, State.WAITING) for process in self._processes)

    def pids(self) -> dict[str, int]:
        """Return the process id of every node; 0 for one that is down now."""
        return {name: process.pid for name, process in self._of_node.items()}

    def memory(self) -> dict[str, int]:
        """Return the memory of every process with its children, in bytes (PSS)."""
        return {
            process.name: proportional(family(process.pid)) if process.pid else 0
            for process in self._processes
        }

    def kill(self, node: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process of a node, to see the station come back."""
        self._of_node[node].signal(number)

    def restarts(self, node: str) -> int:
        """Return how often the process of a node was started again."""
        return self._of_node[node].restarts

    def log(self, node: str) -> Path:
        """Return the file with the output of a node's process."""
        return self._of_node[node].log

    def logs(self) -> dict[str, Path]:
        """Return the log file of every process."""
        return {process.name: process.log for process in self._processes}

    def ready(self) -> bool:
        """Whether every node says that it is ready, now."""
        return not self._listener.missing(node.full_name for node in self.nodes)

    # -- the thread ---------------------------------------------------------------------------

    def _keep_up(self) -> None:
        try:
            for process in self._processes:
                process.start()
        except OSError as error:
            self._failure = error
        self._started.set()
        while not self._stopping.wait(_POLL) and self._failure is None:
            self._listener.poll()
            for process in self._processes:
                try:
                    event = process.poll()
                except OSError as error:
                    event = f'{process.name}: cannot be started again: {error}'
                if event:
                    if process.state is not State.RUNNING:
                        for node in process.spec.nodes:
                            if node.name not in BYSTANDERS:
                                self._listener.announce_death(node.full_name, process.reason)
                    self._note(event)
        for process in reversed(self._processes):
            note = process.stop()
            if note:
                self._note(note)

    def _note(self, event: str) -> None:
        line = f'{time.strftime("%Y-%m-%d %H:%M:%S")} {event}'
        with contextlib.suppress(OSError), (self._logs / 'bringup.log').open('a') as log:
            log.write(line + '\n')
        self._report(event)

    def _explain(self, missing: dict[str, str], timeout: float) -> str:
        lines = []
        hopeless = any(process.state is State.GIVEN_UP for process in self._processes)
        for node in self.nodes:
            process = self._of_node[node.name]
            if node.full_name not in missing or (hopeless and process.state is not State.GIVEN_UP):
                continue
            known = missing[node.full_name]
            if process.state is not State.RUNNING:
                known = f'{process.reason} ({process.state.value})'
            words = process.last_words()
            lines.append(f'  {node.name}: {known}' + (f'\n    {words}' if words else ''))
            lines.append(f'    log: {process.log}')
        return f'{self.namespace} is not ready after {timeout:g} s:\n' + '\n'.join(lines)

    def _refuse_if_up(self) -> None:
        deadline = time.monotonic() + self._listen
        while time.monotonic() < deadline:
            self._listener.poll()
            if self._listener.signs:
                raise StationTakenError(
                    f'{sorted(self._listener.signs)[0]} is already running in ROS domain '
                    f'{os.environ.get("ROS_DOMAIN_ID", "0")}. Stop that station, or use another '
                    'name (--station) or another ROS_DOMAIN_ID'
                )
            time.sleep(_POLL)

    def _release(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def child_environment() -> dict[str, str]:
    """Return the environment of a station's processes."""
    environment = dict(os.environ)
    tree = str(Path(__file__).resolve().parents[2])
    paths = environment.get('PYTHONPATH', '').split(os.pathsep)
    if tree not in paths:
        environment['PYTHONPATH'] = os.pathsep.join(filter(None, (tree, *paths)))
    environment['PYTHONUNBUFFERED'] = '1'
    environment.setdefault('RCUTILS_COLORIZED_OUTPUT', '0')
    return {**ENVIRONMENT, **environment}


def without_key(
    environment: dict[str, str], configuration: StationConfiguration, spec: ProcessSpec
) -> dict[str, str]:
    """Return the environment of a process: the key of the model is the supervisor's alone."""
    named = configuration.parameters.get(SUPERVISOR, {}).get('model_key_variable', '')
    if not named or any(node.name == SUPERVISOR for node in spec.nodes):
        return environment
    return {name: value for name, value in environment.items() if name != named}


def _take_lock(namespace: str) -> int:
    domain = os.environ.get('ROS_DOMAIN_ID', '0')
    folder = Path(tempfile.gettempdir()) / f'enpire-{os.getuid()}' / f'domain-{domain}'
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f'{namespace.strip("/")}.up.lock', os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(descriptor, 32).decode(errors='replace').strip()
        os.close(descriptor)
        raise StationTakenError(
            f'{namespace} is already up in ROS domain {domain} (process {holder}). Stop it, or '
            'use another name (--station) or another ROS_DOMAIN_ID'
        ) from error
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor
