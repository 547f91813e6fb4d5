"""Writing trials: once each, before motion, whatever happens."""

from dataclasses import replace
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from trial_support import ended, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.record_json import from_json
from enpire_nodes.rollout.records import RequestRecord, TrialOutcome, TrialRecord


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, station='station_1', owner='test') as ledger:
        yield ledger


def refused(code, action, *arguments):
    with pytest.raises(StationError) as caught:
        action(*arguments)
    assert caught.value.code is code
    return caught.value.message


def test_a_started_trial_is_on_the_disk_before_anything_moves(tmp_path, ledger):
    digest = ledger.start_trial(open_trial())
    other = sqlite3.connect(tmp_path / 'ledger.sqlite')
    row = other.execute("SELECT digest FROM entries WHERE kind = 'trial_started'").fetchone()
    assert row[0] == digest


def test_a_closed_trial_has_its_digest_and_its_file(tmp_path, ledger):
    ledger.start_trial(open_trial())
    closed = ledger.close_trial(ended(open_trial()))
    assert ledger.trial('trial_1') == closed
    assert ledger.verify().head == closed.ledger_digest
    written = json.loads((tmp_path / 'trials' / 'trial_1' / 'trial.json').read_text())
    assert from_json(TrialRecord, written) == closed
    assert written['success']
    assert not written['first_attempt_success']


def test_a_trial_starts_once_and_ends_once(ledger):
    refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.close_trial, ended(open_trial()))
    ledger.start_trial(open_trial())
    refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.start_trial, open_trial())
    refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.close_trial, open_trial())
    ledger.close_trial(ended(open_trial()))
    message = refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.close_trial, ended(open_trial()))
    assert 'closed already' in message
    refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.start_trial, open_trial())
    assert ledger.verify().whole


def test_a_trial_that_has_ended_cannot_be_started(ledger):
    refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.start_trial, ended(open_trial()))
    assert ledger.trials() == []


def test_a_second_writer_is_refused_with_the_first_one_s_name(tmp_path, ledger):
    with pytest.raises(StationError, match='test, process') as caught:
        Ledger(tmp_path, station='station_1', owner='second')
    assert caught.value.code is ErrorCode.RUNNER_STATION_LOCKED
    ledger.close()
    Ledger(tmp_path, station='station_1', owner='second').close()


def test_a_ledger_that_cannot_be_opened_keeps_no_lock(tmp_path):
    (tmp_path / 'ledger.sqlite').write_bytes(b'garbage' * 100)
    for _ in range(2):
        with pytest.raises(StationError) as caught:
            Ledger(tmp_path, station='station_1', owner='test')
        assert caught.value.code is ErrorCode.RUNNER_LEDGER_FAILED


class TestRequests:
    request = RequestRecord('r1', 'agent', 3, 8, (11, 12, 13), 'scripted', {'speed': 0.05})

    def test_the_same_request_gets_its_first_seeds(self, ledger):
        assert ledger.start_request(self.request) == self.request
        again = replace(self.request, seeds=(1, 2, 3))
        assert ledger.start_request(again) == self.request

    def test_another_request_of_that_name_is_refused(self, ledger):
        ledger.start_request(self.request)
        other = replace(self.request, trials=4)
        assert 'r1' in refused(ErrorCode.RUNNER_BAD_REQUEST, ledger.start_request, other)

    def test_what_is_done_survives_the_process(self, tmp_path, ledger):
        ledger.start_request(self.request)
        ledger.start_trial(open_trial('t1', request_id='r1'))
        ledger.close_trial(ended(open_trial('t1', request_id='r1')))
        ledger.start_trial(open_trial('t2', request_id='other'))
        ledger.close()
        with Ledger(tmp_path, station='s', owner='test') as again:
            assert again.start_request(self.request).seeds == (11, 12, 13)
            assert [trial.trial_id for trial in again.trials_of_request('r1')] == ['t1']


class TestInterruption:
    def test_open_trials_are_closed_as_failures(self, ledger):
        ledger.start_trial(open_trial('t1'))
        ledger.start_trial(open_trial('t2'))
        ledger.close_trial(ended(open_trial('t2')))
        (closed,) = ledger.close_interrupted()
        assert closed.trial_id == 't1'
        assert closed.outcome is TrialOutcome.INTERRUPTED
        assert closed.error_code is ErrorCode.RUNNER_INTERRUPTED
        assert closed.counted
        assert not closed.success
        assert ledger.close_interrupted() == []

    def test_only_proof_takes_one_out_of_the_denominator(self, ledger):
        ledger.start_trial(open_trial('t1'))
        (closed,) = ledger.close_interrupted(
            complete=lambda trial: replace(trial, infrastructure=True, bag='trials/t1/bag')
        )
        assert not closed.counted
        assert ledger.trial('t1').bag == 'trials/t1/bag'

    def test_a_trial_json_that_a_crash_left_out_is_written(self, tmp_path, ledger):
        ledger.start_trial(open_trial())
        ledger.close_trial(ended(open_trial()))
        path = tmp_path / 'trials' / 'trial_1' / 'trial.json'
        before = path.read_bytes()
        path.unlink()
        assert ledger.complete_files() == ['trial_1']
        assert path.read_bytes() == before
        assert ledger.complete_files() == []


class TestFullDisk:
    @pytest.fixture
    def full(self, ledger):
        """Let the database grow by no page more, as on a full disk, until space is given back."""
        pages = ledger._connection.execute('PRAGMA page_count').fetchone()[0]
        ledger._reserve.fill()
        spend = ledger._reserve.spend

        def spend_and_grow():
            ledger._connection.execute('PRAGMA max_page_count=1000000')
            return spend()

        def fill():
            ledger._connection.execute(f'PRAGMA max_page_count={pages}')

        ledger._reserve.spend = spend_and_grow
        return fill

    def test_a_trial_can_still_be_closed(self, ledger, full):
        ledger.start_trial(open_trial())
        full()
        big = replace(ended(open_trial()), message='x' * 100_000)
        assert ledger.close_trial(big).ledger_digest
        assert ledger.verify().whole

    def test_without_a_reserve_nothing_starts_and_nothing_is_half_written(self, ledger, full):
        ledger.start_trial(open_trial('t1'))
        full()
        ledger._reserve.spend = lambda: False
        big = open_trial('t2', idea='x' * 100_000)
        message = refused(ErrorCode.RUNNER_LEDGER_FAILED, ledger.start_trial, big)
        assert 'free some space' in message
        assert ledger.trial('t2') is None
        assert ledger.verify().whole

    def test_a_real_full_disk(self, tmp_path, small_disk):
        disk = small_disk(megabytes=3)
        with Ledger(disk, station='s', owner='test') as ledger:
            ledger.start_trial(open_trial('t1'))
            ballast = disk / 'ballast'
            with pytest.raises(OSError), ballast.open('wb', buffering=0) as stream:
                while stream.write(b'\0' * 4096) == 4096:
                    pass
                raise OSError(28, 'short write')
            closed = ledger.close_trial(replace(ended(open_trial('t1')), message='x' * 50_000))
            assert closed.ledger_digest
            message = refused(ErrorCode.RUNNER_LEDGER_FAILED, ledger.start_trial, open_trial('t2'))
            assert 'free some space' in message
            ballast.unlink()
            ledger.complete_files()
            ledger.start_trial(open_trial('t2'))
            assert ledger.verify().whole


_WRITE = """
import sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from enpire_nodes.rollout.ledger import Ledger
from trial_support import ended, open_trial
ledger = Ledger(Path(sys.argv[1]), station='s', owner='victim')
for number in range(100000):
    trial = open_trial(f'{sys.argv[3]}_{number:05d}')
    ledger.start_trial(trial)
    print('started', trial.trial_id, flush=True)
    closed = ledger.close_trial(ended(trial))
    print('closed', trial.trial_id, closed.ledger_digest, flush=True)
"""


def test_kill_9_at_any_moment_loses_nothing_that_was_confirmed(tmp_path):
    """The writer says what it has done; whatever it said must be there afterwards."""
    rng = random.Random(3)
    support = str(__import__('pathlib').Path(__file__).parents[2])
    started, closed = set(), {}
    for round_number in range(6):
        process = subprocess.Popen(
            [sys.executable, '-c', _WRITE, str(tmp_path), support, f'r{round_number}'],
            stdout=subprocess.PIPE,
            text=True,
        )
        lines = [process.stdout.readline() for _ in range(rng.randrange(4, 30))]
        time.sleep(rng.uniform(0.0, 0.01))
        process.send_signal(signal.SIGKILL)
        lines += process.communicate(timeout=20)[0].splitlines()
        for line in map(str.strip, lines):
            what, trial_id, *rest = line.split(' ')
            if what == 'started':
                started.add(trial_id)
            elif rest and len(rest[0]) == 64:
                closed[trial_id] = rest[0]
        with Ledger(tmp_path, station='s', owner='next') as ledger:
            assert ledger.verify().whole
            assert len(ledger.close_interrupted()) <= 1
            ledger.complete_files()
    with LedgerReader(tmp_path) as reader:
        trials = {trial.trial_id: trial for trial in reader.trials()}
        assert reader.verify().whole
    assert started <= set(trials)
    assert {name: trials[name].ledger_digest for name in closed} == closed
    assert all(trial.closed for trial in trials.values())
    files = {path.parent.name for path in tmp_path.glob('trials/*/trial.json')}
    assert files == set(trials)
    assert len(closed) >= 10
