"""Lives of real processes: nothing that they start may outlive them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import signal
import sys
import time

import psutil
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.agents import process as process_module
from enpire_nodes.evolution.agents import tree
from enpire_nodes.evolution.agents.interface import AgentEvent, EventKind
from enpire_nodes.evolution.agents.output_log import OutputLog
from enpire_nodes.evolution.agents.process import AgentProcess, exit_words
from enpire_nodes.sandbox import bubblewrap
from enpire_nodes.sandbox.profile import Profile

SECONDS = 40.0

#: Writes its own id to a file when it is ready, and ignores what can be ignored.
STUBBORN = """
import os, pathlib, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
pathlib.Path(sys.argv[1], f'{sys.argv[2]}.tmp').write_text(str(os.getpid()))
os.rename(f'{sys.argv[1]}/{sys.argv[2]}.tmp', f'{sys.argv[1]}/{sys.argv[2]}')
time.sleep(600)
"""
#: Starts a stubborn child, and a stubborn daemon that forked twice.
PARENT = """
import os, subprocess, sys, time
folder, stubborn = sys.argv[1:3]
subprocess.Popen([sys.executable, '-c', stubborn, folder, 'child'])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, '-c', stubborn, folder, 'daemon'])
    os._exit(0)
os.wait()
print('{"ready": 1}', flush=True)
time.sleep(float(sys.argv[3]))
"""


class Words:
    """Makes an event of every line."""

    def feed(self, line: str) -> list[AgentEvent]:
        if line == 'bad':
            raise KeyError('nothing here is as it was')
        return [AgentEvent(EventKind.THINKING, line)]


class Echo(Words):
    """Talks: answers the first line, then is over."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self.over = False

    def opening(self) -> list[str]:
        return ['hello']

    def feed(self, line: str) -> list[AgentEvent]:
        self._said, self.over = (['again'], False) if line == 'hello' else ([], True)
        return super().feed(line)

    def answers(self) -> list[str]:
        said, self._said = self._said, []
        return said

    def interruption(self) -> list[str]:
        return ['cancel']


class Chatty(Echo):
    """Answers every line with a page."""

    def feed(self, line: str) -> list[AgentEvent]:
        self._said = ['x' * 4096]
        return Words.feed(self, line)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., AgentProcess]]:
    """Start lives, and leave none."""
    lives = []

    def start(*argv: str, reader: object = None) -> AgentProcess:
        life = AgentProcess(
            argv,
            dict(os.environ),
            tmp_path / 'agent.log',
            lambda event: life.heard.append(event.words),
            reader=reader or Words(),
            workdir=tmp_path,
            mark=f'test/{tmp_path}',
        )
        life.heard = []
        lives.append(life)
        life.start()
        return life

    yield start
    for life in lives:
        life.kill()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, 'it did not come to hold'
        time.sleep(0.02)


def family_of(live: Callable, tmp_path: Path, seconds: float = 600.0) -> tuple:
    """Start a parent with a child and a daemon; return the life and their ids."""
    life = live(sys.executable, '-c', PARENT, str(tmp_path), STUBBORN, str(seconds))
    files = [tmp_path / 'child', tmp_path / 'daemon']
    wait_for(lambda: all(file.exists() for file in files))
    return life, [int(file.read_text()) for file in files]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_output_becomes_events_and_the_log_keeps_it(live, tmp_path):
    life = live('sh', '-c', 'echo one; echo bad; echo two; echo "error: three" >&2; exit 3')
    wait_for(lambda: life.poll() is not None)
    assert life.heard == ['one', 'two']
    assert life.describe() == 'ended with exit code 3; it said: error: three'
    assert set((tmp_path / 'agent.log').read_text().split('\n')) >= {'one', 'two', 'error: three'}


def test_a_reader_may_talk(live):
    life = live('cat', reader=Echo())
    wait_for(lambda: life.poll() is not None)
    assert life.heard == ['hello', 'again']
    assert life.poll() == 0


@pytest.mark.timeout(50)
def test_one_that_asks_and_never_reads_holds_nobody_up(live, monkeypatch):
    monkeypatch.setattr(process_module, '_LISTEN', 0.2)
    code = 'import time\nfor i in range(100): print(i, flush=True)\ntime.sleep(600)'
    life = live(sys.executable, '-c', code, reader=Chatty())
    wait_for(lambda: len(life.heard) == 100)  # its output is read all the same
    assert life.stop(grace=0.5) == -signal.SIGTERM


def test_an_answer_longer_than_the_pipe_arrives_whole(live):
    class Long(Echo):
        def opening(self) -> list[str]:
            return ['y' * 1_000_000]

        def feed(self, line: str) -> list[AgentEvent]:
            self.over = True
            return Words.feed(self, line)

    life = live('wc', '-c', reader=Long())
    life.interrupt()
    life._close_input()
    wait_for(lambda: life.poll() is not None)
    assert life.heard == [str(1_000_001 + len('cancel\n'))]


def test_a_program_that_is_not_there(tmp_path, live):
    with pytest.raises(StationError) as caught:
        live('/nowhere/agent')
    assert caught.value.code is ErrorCode.SUPERVISOR_AGENT_FAILED


def test_a_stop_reaches_those_that_do_not_listen(live, tmp_path):
    life, others = family_of(live, tmp_path)
    assert life.stop(grace=0.5) == -signal.SIGINT
    assert all(gone(pid) for pid in others)


def test_an_end_takes_the_others_along(live, tmp_path):
    life, others = family_of(live, tmp_path, seconds=0.0)
    wait_for(lambda: life.poll() is not None)
    assert life.poll() == 0
    assert all(gone(pid) for pid in others)


def test_a_kill_from_outside_leaves_nobody(live, tmp_path):
    life, others = family_of(live, tmp_path)
    os.kill(life.pid, signal.SIGKILL)
    wait_for(lambda: life.poll() is not None)
    assert life.describe().startswith('ended by SIGKILL')
    assert all(gone(pid) for pid in others)


def test_a_kill_is_told_as_one(live):
    life = live('sleep', '600')
    life.kill()
    assert life.poll() == -signal.SIGKILL


def test_an_earlier_supervisors_agents_are_swept(live, tmp_path):
    life, others = family_of(live, tmp_path)
    assert tree.sweep(f'test/{tmp_path}'[:-1]) == 0
    assert tree.sweep(f'test/{tmp_path}') == 3
    assert all(gone(pid) for pid in (life.pid, *others))
    assert tree.sweep(f'test/{tmp_path}') == 0


def test_a_pause_holds_every_process(live, tmp_path):
    life, others = family_of(live, tmp_path)
    pids = [life.pid, *others]
    life.pause()
    wait_for(lambda: {psutil.Process(pid).status() for pid in pids} == {'stopped'})
    life.resume()
    wait_for(lambda: 'stopped' not in {psutil.Process(pid).status() for pid in pids})


def test_a_paused_one_can_be_stopped(live, tmp_path):
    life, others = family_of(live, tmp_path)
    life.pause()
    life.stop(grace=0.5)
    assert all(gone(pid) for pid in (life.pid, *others))


def test_an_interrupt_is_enough_for_one_that_listens(live):
    life = live(sys.executable, '-c', 'print("up", flush=True)\nimport time; time.sleep(600)')
    wait_for(lambda: life.heard)
    assert life.stop(grace=SECONDS) == -signal.SIGINT


@pytest.mark.skipif(not bubblewrap.availability().usable, reason='no sandbox can be had')
def test_an_interrupt_reaches_the_program_in_a_sandbox(live, tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    code = 'print("up", flush=True)\nimport time\ntry: time.sleep(600)\n'
    code += 'except KeyboardInterrupt: print("leaving", flush=True)'
    profile = Profile(workdir=folder, writable=(folder,))
    life = live(*bubblewrap.command(profile, [sys.executable, '-c', code]))
    wait_for(lambda: life.heard == ['up'])
    assert life.stop(grace=SECONDS) == 0
    assert life.heard == ['up', 'leaving']


@pytest.mark.skipif(not bubblewrap.availability().usable, reason='no sandbox can be had')
def test_a_sandbox_ends_with_all_that_is_in_it(live, tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    profile = Profile(workdir=folder, writable=(folder,))
    argv = [sys.executable, '-c', PARENT, str(folder), STUBBORN, '600']
    life = live(*bubblewrap.command(profile, argv))
    wait_for(lambda: (folder / 'child').exists() and (folder / 'daemon').exists())
    inside = psutil.Process(life.pid).children(recursive=True)
    assert len(inside) >= 3
    life.stop(grace=0.5)
    assert all(gone(process.pid) for process in inside)


def test_a_long_line_comes_in_parts(live, monkeypatch):
    monkeypatch.setattr(process_module, 'LONGEST', 10)
    life = live('echo', 'x' * 25)
    wait_for(lambda: life.poll() is not None)
    assert life.heard == ['x' * 10, 'x' * 10, 'x' * 5]


def test_the_log_is_bounded(tmp_path):
    log = OutputLog(tmp_path / 'a.log', most_bytes=1000, older=2)
    for index in range(200):
        log.write(f'line {index} ' + 'x' * 50)
    log.write('y' * 100_000)
    log.close()
    log.write('too late')
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert all(file.stat().st_size < 40_000 for file in files)
    assert 'too late' not in (tmp_path / 'a.log').read_text()


def test_a_log_that_cannot_be_made_is_an_agent_that_cannot_be_started(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(StationError) as caught:
        AgentProcess(
            ['true'], {}, tmp_path / 'file' / 'log', print, reader=Words(), workdir=tmp_path
        )
    assert caught.value.code is ErrorCode.SUPERVISOR_AGENT_FAILED


def test_a_full_disk_is_told_once(tmp_path, caplog):
    log = OutputLog(tmp_path / 'a.log')
    log.write('fits')
    log._handler.stream.close()
    log._handler.stream = Path('/dev/full').open('w', buffering=1)  # noqa: SIM115 - it closes it
    for _ in range(3):
        log.write('does not fit')
    assert caplog.text.count('is not kept') == 1


@pytest.mark.parametrize(
    ('code', 'words'),
    [(0, 'exit code 0'), (-15, 'SIGTERM'), (137, 'SIGKILL'), (143, 'SIGTERM'), (255, 'code 255')],
)
def test_exit_codes_in_words(code, words):
    assert words in exit_words(code)
