"""A client of a station's actions and services, in a ROS context of its own."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.task import Future


class CallFailedError(RuntimeError):
    """A station that did not take what was asked, or did not answer in time."""


class Caller:
    """A node that waits for answers in the thread that calls it.

    :param namespace: of the station.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._context = Context()
        rclpy.init(context=self._context, args=[])
        self.node = rclpy.create_node(
            'bench_client',
            namespace=namespace,
            context=self._context,
            use_global_arguments=False,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def wait(self, future: Future, deadline: float, what: str) -> Any:
        """Return the result of a future.

        :param deadline: s of the monotonic clock.
        :param what: for the error.
        :raises CallFailedError: there is none until then.
        """
        while not future.done():
            left = deadline - time.monotonic()
            if left <= 0.0:
                raise CallFailedError(f'{self.namespace}: {what}')
            self._executor.spin_once(timeout_sec=left)
        return future.result()

    def __enter__(self) -> Caller:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._executor.shutdown(timeout_sec=1.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
