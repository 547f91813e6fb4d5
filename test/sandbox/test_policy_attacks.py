"""What a policy may try against its station, each shown to work where the wall is not."""

from __future__ import annotations

import os
from pathlib import Path
import socket
import subprocess
import textwrap
import time

import numpy as np
import psutil
import pytest
from sandbox_support import LIMIT, SECRET

from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec

DONE, REFUSED = 1.0, 0.0
FEATURES = {'tcp': np.zeros(3)}


@pytest.fixture
def policy(tmp_path):
    """Write a policy that tries something at its step; return its file."""

    def write(attack: str) -> Path:
        body = textwrap.indent(textwrap.dedent(attack).strip(), ' ' * 12)
        file = tmp_path / 'run' / 'recipe' / 'policy.py'
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            'import os, pathlib, signal, socket, subprocess\n'
            'class Policy:\n'
            '    def __init__(self, checkpoint): pass\n'
            '    def reset(self, context): pass\n'
            '    def step(self, features):\n'
            '        try:\n'
            f'{body}\n'
            '        except OSError as error:\n'
            '            print(error, flush=True)\n'
            f'            return [{REFUSED}, 0, 0]\n'
            f'        return [{DONE}, 0, 0]\n',
            'utf-8',
        )
        return file

    return write


@pytest.fixture
def tried(tmp_path):
    """Run one step of a policy in its process; return what it says came of its attack."""

    def run(file: Path, sandbox: str) -> float:
        spec = WorkerSpec('learned', tmp_path / 'log', {'policy': str(file)}, sandbox=sandbox)
        worker = PolicyWorker(spec)
        try:
            worker.start()
            worker.reset(AttemptContext())
            return float(worker.step(FEATURES, deadline=LIMIT).delta[0])
        finally:
            worker.stop()

    return run


def in_this_process(file: Path) -> float:
    """Run one step of a policy without any wall."""
    return registry.make('learned', {'policy': str(file)}).step(FEATURES)[0]


def test_it_cannot_change_its_own_file(policy, tried):
    file = policy('pathlib.Path(__file__).write_text("evil")')
    before = file.read_text('utf-8')
    assert tried(file, 'required') == REFUSED
    assert file.read_text('utf-8') == before
    assert tried(file, 'off') == DONE
    assert file.read_text('utf-8') == 'evil'


def test_it_cannot_leave_anything_for_the_next_policy(policy, tried, tmp_path):
    note = tmp_path / 'run' / 'note'
    file = policy(f'pathlib.Path("{note.parent}").mkdir(exist_ok=True); open("{note}", "w")')
    tried(file, 'required')
    assert not note.exists()
    assert tried(file, 'off') == DONE
    assert note.exists()


@pytest.mark.parametrize('name', ['ledger.sqlite', 'audits.jsonl', 'seeds.json'])
def test_it_cannot_read_the_run(policy, tried, tmp_path, name):
    file = policy(f'assert "{SECRET}" in open("{tmp_path}/run/{name}").read()')
    (tmp_path / 'run' / name).write_text(SECRET, 'utf-8')
    assert tried(file, 'required') == REFUSED
    assert tried(file, 'off') == DONE


def test_it_sees_no_process_of_the_station(policy, tried):
    with subprocess.Popen(['sleep', '1000']) as station:
        file = policy(f'os.kill({station.pid}, signal.SIGKILL)')
        assert tried(file, 'required') == REFUSED
        assert station.poll() is None
        assert tried(file, 'off') == DONE
        assert station.wait(LIMIT) == -9


@pytest.mark.parametrize('sandbox', ['required', 'off'])
@pytest.mark.parametrize(
    'family',
    ['AF_INET, socket.SOCK_DGRAM', 'AF_INET, socket.SOCK_STREAM', 'AF_UNIX', 'AF_NETLINK'],
)
def test_it_gets_no_socket(policy, tried, family, sandbox):
    file = policy(f'socket.socket(socket.{family}).close()'.replace('NETLINK', 'NETLINK, 3'))
    assert in_this_process(file) == DONE
    assert tried(file, sandbox) == REFUSED


def test_it_cannot_speak_to_a_participant(policy, tried):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.bind(('127.0.0.1', 0))
        participant.settimeout(0.2)
        port = participant.getsockname()[1]
        file = policy(
            'with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n'
            f'    s.sendto(b"RTPS", ("127.0.0.1", {port}))'
        )
        assert tried(file, 'required') == REFUSED
        with pytest.raises(TimeoutError):
            participant.recv(100)
        assert in_this_process(file) == DONE
        participant.settimeout(LIMIT)
        assert participant.recv(100) == b'RTPS'


def test_what_it_started_ends_with_it(policy, tmp_path):
    file = policy('subprocess.Popen(["sleep", "1000"], start_new_session=True)')
    for sandbox, outlives in (('required', False), ('off', True)):
        spec = WorkerSpec('learned', tmp_path / 'log', {'policy': str(file)}, sandbox=sandbox)
        worker = PolicyWorker(spec)
        worker.start()
        assert worker.step(FEATURES, deadline=LIMIT).delta[0] == DONE
        family = psutil.Process(worker.pid).children(recursive=True)
        sleeping = [process for process in family if process.ppid() != os.getpid()]
        assert sleeping
        worker.stop()
        _, alive = psutil.wait_procs(family, timeout=0.5 if outlives else LIMIT)
        assert bool(alive) == outlives
        for process in alive:
            process.kill()


def test_a_policy_that_hangs_is_killed_from_any_thread(policy, tmp_path):
    file = policy('while True: pass')
    spec = WorkerSpec('learned', tmp_path / 'log', {'policy': str(file)}, sandbox='required')
    worker = PolicyWorker(spec)
    worker.start()
    assert worker.step(FEATURES, deadline=0.05) is None
    family = psutil.Process(worker.pid).children(recursive=True)
    began = time.monotonic()
    worker.kill()
    _, alive = psutil.wait_procs(family, timeout=LIMIT)
    assert not alive
    assert time.monotonic() - began < LIMIT
    worker.stop()
