"""Waiting in one thread for what another thread is told, with a deadline and a way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import threading
import time
from typing import Any, Generic, TypeVar

from enpire_nodes.common.errors import ErrorCode, StationError

Value = TypeVar('Value')

#: s between two looks at conditions that no event announces, such as a silence.
LOOK = 0.05


class Reply(Generic[Value]):
    """What an operation answered, once it has."""

    def __init__(self) -> None:
        self.done = False
        self.value: Value | None = None
        self.error: BaseException | None = None


class Waiting:
    """Shared state under one lock, and waits for it to change.

    :param interruption: raises when a wait that can be interrupted must not go on.
    """

    def __init__(self, interruption: Callable[[], None]) -> None:
        self._interruption = interruption
        self._condition = threading.Condition()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock while shared state changes, and wake whoever waits."""
        with self._condition:
            yield
            self._condition.notify_all()

    def change(self, step: Callable[[], bool]) -> None:
        """Hold the lock during ``step``, and wake whoever waits if it says so."""
        with self._condition:
            if step():
                self._condition.notify_all()

    def settle(
        self, reply: Reply, *, value: Any = None, error: BaseException | None = None
    ) -> None:
        """Give a reply its value or its error."""
        with self.changing():
            reply.done, reply.value, reply.error = True, value, error

    def until(
        self,
        condition: Callable[[], Any],
        *,
        deadline: float,
        what: str,
        interruptible: bool = True,
    ) -> Any:
        """Return the first true value of ``condition``.

        :param deadline: s of the monotonic clock.
        :param what: for the message, as in 'the reset'.
        :param interruptible: whether ``interruption`` ends the wait.
        :raises StationError: RUNNER_STAGE_TIMEOUT, or what ``interruption`` raised.
        """
        begin = time.monotonic()
        with self._condition:
            while True:
                value = condition()
                if value:
                    return value
                if interruptible:
                    self._interruption()
                now = time.monotonic()
                if now >= deadline:
                    raise StationError(
                        ErrorCode.RUNNER_STAGE_TIMEOUT,
                        f'{what} did not come to an end within {now - begin:.1f} s',
                    )
                self._condition.wait(min(deadline - now, LOOK))

    def answer(
        self,
        reply: Reply[Value],
        *,
        deadline: float,
        what: str,
        interruptible: bool = True,
        gone: Callable[[], bool] = lambda: False,
    ) -> Value:
        """Wait for a reply; parameters as for :meth:`until`.

        :param gone: whether nobody is there any more who could answer.
        :raises StationError: RUNNER_NODE_LOST when gone; RUNNER_STAGE_TIMEOUT too when the
            operation itself failed.
        """
        self.until(
            lambda: reply.done or gone(),
            deadline=deadline,
            what=what,
            interruptible=interruptible,
        )
        if not reply.done:
            raise StationError(ErrorCode.RUNNER_NODE_LOST, f'{what}: the node is gone')
        if reply.error is not None:
            raise StationError(
                ErrorCode.RUNNER_STAGE_TIMEOUT, f'{what} failed: {reply.error}'
            ) from reply.error
        return reply.value

    def pause(self, seconds: float, *, interruptible: bool = True) -> None:
        """Wait a little; an interruption ends it early."""
        end = time.monotonic() + seconds
        with self._condition:
            while (left := end - time.monotonic()) > 0.0:
                if interruptible:
                    self._interruption()
                self._condition.wait(min(left, LOOK))
