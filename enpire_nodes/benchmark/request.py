"""Asking a station for trials: a client of ``run_trials``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import time

from rclpy.action import ActionClient

from enpire_msgs.action import RunTrials
from enpire_nodes.benchmark.calling import Caller, CallFailedError

_ANSWER = 20.0  # s for the runner to be there, and to take a goal
_CANCEL = 10.0  # s


def request_trials(
    caller: Caller,
    *,
    seeds: Sequence[int],
    controller: str,
    max_attempts: int,
    timeout: float,
    progress: Callable[[int], None] = lambda completed: None,
) -> RunTrials.Result:
    """Run one trial for each seed, and return what the station answers.

    :param timeout: s of the wall clock; then the request is canceled.
    :param progress: told how many trials are closed, whenever that changes.
    :raises CallFailedError: it was not taken, or did not end in time.
    """
    client = ActionClient(caller.node, RunTrials, 'run_trials')
    deadline = time.monotonic() + timeout
    try:
        if not client.wait_for_server(timeout_sec=_ANSWER):
            raise CallFailedError(f'nobody offers {caller.namespace}/run_trials')
        goal = RunTrials.Goal(
            requester='bench',
            trials=len(seeds),
            max_attempts=max_attempts,
            controller=controller,
            seeds=list(seeds),
        )
        sent = client.send_goal_async(
            goal, feedback_callback=lambda message: progress(message.feedback.completed)
        )
        handle = caller.wait(sent, time.monotonic() + _ANSWER, 'run_trials did not answer')
        if not handle.accepted:
            raise CallFailedError(f'{caller.namespace}/run_trials refused the goal; see its log')
        try:
            late = f'the trials were not done after {timeout:.0f} s'
            answer = caller.wait(handle.get_result_async(), deadline, late)
        except CallFailedError:
            end = time.monotonic() + _CANCEL
            caller.wait(handle.cancel_goal_async(), end, f'{late}, and could not be canceled')
            raise
        if answer.result.outcome == RunTrials.Result.UNSET:
            raise CallFailedError(f'{caller.namespace}/run_trials lost the goal; see its log')
        return answer.result
    finally:
        client.destroy()
