"""The keeper's states, with a clock and lives that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents.builtin import Builtin
from enpire_nodes.evolution.agents.interface import (
    AgentEvent,
    AgentTask,
    CANNOT_GO_ON,
    EventKind,
)
from enpire_nodes.evolution.agents.keeper import AgentKeeper, KeeperSettings, KeeperState
from enpire_nodes.evolution.agents.watchdog import Activity

SETTINGS = KeeperSettings(
    stall_after=100.0,
    think_longest=200.0,
    fast=30.0,
    most_failures=3,
    most_idle=2,
    fresh_after=2,
    delay=1.0,
    longest_delay=60.0,
    grace=5.0,
)


@dataclass
class Life:
    """A life that does what the test says."""

    task: AgentTask
    say: Callable[[AgentEvent], None]
    code: int | None = None
    asked: list[str] = field(default_factory=list)
    obeys: str = 'interrupt'
    pid: int = 7

    def start(self) -> None:
        self._ask('start')

    def poll(self) -> int | None:
        return self.code

    def describe(self) -> str:
        return f'ended with exit code {self.code}'

    def pause(self) -> None:
        self._ask('pause')

    def resume(self) -> None:
        self._ask('resume')

    def interrupt(self) -> None:
        self._ask('interrupt')

    def terminate(self) -> None:
        self._ask('terminate')

    def kill(self) -> None:
        self._ask('kill')

    def stop(self, grace: float = 5.0) -> int | None:
        self._ask('stop')
        self.code = -9
        return self.code

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what == self.obeys:
            self.code = -15


class Talker(Builtin):
    """An agent whose word is not believed, as those with a model."""

    final = False


class Bench:
    """A keeper, and all that it is told and tells."""

    def __init__(
        self, session: str = '', settings: KeeperSettings = SETTINGS, agent: type = Talker
    ) -> None:
        self.now, self.activity = 1000.0, Activity()
        self.lives: list[Life] = []
        self.notes: list[str] = []
        self.saved: list[str] = []
        self.obeys, self.broken = 'interrupt', ''
        task = AgentTask('', 'm', Path('/clone'), Path('/home'), session=session)
        self.keeper = AgentKeeper(
            agent(),
            task,
            make=self._make,
            facts=lambda: 'job 7: 18 of 20',
            activity=lambda: self.activity,
            note=self.notes.append,
            save_session=self.saved.append,
            settings=settings,
            clock=lambda: self.now,
        )

    def _make(self, task: AgentTask, say: Callable[[AgentEvent], None]) -> Life:
        if self.broken:
            raise StationError(ErrorCode.SUPERVISOR_AGENT_FAILED, self.broken)
        self.lives.append(Life(task, say, obeys=self.obeys))
        return self.lives[-1]

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @property
    def state(self) -> KeeperState:
        return self.keeper.state

    def tick(self, after: float = 0.0) -> None:
        self.now += after
        self.keeper.tick()

    def ends(self, *, turn: bool = False, progress: int = 0, code: int = 0) -> None:
        """Let the life end, and the keeper see it."""
        if turn:
            self.life.say(AgentEvent(EventKind.TURN_ENDED))
        self.activity = Activity(progress=self.activity.progress + progress)
        self.life.code = code
        self.tick()


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.tick()
    return made


def test_it_begins_with_the_program_and_the_facts(bench):
    assert bench.state is KeeperState.RUNNING
    assert not bench.life.task.resume
    assert 'PROGRAM.md' in bench.life.task.prompt
    assert 'job 7: 18 of 20' in bench.life.task.prompt


def test_a_saved_session_is_gone_on_with():
    bench = Bench(session='S1')
    bench.tick()
    assert (bench.life.task.session, bench.life.task.resume) == ('S1', True)
    assert bench.life.task.prompt.splitlines()[1] == 'job 7: 18 of 20'


def test_the_session_is_saved_as_soon_as_it_is_known(bench):
    bench.life.say(AgentEvent(EventKind.SESSION, session='S2'))
    bench.tick()
    bench.life.say(AgentEvent(EventKind.SESSION, session='S2'))
    bench.tick()
    assert bench.saved == ['S2']


def test_a_turn_that_brought_something_about_is_followed_by_another(bench):
    bench.life.say(AgentEvent(EventKind.SESSION, session='S2'))
    for _ in range(10):
        bench.ends(turn=True, progress=1)
        assert bench.state is KeeperState.BACKING_OFF
        bench.tick(1.0)
        assert bench.state is KeeperState.RUNNING
    assert len(bench.lives) == 11
    assert bench.life.task.resume
    assert 'there is budget left' in bench.life.task.prompt


def test_turns_without_progress_come_to_an_end(bench):
    for _ in range(2):
        bench.ends(turn=True)
        bench.tick(10.0)
        assert bench.state is KeeperState.RUNNING
    bench.ends(turn=True)
    assert bench.state is KeeperState.FAILED
    assert bench.keeper.error.code is ErrorCode.SUPERVISOR_AGENT_FAILED
    bench.tick(1000.0)
    assert len(bench.lives) == 3


def test_progress_forgives_turns_without_it(bench):
    for _ in range(2):
        bench.ends(turn=True)
        bench.tick(10.0)
    bench.ends(turn=True, progress=1)
    for _ in range(2):
        bench.tick(10.0)
        bench.ends(turn=True)
    assert bench.state is KeeperState.BACKING_OFF


def test_an_exit_code_of_success_is_no_success(bench):
    for _ in range(4):
        bench.ends(code=0)
        bench.tick(60.0)
    assert bench.state is KeeperState.FAILED
    assert 'exit code 0' in bench.keeper.error.message


def test_delays_double(bench):
    for delay in (1.0, 2.0, 4.0):
        bench.ends(code=1)
        count = len(bench.lives)
        bench.tick(delay - 0.1)
        assert len(bench.lives) == count
        bench.tick(0.2)
        assert len(bench.lives) == count + 1
    bench.ends(code=1)
    assert bench.state is KeeperState.FAILED


def test_long_lives_that_fail_do_not_add_up(bench):
    for _ in range(10):
        bench.now += 31.0
        bench.ends(code=1)
        bench.tick(60.0)
        assert bench.state is KeeperState.RUNNING


def test_long_lives_that_fail_wait_longer_too(bench):
    for delay in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        bench.now += 31.0
        bench.ends(code=1)
        count = len(bench.lives)
        bench.tick(delay - 0.1)
        assert len(bench.lives) == count
        bench.tick(0.2)
        assert len(bench.lives) == count + 1


def test_a_program_that_is_missing_comes_to_an_end():
    bench = Bench()
    bench.broken = 'claude is not installed'
    for _ in range(4):
        bench.tick(60.0)
    assert bench.state is KeeperState.FAILED
    assert 'claude is not installed' in bench.keeper.error.message


def test_a_conversation_that_cannot_be_gone_on_with_is_given_up():
    bench = Bench(session='S1')
    bench.tick()
    bench.ends(code=1)
    bench.tick(10.0)
    assert bench.life.task.resume
    bench.ends(code=1)
    bench.tick(10.0)
    assert not bench.life.task.resume
    assert bench.saved == ['']


def test_a_conversation_that_was_given_up_is_not_found_again(monkeypatch):
    monkeypatch.setattr(Builtin, 'session_of', lambda *_: 'S1')
    bench = Bench(session='S1')
    bench.tick()
    for _ in range(2):
        bench.ends(code=1)
        bench.tick(10.0)
    bench.ends(code=1)
    assert bench.keeper.session == ''


def test_a_session_that_was_not_told_is_looked_for(monkeypatch, bench):
    monkeypatch.setattr(Builtin, 'session_of', lambda *_: 'S9')
    bench.ends(code=-9)
    bench.tick(10.0)
    assert bench.life.task.resume
    assert bench.saved == ['S9']


def test_it_waits_for_a_model_that_does_not_serve(bench):
    for _ in range(20):
        bench.activity = Activity(model_down=True)
        bench.life.code = 1
        bench.tick()
        assert bench.state is KeeperState.BACKING_OFF
        bench.tick(60.0)
        assert bench.state is KeeperState.RUNNING


def test_silence_is_a_stall(bench):
    bench.tick(99.0)
    assert bench.life.asked == ['start']
    bench.tick(2.0)
    assert bench.life.asked == ['start', 'interrupt']
    bench.tick()
    assert any('STALLED' in note for note in bench.notes)
    bench.tick(10.0)
    assert len(bench.lives) == 2


def test_one_that_does_not_listen_is_killed(bench):
    bench.life.obeys = 'kill'
    bench.tick(101.0)
    for _ in range(3):
        bench.tick(5.0)
    assert bench.life.asked == ['start', 'interrupt', 'terminate', 'kill']


@pytest.mark.parametrize('busy', [{'jobs': 1}, {'model_seen': 1050.0}, {'progress': 5}])
def test_signs_of_life(bench, busy):
    bench.activity = Activity(**busy)
    bench.tick(60.0)
    bench.tick(60.0)
    assert bench.life.asked == ['start']


def test_an_event_is_a_sign_of_life(bench):
    bench.now += 60.0
    bench.life.say(AgentEvent(EventKind.THINKING))
    bench.tick()
    bench.tick(60.0)
    assert bench.life.asked == ['start']


def test_thinking_is_no_silence_but_has_an_end(bench):
    bench.activity = Activity(in_flight=1)
    bench.tick()
    bench.tick(150.0)
    assert bench.life.asked == ['start']
    bench.tick(51.0)
    assert bench.life.asked == ['start', 'interrupt']


def test_a_pause_is_no_silence(bench):
    bench.keeper.pause()
    assert bench.state is KeeperState.PAUSED
    bench.tick(10_000.0)
    bench.keeper.resume()
    bench.tick(99.0)
    assert bench.state is KeeperState.RUNNING
    assert bench.life.asked == ['start', 'pause', 'resume']


def test_nothing_is_started_in_a_pause(bench):
    bench.keeper.pause()
    bench.ends(code=-9)
    bench.tick(100.0)
    assert len(bench.lives) == 1
    assert bench.state is KeeperState.PAUSED
    bench.keeper.resume()
    bench.tick(100.0)
    assert len(bench.lives) == 2


def test_a_pause_before_the_first_life():
    bench = Bench()
    bench.keeper.pause()
    bench.tick(1.0)
    assert bench.lives == []
    bench.keeper.resume()
    bench.tick(1.0)
    assert len(bench.lives) == 1


def test_a_pause_puts_off_the_end_of_one_that_is_stuck(bench):
    bench.life.obeys = 'kill'
    bench.tick(101.0)
    bench.keeper.pause()
    bench.tick(1000.0)
    bench.keeper.resume()
    bench.tick(4.0)
    assert bench.life.asked == ['start', 'interrupt', 'pause', 'resume']
    bench.tick(2.0)
    assert bench.life.asked[-1] == 'terminate'


def test_a_stop_finds_the_session_that_was_not_told(monkeypatch, bench):
    monkeypatch.setattr(Builtin, 'session_of', lambda *_: 'S9')
    bench.keeper.stop()
    assert bench.saved == ['S9']


def test_what_was_given_up_stays_so(bench):
    bench.broken = 'gone'
    bench.ends(code=1)
    for _ in range(4):
        bench.tick(60.0)
    assert bench.state is KeeperState.FAILED
    bench.keeper.pause()
    bench.keeper.resume()
    bench.keeper.stop()
    bench.tick(60.0)
    assert bench.state is KeeperState.FAILED
    assert bench.keeper.error is not None
    assert bench.keeper.pid == 0


def test_a_stop_is_the_end(bench):
    bench.keeper.stop()
    assert bench.state is KeeperState.STOPPED
    assert bench.life.asked[-1] == 'stop'
    bench.tick(100.0)
    assert len(bench.lives) == 1
    assert bench.keeper.error is None


@pytest.mark.parametrize(
    ('code', 'words'),
    [
        (0, 'has nothing left to try'),
        (CANNOT_GO_ON, f'cannot go on: it ended with exit code {CANNOT_GO_ON}'),
    ],
)
def test_an_agent_that_ends_by_itself_is_not_started_again(code, words):
    bench = Bench(agent=Builtin)
    bench.keeper.tick()
    bench.ends(code=code)
    assert bench.state is KeeperState.FAILED
    assert bench.keeper.error.message.endswith(words)


@pytest.mark.parametrize(
    ('agent', 'code', 'progress'),
    [(Builtin, 1, 0), (Builtin, CANNOT_GO_ON, 1), (Talker, CANNOT_GO_ON, 0)],
    ids=['crashed', 'brought something about', 'is not believed'],
)
def test_another_is(agent, code, progress):
    bench = Bench(agent=agent)
    bench.keeper.tick()
    bench.ends(code=code, progress=progress)
    assert bench.state is KeeperState.BACKING_OFF
