"""Asking a station for trials: a client of ``run_trials``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import time

from action_msgs.msg import GoalStatus
import rclpy
from rclpy.action import ActionClient
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future

from enpire_msgs.action import RunTrials


class RequestFailedError(RuntimeError):
    """A request that the station did not take, or did not answer in time."""


def request_trials(
    namespace: str,
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
    :raises RequestFailedError: it was not taken, or did not end in time.
    """
    context = Context()
    rclpy.init(context=context, args=[])
    node = rclpy.create_node(
        'bench_client', namespace=namespace, context=context, use_global_arguments=False,
        enable_rosout=False, start_parameter_services=False,
    )  # fmt: skip
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    client = ActionClient(node, RunTrials, 'run_trials')
    deadline = time.monotonic() + timeout

    def wait(future: Future, until: float, what: str) -> object:
        executor.spin_until_future_complete(future, max(0.0, until - time.monotonic()))
        if not future.done():
            raise RequestFailedError(f'{namespace}/run_trials: {what}')
        return future.result()

    try:
        if not client.wait_for_server(timeout_sec=20.0):
            raise RequestFailedError(f'nobody offers {namespace}/run_trials')
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
        handle = wait(sent, time.monotonic() + 20.0, 'no answer to the goal')
        if not handle.accepted:
            raise RequestFailedError(f'{namespace}/run_trials refused the goal; see its log')
        try:
            answer = wait(handle.get_result_async(), deadline, f'not done after {timeout:.0f} s')
        except RequestFailedError:
            wait(handle.cancel_goal_async(), time.monotonic() + 10.0, 'no answer to the cancel')
            raise
        if answer.status == GoalStatus.STATUS_UNKNOWN:
            raise RequestFailedError(f'{namespace}/run_trials lost the goal; see its log')
        return answer.result
    finally:
        client.destroy()
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown(context=context)
