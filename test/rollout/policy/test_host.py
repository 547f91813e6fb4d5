"""The thread that keeps the policy's process ready."""

import os
import threading
import time

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.interface import AttemptContext
from enpire_nodes.rollout.policy.client import WorkerSpec
from enpire_nodes.rollout.policy.host import PolicyHost, Selection

WAIT = 30.0  # s
FIRST, SECOND = AttemptContext(attempt=1), AttemptContext(attempt=2)
PID = 'return [float(os.getpid()), 0.0, 0.0]'


@pytest.fixture
def host(tmp_path):
    host = PolicyHost(WorkerSpec('', tmp_path / 'policy.log'))
    yield host
    host.close()


@pytest.fixture
def selection(write_policy):
    return Selection('learned', {'policy': str(write_policy(PID))})


def pid_of(host, features):
    return int(host.step(features, deadline=WAIT).result(WAIT).delta[0])


def test_an_attempt_gets_a_warm_worker(host, selection, features):
    host.warm(selection).result(WAIT)
    prepared = host.prepare(selection, FIRST).result(WAIT)
    assert host.restarts == 1
    assert prepared.digest == registry.digest(selection.name, selection.settings)
    assert pid_of(host, features) != os.getpid()
    assert len(host.round_trips) == 1
    assert 0.0 < host.round_trips.percentile(50) < WAIT


def test_a_worker_lives_for_many_attempts(host, selection, features):
    pids = set()
    for context in (FIRST, SECOND, FIRST):
        host.prepare(selection, context).result(WAIT)
        pids.add(pid_of(host, features))
    assert len(pids) == 1


def test_a_changed_policy_is_loaded_at_the_next_trial_and_not_before(
    host, selection, features, write_policy
):
    before = host.prepare(selection, FIRST).result(WAIT)
    write_policy('return [7.0, 0.0, 0.0]')
    assert host.prepare(selection, SECOND).result(WAIT) == before
    assert pid_of(host, features) != 7
    after = host.prepare(selection, FIRST).result(WAIT)
    assert after.digest != before.digest
    assert pid_of(host, features) == 7


def test_another_selection_is_another_worker(host, selection, features):
    host.prepare(selection, FIRST).result(WAIT)
    host.prepare(Selection('hold', {'duration': 1.0}), SECOND).result(WAIT)
    assert host.step(features, deadline=WAIT).result(WAIT).delta is None
    assert host.restarts == 2


def test_after_a_crash_the_next_attempt_has_a_new_worker(host, features, write_policy):
    selection = Selection('learned', {'policy': str(write_policy('os._exit(1)'))})
    host.prepare(selection, FIRST).result(WAIT)
    error = host.step(features, deadline=WAIT).exception(WAIT)
    assert error.code == ErrorCode.POLICY_CRASHED
    again = host.step(features, deadline=WAIT).exception(WAIT)
    assert again.code == ErrorCode.POLICY_WORKER_FAILED
    write_policy(PID)
    host.prepare(selection, SECOND).result(WAIT)
    assert pid_of(host, features) > 0


def test_a_policy_that_goes_missing_is_named(host, selection):
    os.remove(selection.settings['policy'])
    error = host.prepare(selection, FIRST).exception(WAIT)
    assert isinstance(error, StationError)
    assert error.code == ErrorCode.POLICY_BAD_PARAMETER
    assert 'policy.py' in error.message


@pytest.fixture
def open_host(tmp_path):
    """Make a host whose policies may write, as somebody else might at that moment."""
    host = PolicyHost(WorkerSpec('', tmp_path / 'policy.log', sandbox='off'))
    yield host
    host.close()


def test_files_that_change_while_they_are_loaded_are_refused(open_host, write_policy):
    path = write_policy('return np.zeros(3)')
    path.write_text(
        path.read_text('utf-8') + f'\nopen({str(path)!r}, "a").write("# changed\\n")\n', 'utf-8'
    )
    error = open_host.prepare(Selection('learned', {'policy': str(path)}), FIRST).exception(WAIT)
    assert 'changed while they were loaded' in error.message


def test_a_file_that_cannot_be_read_for_a_moment_spoils_nothing_afterwards(
    host, selection, features, monkeypatch
):
    real, asked = registry.digest, []

    def digest(name, settings):
        asked.append(name)
        if len(asked) == 2:  # the look after the worker has started
            raise OSError('away for a moment')
        return real(name, settings)

    monkeypatch.setattr(registry, 'digest', digest)
    with pytest.raises(StationError, match='away for a moment') as failure:
        host.prepare(selection, FIRST).result(WAIT)
    assert failure.value.code is ErrorCode.POLICY_BAD_PARAMETER
    host.prepare(selection, FIRST).result(WAIT)
    assert pid_of(host, features) != os.getpid()


def test_nothing_waits_for_a_policy_that_hangs(host, features, write_policy):
    selection = Selection('learned', {'policy': str(write_policy('time.sleep(1000)'))})
    host.prepare(selection, FIRST).result(WAIT)
    started = time.monotonic()
    future = host.step(features, deadline=0.2)
    assert time.monotonic() - started < 0.1
    assert future.result(WAIT) is None
    host.close()
    assert time.monotonic() - started < 5.0
    assert 'policy' not in {thread.name.partition('_')[0] for thread in threading.enumerate()}


def test_closing_does_not_wait_for_a_policy_that_is_slow_to_load(host, write_policy):
    path = write_policy(PID)
    path.write_text('import time\ntime.sleep(1000)\n', 'utf-8')
    future = host.warm(Selection('learned', {'policy': str(path)}))
    while host.restarts == 0:
        time.sleep(0.01)
    time.sleep(0.5)
    started = time.monotonic()
    host.close()
    assert time.monotonic() - started < 5.0
    assert isinstance(future.exception(WAIT), StationError)


def test_numbers_of_any_kind_reach_the_policy(host, features, write_policy):
    act = 'return [features["picture"].sum(), features["flag"], 0.0]'
    selection = Selection('learned', {'policy': str(write_policy(act))})
    host.prepare(selection, FIRST).result(WAIT)
    extra = {'picture': np.ones((2, 3, 3), np.uint8), 'flag': np.array(True)}
    action = host.step({**features, **extra}, deadline=WAIT).result(WAIT)
    np.testing.assert_array_equal(action.delta, [18.0, 1.0, 0.0])


WEIGHTS = 'return [float(self.checkpoint.read_text()), 0.0, 0.0]'


@pytest.fixture
def publish(tmp_path):
    """Let the link lead to weights of a number, as a learner does."""

    def move(number):
        weights = tmp_path / f'{number}.weights'
        weights.write_text(str(number), 'utf-8')
        staged = tmp_path / 'staged'
        staged.symlink_to(weights.name)
        staged.replace(tmp_path / 'current')
        return weights.resolve()

    return move


@pytest.fixture
def followed(tmp_path, write_policy):
    values = {'policy': str(write_policy(WEIGHTS)), 'checkpoint': str(tmp_path / 'current')}
    return Selection('learned', values)


def answer_of(host, features):
    return host.step(features, deadline=WAIT).result(WAIT).delta[0]


def test_new_weights_are_loaded_while_the_scene_is_reset(host, features, followed, publish):
    one = publish(1)
    before = host.warm(followed, trial_id='a').result(WAIT)
    assert before.settings['checkpoint'] == str(one)
    assert host.prepare(followed, FIRST, trial_id='a').result(WAIT) == before
    assert answer_of(host, features) == 1
    two = publish(2)
    after = host.warm(followed, trial_id='b').result(WAIT)
    assert after.settings['checkpoint'] == str(two)
    assert after.digest != before.digest
    assert host.restarts == 2
    assert host.prepare(followed, FIRST, trial_id='b').result(WAIT) == after
    assert answer_of(host, features) == 2
    assert host.restarts == 2


def test_a_trial_keeps_the_weights_that_it_was_given(host, features, followed, publish):
    one = publish(1)
    host.warm(followed, trial_id='a').result(WAIT)
    publish(2)
    for context in (FIRST, SECOND):
        prepared = host.prepare(followed, context, trial_id='a').result(WAIT)
        assert prepared.settings['checkpoint'] == str(one)
        assert answer_of(host, features) == 1
    assert host.restarts == 1


def test_a_trial_that_was_not_warmed_gets_the_newest_weights(host, features, followed, publish):
    publish(1)
    host.warm(followed, trial_id='a').result(WAIT)
    host.prepare(followed, FIRST, trial_id='a').result(WAIT)
    two = publish(2)
    prepared = host.prepare(followed, FIRST, trial_id='b').result(WAIT)
    assert prepared.settings['checkpoint'] == str(two)
    assert answer_of(host, features) == 2


def test_the_digest_is_that_of_the_weights_and_not_of_the_link(host, followed, publish):
    one = publish(1)
    prepared = host.warm(followed).result(WAIT)
    named = {**followed.settings, 'checkpoint': str(one)}
    assert prepared.digest == registry.digest('learned', named)
    publish(2)
    publish(1)
    assert host.warm(followed).result(WAIT) == prepared
    assert host.restarts == 1, 'back where it was: nothing is new'


def test_weights_that_are_deleted_under_a_worker_are_not_looked_for(
    host, features, followed, publish
):
    one = publish(1)
    host.warm(followed, trial_id='a').result(WAIT)
    publish(2)
    one.unlink()
    host.prepare(followed, FIRST, trial_id='a').result(WAIT)
    host.warm(followed, trial_id='b').result(WAIT)
    assert answer_of(host, features) == 2
