"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import os
from pathlib import Path
import sys
import tempfile

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
# stations of tests draw their audits by a key of their own, not by the user's
os.environ.setdefault(
    'ENPIRE_KEYS', str(Path(tempfile.gettempdir()) / f'enpire-test-keys-{os.getuid()}')
)


@pytest.fixture
def clock() -> Callable[[], float]:
    """Give a monotonic clock whose ``now`` the test sets, s."""
    from clock_double import Clock

    return Clock()


@pytest.fixture
def ros() -> Iterator:
    """Real rclpy in a domain of the test's own."""
    from ros_support import ros_harness

    with ros_harness() as harness:
        yield harness


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let ``xdist_group`` hold: pytest-xdist 3.8 writes it where pytest 9.2 no longer reads it."""
    for item in items:
        grouped = vars(item).get('_nodeid', item.nodeid)
        if grouped != item.nodeid:
            path, _, rest = grouped.partition('::')
            item._id = type(item._id)(path=path, names=(rest,))
