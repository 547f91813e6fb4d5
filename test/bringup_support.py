"""A ROS domain for the processes of a test, and waits that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import contextlib
import os
import random
import time
from typing import Any

import domain_coordinator


@contextlib.contextmanager
def own_domain() -> Iterator[int]:
    """Give the processes started meanwhile a ROS domain that no other test uses.

    Drawn at random: a participant that was killed haunts its domain for some 20 s.
    """
    before = os.environ.get('ROS_DOMAIN_ID')
    with domain_coordinator.domain_id(lambda: random.randint(1, 100)) as number:
        os.environ['ROS_DOMAIN_ID'] = str(number)
        try:
            yield number
        finally:
            if before is None:
                del os.environ['ROS_DOMAIN_ID']
            else:
                os.environ['ROS_DOMAIN_ID'] = before


def wait_until(condition: Callable[[], Any], timeout: float = 30.0, what: str = '') -> Any:
    """Return the first true value of ``condition``; fail after ``timeout`` s."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f'not within {timeout} s: {what or condition}')
