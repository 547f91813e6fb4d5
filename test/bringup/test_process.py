"""A process is restarted within bounds, and stopped for certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import signal
import sys
import time

from bringup_support import wait_until
import pytest

from enpire_nodes.bringup.configuration import load_configuration, Respawn
from enpire_nodes.bringup.nodes import station_nodes, station_processes
from enpire_nodes.bringup.process import describe_exit, NodeProcess, State

READY = 'print("ready", flush=True)'


class Scripted(NodeProcess):
    """Runs Python text instead of nodes."""

    def __init__(self, text: str, log: Path, respawn: Respawn) -> None:
        (spec,) = station_processes(station_nodes(load_configuration(nodes=['safety_gate'])))
        object.__setattr__(spec.nodes[0], 'respawn', respawn)
        super().__init__(spec, log=log, parameters=Path('unused'), environment=os.environ)
        self.text = text

    def command(self) -> list[str]:
        return [sys.executable, '-c', self.text]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Scripted]]:
    made: list[Scripted] = []

    def make(text: str, **respawn: float) -> Scripted:
        process = Scripted(text, tmp_path / 'log' / 'node.log', Respawn(**respawn))
        made.append(process)
        process.start()
        return process

    yield make
    for process in made:
        process.stop(interrupt=0.1, terminate=0.1)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'


def said(process: Scripted, words: str) -> bool:
    return process.log.is_file() and words in process.log.read_text()


def test_a_dead_process_comes_back_after_the_delay(make: Callable[..., Scripted]) -> None:
    process = make('import time; time.sleep(60)', delay=0.3)
    first = process.pid
    process.signal(signal.SIGKILL)
    assert 'killed by SIGKILL' in wait_until(process.poll)
    ended = time.monotonic()
    assert process.state is State.WAITING
    assert process.pid == 0
    assert 'started again (1)' in wait_until(process.poll)
    assert time.monotonic() - ended >= 0.25
    assert process.pid not in (0, first)


def test_the_reason_holds_the_last_words(make: Callable[..., Scripted]) -> None:
    process = make('print("fine"); raise RuntimeError("no camera")')
    event = wait_until(process.poll)
    assert 'ended with exit code 1' in event
    assert 'RuntimeError: no camera' in event


def test_a_process_that_keeps_dying_is_given_up(make: Callable[..., Scripted]) -> None:
    process = make('raise SystemExit(1)', delay=0.0, limit=2, window=60.0)
    events = []
    wait_until(lambda: events.append(process.poll()) or process.state is State.GIVEN_UP)
    assert process.restarts == 2
    assert any('Given up: started 3 times within 60 s' in event for event in events)


def test_starts_outside_the_window_are_forgotten(make: Callable[..., Scripted]) -> None:
    process = make('import time; time.sleep(0.2); raise SystemExit(1)', delay=0, limit=1, window=1)
    process._starts[0] -= 5.0
    wait_until(lambda: process.poll() and process.restarts == 1)
    assert process.state is State.RUNNING


def test_a_wrong_configuration_is_not_tried_again(make: Callable[..., Scripted]) -> None:
    process = make('import sys; sys.stderr.write("cannot start: no x\\n"); sys.exit(2)')
    assert 'cannot start: no x' in wait_until(process.poll)
    assert process.state is State.GIVEN_UP
    assert process.restarts == 0


def test_no_respawn_when_the_limit_is_zero(make: Callable[..., Scripted]) -> None:
    process = make('pass', limit=0)
    wait_until(process.poll)
    assert process.state is State.GIVEN_UP


def test_stop_asks_first(make: Callable[..., Scripted]) -> None:
    text = f'import signal, time\ntry:\n {READY}; time.sleep(60)\nexcept BaseException as e:\n'
    process = make(text + ' print(type(e).__name__)')
    wait_until(lambda: said(process, 'ready'))
    assert process.stop() == ''
    assert said(process, 'KeyboardInterrupt')
    assert process.state is State.STOPPED


@pytest.mark.parametrize(
    ('ignored', 'last'), [(('SIGINT',), 'SIGINT'), (('SIGINT', 'SIGTERM'), 'SIGTERM')]
)
def test_stop_insists(make: Callable[..., Scripted], ignored: tuple[str, ...], last: str) -> None:
    lines = [f'signal.signal(signal.{name}, signal.SIG_IGN)' for name in ignored]
    process = make('\n'.join(['import signal, time', *lines, READY, 'time.sleep(60)']))
    wait_until(lambda: said(process, 'ready'))
    pid = process.pid
    note = process.stop(interrupt=0.2, terminate=0.2)
    assert note == f'safety_gate: did not end within 0.2 s of {last}'
    assert not alive(pid)


def test_children_do_not_outlive_their_process(make: Callable[..., Scripted]) -> None:
    process = make(
        'import subprocess, time\n'
        'child = subprocess.Popen(["sleep", "60"])\n'
        'print("child", child.pid, flush=True); time.sleep(60)',
        limit=0,
    )
    wait_until(lambda: said(process, 'child'))
    child = int(process.log.read_text().split()[1])
    process.signal(signal.SIGKILL)
    wait_until(process.poll)
    wait_until(lambda: not alive(child))


def test_exits_in_words() -> None:
    assert describe_exit(-11) == 'killed by SIGSEGV'
    assert describe_exit(3) == 'ended with exit code 3'
    assert describe_exit(-99) == 'killed by signal 99'
