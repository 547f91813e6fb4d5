"""At a robot's own pace, the death of any node holds the arms in time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip('rclpy')

import stack_support
from stack_support import Stack

from enpire_nodes.bringup.table import BYSTANDERS, NODES

pytestmark = [
    pytest.mark.ros, pytest.mark.egl, pytest.mark.alone, pytest.mark.timeout(180)
]  # fmt: skip


@pytest.fixture(scope='module')
def realtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    run = tmp_path_factory.mktemp('realtime') / 'run'
    patience = {'safety_gate': {'command_timeout': 0.2}}
    with stack_support.stack(run, pace='realtime', parameters=patience) as stack:
        yield stack


@pytest.mark.parametrize('node', [name for name in NODES if name not in BYSTANDERS])
def test_the_arms_are_held_in_time_at_a_robot_s_pace(realtime: Stack, node: str) -> None:
    stack_support.kill_in(realtime, node, 'reset' if node == 'scene_reset' else 'execute')
