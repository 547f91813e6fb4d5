"""Keeps an agent at work: starts it, goes on after its turns and its deaths, notices stalls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
import queue
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents import prompts
from enpire_nodes.evolution.agents.interface import (
    Adapter,
    AgentEvent,
    AgentTask,
    CANNOT_GO_ON,
    EventKind,
)
from enpire_nodes.evolution.agents.life import Life, MakeLife
from enpire_nodes.evolution.agents.watchdog import Activity, Watchdog


class KeeperState(Enum):
    """Where the agent stands."""

    STARTING = 'starting'
    RUNNING = 'running'
    PAUSED = 'paused'
    BACKING_OFF = 'backing_off'
    STOPPED = 'stopped'
    FAILED = 'failed'


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """How patient a keeper is; s (wall).

    :param fast: a life that ends sooner, having brought nothing about, failed.
    :param most_failures: of such lives in a row; one more is the end.
    :param most_idle: turns in a row that ended without progress; one more is the end.
    :param grace: between interrupting, terminating and killing one that is stuck.
    :param last_grace: the same, at the end of all.
    :param fresh_after: failures in a row after which a new conversation is begun.
    """

    stall_after: float = 900.0
    think_longest: float = 1800.0
    fast: float = 30.0
    most_failures: int = 5
    most_idle: int = 8
    fresh_after: int = 2
    delay: float = 1.0
    longest_delay: float = 300.0
    grace: float = 10.0
    last_grace: float = 3.0


class AgentKeeper:
    """A state machine that is ticked a few times a second, by one thread.

    What an agent says of its success is not believed, and neither is its exit code: progress is
    what ``activity`` says.

    :param task: model, folders, seed, and the conversation to go on with, if there is one.
    :param make: makes a life; see :func:`~enpire_nodes.evolution.agents.life.launcher`.
    :param facts: what prompts begin with: last jobs and their results, what is left of budgets.
    :param note: told in words what shall stand in the journal.
    :param save_session: told the conversation as soon as it is known, and '' when it is given up.
    """

    def __init__(
        self,
        adapter: Adapter,
        task: AgentTask,
        *,
        make: MakeLife,
        facts: Callable[[], str],
        activity: Callable[[], Activity],
        note: Callable[[str], None],
        save_session: Callable[[str], None],
        settings: KeeperSettings = KeeperSettings(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._adapter, self._task, self._make = adapter, task, make
        self._facts, self._activity, self._note = facts, activity, note
        self._save_session, self._settings, self._clock = save_session, settings, clock
        self._session = task.session
        self._state, self._error = KeeperState.STARTING, None
        self._watchdog = Watchdog(settings.stall_after, settings.think_longest)
        self._events: queue.SimpleQueue[AgentEvent] = queue.SimpleQueue()
        self._life: Life | None = None
        self._held = False
        self._why = ''  # it is started again, for the prompt
        self._began = self._again_at = self._paused_at = 0.0
        self._progress = 0
        self._failures = self._fruitless = self._idle = 0
        self._given_up: set[str] = set()
        self._turn_ended = False
        self._last_error = ''
        self._ending: list[tuple[float, Callable[[], None]]] = []
        self.last_event: AgentEvent | None = None
        self.lives = 0

    @property
    def state(self) -> KeeperState:
        """Where the agent stands."""
        return self._state

    @property
    def error(self) -> StationError | None:
        """Why it was given up; of FAILED alone."""
        return self._error

    @property
    def session(self) -> str:
        """The conversation; empty while it is not known."""
        return self._session

    @property
    def pid(self) -> int:
        """Id of the process of this life; 0 between two of them."""
        return self._life.pid if self._life is not None else 0

    def tick(self) -> None:
        """Look after the agent."""
        if self._state in (KeeperState.STOPPED, KeeperState.FAILED):
            return
        self._drain()
        now = self._clock()
        if self._life is not None and self._life.poll() is not None:
            self._drain()
            self._ended(now)
        elif self._held:
            return
        elif self._life is not None:
            self._watch(now)
        elif self._state is KeeperState.STARTING or now >= self._again_at:
            self._start(now)

    def pause(self) -> None:
        """Hold it where it stands; nothing is started while it is held."""
        if self._held or self._state in (KeeperState.STOPPED, KeeperState.FAILED):
            return
        self._held, self._paused_at = True, self._clock()
        if self._life is not None:
            self._life.pause()
        self._state = KeeperState.PAUSED

    def resume(self) -> None:
        """Let it go on; the time that it was held counts as nobody's."""
        if not self._held:
            return
        self._held = False
        now = self._clock()
        if self._life is not None:
            self._life.resume()
            self._watchdog.begin(now)
            self._began += now - self._paused_at
            self._ending = [(at + now - self._paused_at, ask) for at, ask in self._ending]
            self._state = KeeperState.RUNNING
        else:
            self._state = KeeperState.BACKING_OFF

    def stop(self) -> None:
        """End it; returns when it is gone."""
        if self._life is not None:
            self._life.stop(self._settings.last_grace)
            self._drain()
            self._find_session()
            self._life = None
        if self._state is not KeeperState.FAILED:
            self._state = KeeperState.STOPPED

    # -- details ------------------------------------------------------------------------------

    def _start(self, now: float) -> None:
        self._state = KeeperState.RUNNING
        resume = bool(self._session)
        facts = self._facts()
        prompt = prompts.resumed(facts, self._why or prompts.restarted('')) if resume else None
        task = replace(
            self._task,
            prompt=prompt or prompts.first(facts),
            session=self._session or self._adapter.new_session(),
            resume=resume,
        )
        self._began, self._turn_ended, self._last_error, self._ending = now, False, '', []
        self._progress = self._activity().progress
        self._watchdog.begin(now)
        self.lives += 1
        try:
            life = self._make(task, self._events.put)
            life.start()
        except StationError as error:
            self._last_error = error.message
            self._failed(now, error.message)
            return
        self._life = life
        self._note(f'the agent {self._adapter.name} was started (life {self.lives})')

    def _drain(self) -> None:
        while not self._events.empty():
            event = self._events.get()
            self.last_event = event
            self._watchdog.event(self._clock())
            if event.kind is EventKind.SESSION and event.session:
                self._keep(event.session)
            elif event.kind is EventKind.TURN_ENDED:
                self._turn_ended = event.ok
            elif event.kind is EventKind.ERROR:
                self._last_error = event.words

    def _watch(self, now: float) -> None:
        if self._ending:
            if now >= self._ending[0][0]:
                self._ending.pop(0)[1]()
            return
        wrong = self._watchdog.look(now, self._activity())
        if not wrong:
            return
        self._note(f'SUPERVISOR_AGENT_STALLED: {wrong}; it is started again')
        self._last_error = wrong
        self._turn_ended = False
        life, grace = self._life, self._settings.grace
        self._ending = [(now + grace, life.terminate), (now + 2 * grace, life.kill)]
        life.interrupt()

    def _ended(self, now: float) -> None:
        stalled, self._ending = bool(self._ending), []
        words, code = self._life.describe(), self._life.poll()
        self._life = None
        self._find_session()
        final = getattr(self._adapter, 'final', False) and not stalled
        if final and code == 0:
            self._give_up('has nothing left to try')
            return
        activity = self._activity()
        if activity.progress != self._progress:
            self._failures = self._fruitless = self._idle = 0
            self._why = prompts.restarted(self._last_error or words)
            if self._turn_ended and not stalled:
                self._why = prompts.TURN_ENDED
            self._note(f'the agent ended a life: {words}')
            self._back_off(now, 0)
        elif final and code == CANNOT_GO_ON:
            self._give_up(f'cannot go on: it {words}')
        elif self._turn_ended and not stalled:
            self._idle += 1
            self._failures = self._fruitless = 0
            self._why = prompts.IDLE
            self._note(f'the agent ended a turn without asking for anything ({self._idle})')
            if self._idle > self._settings.most_idle:
                self._give_up(
                    f'ended {self._idle} turns in a row without asking the station for anything; '
                    'its log shows what it said instead'
                )
            else:
                self._back_off(now, self._idle - 1)
        else:
            self._failed(now, f'{self._last_error}; {words}' if self._last_error else words)

    def _failed(self, now: float, words: str) -> None:
        self._why = prompts.restarted(words)
        self._fruitless += 1
        fast = now - self._began < self._settings.fast
        if self._activity().model_down:  # not the agent's fault, and it may come back
            self._note(f'the agent failed while the model did not serve: {words}')
            self._back_off(now, self._fruitless - 1)
            return
        self._failures = self._failures + 1 if fast else 1
        self._note(f'the agent failed ({self._failures}): {words}')
        if self._failures > self._settings.most_failures:
            self._give_up(f'failed {self._failures} times in a row, the last time: {words}')
            return
        if fast and self._session and self._failures == self._settings.fresh_after:
            self._note('its conversation is given up; a new one is begun')
            self._given_up.add(self._session)
            self._keep('')
        self._back_off(now, self._fruitless - 1)

    def _back_off(self, now: float, exponent: int) -> None:
        settings = self._settings
        self._again_at = now + min(
            settings.delay * 2.0 ** min(exponent, 30), settings.longest_delay
        )
        self._state = KeeperState.PAUSED if self._held else KeeperState.BACKING_OFF

    def _give_up(self, words: str) -> None:
        message = f'the agent {self._adapter.name} {words}'
        self._error = StationError(ErrorCode.SUPERVISOR_AGENT_FAILED, message)
        self._state = KeeperState.FAILED

    def _find_session(self) -> None:
        if self._session:
            return
        found = self._adapter.session_of(self._task.home, self._task.workdir)
        if found not in self._given_up:
            self._keep(found)

    def _keep(self, session: str) -> None:
        if session != self._session:
            self._session = session
            self._save_session(session)
