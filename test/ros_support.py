"""Real rclpy for tests: an own domain for each test, and waits that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
import contextlib
import gc
import os
import threading
import time
from typing import Any

import domain_coordinator
import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node

NAMESPACE = '/station_1'


class RosHarness:
    """Spins the test's nodes in a thread; the test itself calls and waits.

    :param context: of every node of the test, so that no test sees another's nodes.
    """

    def __init__(self, context: Context, domain_id: int) -> None:
        self.context = context
        self.domain_id = domain_id
        self._executor = SingleThreadedExecutor(context=context)
        self._nodes: list[Node] = []
        self._stopping = False
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self.node = self.within(
            lambda: self.add(Node('test', namespace=NAMESPACE, context=context))
        )

    def within(self, call: Callable[[], Any]) -> Any:
        """Return what ``call`` returns, made where nothing else touches the nodes meanwhile.

        Entities of one participant that two threads make at the same time may never be matched.
        """
        if threading.current_thread() is self._thread:
            return call()
        made: Future = Future()

        def make() -> None:
            try:
                made.set_result(call())
            except Exception as error:  # noqa: BLE001 - the test's, and must not end the spinning
                made.set_exception(error)

        self._executor.create_task(make)
        return made.result(timeout=30.0)

    def add(self, node: Node) -> Any:
        """Spin ``node`` until the test ends."""
        self._nodes.append(node)
        self._executor.add_node(node)
        return node

    def make(self, factory: Callable[..., Node], **parameters: object) -> Any:
        """Make a node of the station with these parameters, and spin it."""
        overrides = [rclpy.Parameter(name, value=value) for name, value in parameters.items()]
        return self.within(
            lambda: self.add(
                factory(
                    namespace=NAMESPACE,
                    context=self.context,
                    parameter_overrides=overrides,
                    use_global_arguments=False,
                )
            )
        )

    def remove(self, node: Node) -> None:
        """Stop spinning ``node`` and destroy it, as if its process had died."""

        def end() -> None:
            self._executor.remove_node(node)
            self._nodes.remove(node)
            _destroy(node)

        self.within(end)

    def wait_until(
        self, condition: Callable[[], Any], timeout: float = 10.0, what: str = ''
    ) -> Any:
        """Return the first true value of ``condition``; fail after ``timeout`` s."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.005)
        raise AssertionError(f'not within {timeout} s: {what or condition}')

    def collect(self, kind: type, topic: str, profile: object = 10) -> list:
        """Return a list that every message on ``topic`` is appended to."""
        messages: list = []
        self.within(lambda: self.node.create_subscription(kind, topic, messages.append, profile))
        return messages

    def call(self, kind: type, name: str, request: Any = None, timeout: float = 10.0) -> Any:
        """Call a service and return its response."""
        client = self.within(lambda: self.node.create_client(kind, name))
        if not client.wait_for_service(timeout_sec=timeout):
            raise AssertionError(f'no service {name}')
        future = client.call_async(request if request is not None else kind.Request())
        self.wait_until(future.done, timeout, f'answer of {name}')
        self.within(lambda: self.node.destroy_client(client))
        return future.result()

    def close(self) -> None:
        """Stop spinning and destroy every node."""
        self._stopping = True
        self._executor.wake()
        self._thread.join(timeout=5.0)
        self._executor.shutdown(timeout_sec=1.0)
        for node in self._nodes:
            with contextlib.suppress(Exception):
                _destroy(node)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while not self._stopping and self.context.ok():
                # a callback of a node that the test is just taking away
                with contextlib.suppress(rclpy_implementation.InvalidHandle):
                    self._executor.spin_once(timeout_sec=0.05)


def _destroy(node: Node) -> None:
    """Destroy a node, and its actions, which outlive it otherwise."""
    for waitable in list(node.waitables):
        if isinstance(waitable, ActionClient | ActionServer):
            waitable.destroy()
    node.destroy_node()


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Let no thread collect garbage while nodes spin.

    What is left of other tests' nodes would be destroyed in the midst of what that thread does,
    beside the thread that spins: it has ended in entities that never match, and in crashes.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Domains:
    """Walks through the domains 1 to 100, on from where the last test of this process was.

    A participant that was killed haunts its domain until its lease ends, for some 20 s, and makes
    services look as if they were there.
    """

    _next = os.getpid()

    def __call__(self) -> int:
        _Domains._next += 1
        return _Domains._next % 100 + 1


@contextlib.contextmanager
def ros_harness() -> Iterator[RosHarness]:
    """Give a harness in a domain that no other process of this machine uses."""
    with _no_collection(), domain_coordinator.domain_id(_Domains()) as domain_id:
        context = Context()
        rclpy.init(context=context, domain_id=domain_id)
        harness = RosHarness(context, domain_id)
        try:
            yield harness
        finally:
            harness.close()
            rclpy.try_shutdown(context=context)
