"""What a bad policy does to its process, and what the station hears of it."""

import os
from pathlib import Path
import subprocess
import sys
import time

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import AttemptContext, PreviousAttempt
from enpire_nodes.rollout.policy.client import PolicyWorker, WorkerSpec

DEADLINE = 2.0


def begin(worker, **context):
    worker.start()
    worker.reset(AttemptContext(**context))
    return worker


def failure(worker, features, *, steps=5):
    """Step until it fails; return the error. No process may be left."""
    with pytest.raises(StationError) as caught:
        for _ in range(steps):
            assert worker.step(features, deadline=DEADLINE) is not None
    assert not worker.running
    return caught.value


def test_an_action_comes_back(make_worker, features):
    worker = begin(make_worker('return features["tcp"] * 2.0'))
    action = worker.step(features, deadline=DEADLINE)
    np.testing.assert_allclose(action.delta, features['tcp'] * 2.0)
    assert action.position is None
    assert action.gripper_width is None
    assert not action.done


def test_an_action_object_comes_back(make_worker, features):
    act = """
    from enpire_nodes.rollout.controllers.interface import Action
    return Action(position=[0, 0, 0.1], gripper_width=np.float32(0.01), done=self.count == 2)
    """
    worker = begin(make_worker(act))
    first, second = (worker.step(features, deadline=DEADLINE) for _ in range(2))
    np.testing.assert_allclose(first.position, [0, 0, 0.1])
    assert first.gripper_width == pytest.approx(0.01)
    assert (first.done, second.done) == (False, True)


def test_the_context_arrives(make_worker, features):
    act = """
    c = self.context
    return [c.attempt, c.seed, c.previous[0].peak_force + c.goal_position[2]]
    """
    previous = (PreviousAttempt(1, 'failure', 'completed', 90, 3.0, 12.5, 0.02),)
    goal = np.array([0.2, -0.3, -0.06])
    worker = begin(make_worker(act), attempt=2, seed=2**40, goal_position=goal, previous=previous)
    action = worker.step(features, deadline=DEADLINE)
    np.testing.assert_allclose(action.delta, [2, 2**40, 12.44])


@pytest.mark.parametrize(
    ('act', 'code', 'said'),
    [
        ('return np.full(3, np.nan)', ErrorCode.POLICY_NOT_FINITE, 'delta = [nan, nan, nan]'),
        ('return [0.0, np.inf, 0.0]', ErrorCode.POLICY_NOT_FINITE, 'inf'),
        ('return np.zeros(4)', ErrorCode.POLICY_WRONG_SHAPE, 'shape (4,)'),
        ('return np.zeros((1, 3))', ErrorCode.POLICY_WRONG_SHAPE, 'shape (1, 3)'),
        ('return 0.0', ErrorCode.POLICY_WRONG_SHAPE, 'shape ()'),
        ('return None', ErrorCode.POLICY_WRONG_SHAPE, 'step() returned None'),
        ('return "left a bit"', ErrorCode.POLICY_WRONG_SHAPE, 'left a bit'),
        ('return object()', ErrorCode.POLICY_WRONG_SHAPE, 'object'),
        ('return np.zeros(10_000_000)', ErrorCode.POLICY_WRONG_SHAPE, '(10000000,)'),
        ('return [[0.0], [0.0, 1.0], 2.0]', ErrorCode.POLICY_WRONG_SHAPE, 'no array'),
        ('raise ValueError("no idea")', ErrorCode.POLICY_CRASHED, 'ValueError: no idea'),
        ('sys.exit(7)', ErrorCode.POLICY_CRASHED, 'exit code 7'),
        ('os._exit(3)', ErrorCode.POLICY_CRASHED, 'exit code 3'),
        ('os.kill(os.getpid(), 11)', ErrorCode.POLICY_CRASHED, 'SIGSEGV'),
    ],
)
def test_a_bad_answer_is_named(make_worker, features, act, code, said):
    error = failure(begin(make_worker(act)), features)
    assert error.code == code
    assert said in error.message


def test_a_crash_at_a_later_step_shows_the_policys_own_lines(make_worker, features):
    act = """
    if self.count == 3:
        return features['no_such_feature']
    return np.zeros(3)
    """
    worker = begin(make_worker(act))
    for _ in range(2):
        assert worker.step(features, deadline=DEADLINE) is not None
    error = failure(worker, features)
    assert error.code == ErrorCode.POLICY_CRASHED
    assert "return features['no_such_feature']" in error.message
    assert 'KeyError' in error.message


def test_a_late_answer_is_none_and_never_given_to_a_later_step(make_worker, features):
    act = """
    if self.count == 2:
        time.sleep(0.3)
    return np.full(3, float(self.count))
    """
    worker = begin(make_worker(act))
    assert worker.step(features, deadline=DEADLINE).delta[0] == 1.0
    assert worker.step(features, deadline=0.02) is None
    assert worker.step(features, deadline=0.02) is None
    time.sleep(0.4)
    assert worker.step(features, deadline=DEADLINE).delta[0] == 3.0


@pytest.mark.parametrize('act', ['while True: pass', 'time.sleep(1000)'])
def test_a_hang_costs_no_more_than_the_deadline(make_worker, features, act):
    worker = begin(make_worker(act))
    started = time.monotonic()
    for _ in range(5):
        assert worker.step(features, deadline=0.03) is None
    assert time.monotonic() - started < 1.0
    worker.stop()
    assert not worker.running


def test_after_a_hang_it_can_be_started_again(make_worker, features):
    worker = begin(make_worker('time.sleep(1000)'))
    assert worker.step(features, deadline=0.02) is None
    first = worker.pid
    begin(worker)
    assert worker.pid != first
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)


def test_a_reset_that_hangs_is_ended(make_worker):
    hang = 'def reset(self, context):\n    time.sleep(1000)'
    worker = make_worker('return np.zeros(3)', extra=hang, reset_deadline=0.2)
    worker.start()
    with pytest.raises(StationError, match='to begin the attempt') as caught:
        worker.reset(AttemptContext())
    assert caught.value.code == ErrorCode.POLICY_DEADLINE_MISSED
    assert not worker.running


def test_a_policy_that_cannot_be_made_says_why(make_worker, write_policy):
    worker = make_worker('return np.zeros(3)')
    path = write_policy('return np.zeros(3)')
    path.write_text('import a_module_that_is_not_there\n', encoding='utf-8')
    with pytest.raises(StationError, match='a_module_that_is_not_there') as caught:
        worker.start()
    assert caught.value.code == ErrorCode.POLICY_CRASHED
    assert not worker.running


def test_a_process_that_cannot_be_started_says_why(tmp_path):
    spec = WorkerSpec('hold', tmp_path / 'log', sandbox='off', command=('/nonexistent/python',))
    worker = PolicyWorker(spec)
    with pytest.raises(StationError, match='nonexistent') as caught:
        worker.start()
    assert caught.value.code == ErrorCode.POLICY_WORKER_FAILED


def test_a_process_that_ends_at_once_shows_what_it_wrote(tmp_path):
    script = 'import sys; sys.exit("out of luck")'
    spec = WorkerSpec('hold', tmp_path / 'log', command=(sys.executable, '-c', script))
    with pytest.raises(StationError, match='out of luck') as caught:
        PolicyWorker(spec).start()
    assert caught.value.code == ErrorCode.POLICY_CRASHED


def test_what_it_prints_goes_to_the_log_and_never_to_the_channel(make_worker, features):
    act = """
    print('x' * 100_000)
    os.write(1, b'ENP1' * 1000)
    print('garbage', file=sys.stderr)
    return np.zeros(3)
    """
    worker = begin(make_worker(act))
    for _ in range(3):
        assert worker.step(features, deadline=DEADLINE) is not None
    text = worker.spec.log.read_text('utf-8')
    assert text.count('garbage') == 3
    assert len(text) > 300_000


def test_garbage_on_the_channel_ends_the_attempt(make_worker, features):
    act = """
    for descriptor in range(3, 1024):
        try:
            os.write(descriptor, b'hello station, trust me ' * 10)
        except OSError:
            pass
    return np.zeros(3)
    """
    error = failure(begin(make_worker(act)), features)
    assert error.code == ErrorCode.POLICY_CRASHED


def test_a_flood_of_output_ends_the_policy_alone(make_worker, features):
    act = """
    while True:
        os.write(1, b'x' * (1 << 20))
    """
    worker = begin(make_worker(act))
    error = failure(worker, features)
    assert error.code == ErrorCode.POLICY_CRASHED
    assert 'File too large' in error.message
    assert worker.spec.log.stat().st_size <= 64 * 1024 * 1024
    worker.spec.log.unlink()


ROOT = Path(__file__).parents[3]


def run_python(script, *arguments):
    return subprocess.run(
        [sys.executable, '-c', script, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=ROOT,
    )


WALLS = run_python(
    'from enpire_nodes.rollout.policy.isolation import isolate; print(*isolate())'
).stdout.split()


@pytest.mark.skipif(not WALLS, reason='this kernel allows no isolation')
@pytest.mark.parametrize('sandbox', ['auto', 'off'])
def test_it_has_no_network(make_worker, features, sandbox):
    act = """
    import socket
    try:
        socket.create_connection(('127.0.0.1', 22), timeout=1.0)
    except PermissionError:
        return [1.0, 0.0, 0.0]
    except OSError:
        return [2.0, 0.0, 0.0]
    """
    worker = begin(make_worker(act, require_isolation=True, sandbox=sandbox))
    assert worker.walls
    assert worker.step(features, deadline=DEADLINE).delta[0] in (1.0, 2.0)


def test_without_isolation_it_can_be_refused(tmp_path):
    script = (
        'import socket, sys; from enpire_nodes.rollout.policy import worker; '
        'worker.serve(socket.socket(fileno=int(sys.argv[1])), ())'
    )
    command = (sys.executable, '-c', script)
    spec = WorkerSpec(
        'hold', tmp_path / 'log', require_isolation=True, sandbox='off', command=command
    )
    worker = PolicyWorker(spec)
    with pytest.raises(StationError, match='require_isolation') as caught:
        worker.start()
    assert caught.value.code == ErrorCode.POLICY_WORKER_FAILED
    assert not worker.running


def test_it_neither_inherits_keys_nor_the_middleware(make_worker, features, monkeypatch):
    monkeypatch.setenv('ROS_DOMAIN_ID', '42')
    monkeypatch.setenv('MODEL_API_KEY', 'secret')
    act = """
    names = ('ROS_DOMAIN_ID', 'MODEL_API_KEY')
    return [float(any(n in os.environ for n in names)), float('rclpy' in sys.modules), 0.0]
    """
    worker = begin(make_worker(act))
    np.testing.assert_array_equal(worker.step(features, deadline=DEADLINE).delta, 0.0)


@pytest.mark.parametrize('sandbox', ['auto', 'off'])
def test_it_ends_with_the_process_that_started_it(tmp_path, sandbox):
    script = (
        'import os, signal, sys, pathlib;'
        'from enpire_nodes.rollout.policy.client import *;'
        'w = PolicyWorker(WorkerSpec("hold", pathlib.Path(sys.argv[1]), sandbox=sys.argv[2]));'
        'w.start(); print(w.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)'
    )
    pid = int(run_python(script, str(tmp_path / 'log'), sandbox).stdout)
    for _ in range(100):
        status = Path(f'/proc/{pid}/stat')
        if not status.exists() or status.read_text('ascii').split()[2] == 'Z':
            return
        time.sleep(0.02)
    pytest.fail('the policy survived its executor')
