"""The first program in a sandbox: relays, signals, exit codes."""

from __future__ import annotations

import contextlib
from pathlib import Path
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from sandbox_support import LIMIT, run, World

from enpire_nodes.sandbox import signals
from enpire_nodes.sandbox.bubblewrap import command, relayed
from enpire_nodes.sandbox.profile import Profile

ASK = """
import socket, sys
with socket.create_connection(('127.0.0.1', 8080), timeout=30.0) as s:
    s.sendall(b'x' * int(sys.argv[1]))
    s.shutdown(socket.SHUT_WR)
    answer = b''
    while piece := s.recv(65536):
        answer += piece
sys.stdout.write(answer.decode() + '\\n')  # at once: others print too
"""


@pytest.fixture
def answering(tmp_path):
    """Serve a socket that answers how much it was told, when its client has said all."""
    path = tmp_path / 'model.sock'
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)

    def answer(connection: socket.socket) -> None:
        with connection:
            told = 0
            while piece := connection.recv(65536):
                told += len(piece)
            connection.sendall(str(told).encode())

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def start(profile: Profile, argv: list[str], relays: dict[int, str]) -> subprocess.Popen:
    return subprocess.Popen(
        command(profile, relayed(relays, argv)), stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def profile(worlds, answering):
    world: World = worlds('station')
    return Profile(
        workdir=world.clone, writable=(world.clone,), sockets={'model': Path(answering)}
    )


@pytest.mark.parametrize('size', [0, 1, 5_000_000])
def test_a_client_that_has_said_all_still_gets_its_answer(profile, size):
    argv = [sys.executable, '-c', ASK, str(size)]
    assert run(command(profile, relayed({8080: 'model'}, argv))).strip() == str(size)


def test_many_connections_go_through_at_once(profile):
    script = f'for i in 1 2 3 4 5 6; do {sys.executable} -c "$0" 1000 & done; wait'
    argv = ['/bin/sh', '-c', script, ASK]
    assert run(command(profile, relayed({8080: 'model'}, argv))).split() == ['1000'] * 6


def test_a_station_that_is_gone_ends_the_connection(profile, answering):
    argv = [sys.executable, '-c', ASK, '10']
    answering.unlink()
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(answering))  # nobody listens
    with dead:
        said = run(command(profile, relayed({8080: 'model'}, argv)))
    assert 'relay: /run/enpire/model.sock: [Errno 111]' in said
    assert 'Traceback' in said  # the client was not left waiting


@pytest.mark.parametrize(
    ('argv', 'code'),
    [
        (['true'], 0),
        (['/bin/sh', '-c', 'exit 7'], 7),
        (['/bin/sh', '-c', 'kill -SEGV $$'], 128 + signal.SIGSEGV),
        (['no-such-program'], 127),
        (['/etc/passwd'], 126),
    ],
)
def test_its_exit_code_is_the_programs(profile, argv, code):
    done = subprocess.run(
        command(profile, relayed({}, argv)), capture_output=True, timeout=LIMIT, check=False
    )
    assert done.returncode == code


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_program(profile, number):
    script = (
        'import signal, sys, time\n'
        f'signal.signal({int(number)}, lambda *_: sys.exit(42))\n'
        'print("ready", flush=True)\n'
        'while True: time.sleep(1000)'
    )
    process = start(profile, [sys.executable, '-c', script], {})
    assert process.stdout.readline() == 'ready\n'
    assert signals.send(process.pid, number)
    assert process.wait(LIMIT) == 42
    assert not signals.send(process.pid, number)


def test_what_the_program_leaves_behind_ends_with_it(profile):
    mark = profile.workdir / 'beat'
    script = f'(setsid sh -c "while true; do date +%s%N > {mark}; sleep 0.02; done" &) ; sleep 0.2'
    run(command(profile, relayed({}, ['/bin/sh', '-c', script])))
    assert mark.exists()
    last = mark.read_text()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        assert mark.read_text() == last
        time.sleep(0.05)


@pytest.mark.parametrize('arguments', [[], ['--relay', '80', '--', 'true'], ['--']])
def test_a_wrong_command_line_is_refused(arguments):
    argv = [sys.executable, '-m', 'enpire_nodes.sandbox.inside', *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 2
    assert 'inside: error' in done.stderr
