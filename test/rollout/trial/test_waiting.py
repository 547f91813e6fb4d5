"""Waits that end: by the event, by the deadline, by an interruption."""

from __future__ import annotations

import threading
import time

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.trial.waiting import LOOK, Reply, Waiting


class Interruption:
    code: ErrorCode | None = None

    def __call__(self) -> None:
        if self.code is not None:
            raise StationError(self.code, 'interrupted')


@pytest.fixture
def interruption():
    return Interruption()


@pytest.fixture
def waiting(interruption):
    return Waiting(interruption)


def later(call, seconds=0.05):
    threading.Timer(seconds, call).start()


def soon() -> float:
    return time.monotonic() + 5.0


def test_a_reply_ends_the_wait_at_once(waiting):
    reply: Reply = Reply()
    later(lambda: waiting.settle(reply, value='done'))
    began = time.monotonic()
    assert waiting.answer(reply, deadline=soon(), what='it') == 'done'
    assert time.monotonic() - began < 1.0


def test_a_reply_that_is_an_error_raises_it(waiting):
    reply: Reply = Reply()
    waiting.settle(reply, error=RuntimeError('broken pipe'))
    with pytest.raises(StationError, match='broken pipe'):
        waiting.answer(reply, deadline=soon(), what='it')


def test_the_deadline_ends_the_wait_and_names_what_was_late(waiting):
    with pytest.raises(StationError, match='the reset') as caught:
        waiting.answer(Reply(), deadline=time.monotonic() + 0.05, what='the reset')
    assert caught.value.code is ErrorCode.RUNNER_STAGE_TIMEOUT


def test_an_interruption_ends_the_wait(waiting, interruption):
    def interrupt():
        with waiting.changing():
            interruption.code = ErrorCode.RUNNER_CANCELED

    later(interrupt)
    with pytest.raises(StationError) as caught:
        waiting.answer(Reply(), deadline=soon(), what='it')
    assert caught.value.code is ErrorCode.RUNNER_CANCELED


def test_an_interruption_that_nobody_announces_is_found(waiting, interruption):
    later(lambda: setattr(interruption, 'code', ErrorCode.RUNNER_NODE_LOST))
    with pytest.raises(StationError):
        waiting.until(lambda: False, deadline=soon(), what='it')


def test_a_wait_may_refuse_to_be_interrupted(waiting, interruption):
    interruption.code = ErrorCode.RUNNER_CANCELED
    reply: Reply = Reply()
    later(lambda: waiting.settle(reply, value=3))
    assert waiting.answer(reply, deadline=soon(), what='it', interruptible=False) == 3
    waiting.pause(0.01, interruptible=False)


def test_a_change_wakes_only_when_it_says_so(waiting):
    seen = []

    def look() -> bool:
        seen.append(time.monotonic())
        return len(seen) == 2

    later(lambda: waiting.change(lambda: True), 0.01)
    waiting.until(look, deadline=soon(), what='it')
    assert seen[1] - seen[0] < LOOK
    seen.clear()
    later(lambda: waiting.change(lambda: False), 0.01)
    waiting.until(look, deadline=soon(), what='it')
    assert seen[1] - seen[0] >= LOOK * 0.99


def test_what_is_there_already_wins_over_an_interruption(waiting, interruption):
    interruption.code = ErrorCode.RUNNER_CANCELED
    assert waiting.until(lambda: 'ready', deadline=soon(), what='it') == 'ready'


def test_nobody_left_to_answer_is_a_lost_node(waiting):
    with pytest.raises(StationError) as caught:
        waiting.answer(Reply(), deadline=soon(), what='it', gone=lambda: True)
    assert caught.value.code is ErrorCode.RUNNER_NODE_LOST


def test_a_pause_lasts_and_is_interrupted(waiting, interruption):
    began = time.monotonic()
    waiting.pause(0.08)
    assert time.monotonic() - began >= 0.08
    interruption.code = ErrorCode.RUNNER_ESTOPPED
    with pytest.raises(StationError):
        waiting.pause(5.0)
