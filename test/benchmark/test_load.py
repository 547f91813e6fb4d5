"""Processor shares, and what is said of the machine."""

import os
import subprocess
import sys
import time

import pytest

from enpire_nodes.benchmark.load import busy_already, machine, Shares

BURN = 'import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n'


def test_share_counts_children_that_have_ended_too():
    began = time.monotonic()
    shares = Shares({'test': os.getpid()})
    subprocess.run([sys.executable, '-c', BURN], check=True, timeout=30)

    used = shares.read()['test'] * (time.monotonic() - began)

    assert used == pytest.approx(0.55, abs=0.3)


def test_process_that_is_gone_is_left_out():
    child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)
    shares = Shares({'child': child.pid, 'test': os.getpid(), 'none': 0})
    child.communicate(b'\n', timeout=30)

    assert set(shares.read()) == {'test'}


def test_machine_says_what_it_is():
    found = machine()

    assert found['cores'] >= 1
    assert len(found['load_average']) == 3
    assert found['memory_gb'] > 0


@pytest.mark.parametrize(('load', 'words'), [(0.1, ''), (0.5, ''), (3.0, 'load 3 on 2 cores')])
def test_warning_when_others_work(load, words):
    said = busy_already({'load_average': [load, 0.0, 0.0], 'cores': 2})

    assert words in said
    assert bool(said) == bool(words)
