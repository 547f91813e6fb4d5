"""The shipped profile of Fast DDS: nobody listens to shared memory, which a kill can jam."""

import os
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

from enpire_nodes.bringup.nodes import ENVIRONMENT

pytestmark = pytest.mark.ros

PROFILE = 'FASTRTPS_DEFAULT_PROFILES_FILE'
LISTEN = """
import rclpy
from std_msgs.msg import Empty
rclpy.init()
node = rclpy.create_node('listener')
node.create_subscription(Empty, 'talk', print, 10)
print([line.split()[-1] for line in open('/proc/self/maps') if '/dev/shm/fastrtps_port' in line])
"""


def ports(**environment: str) -> str:
    """Return the shared-memory ports that a process listens to, and its complaints."""
    inherited = {name: value for name, value in os.environ.items() if name != PROFILE}
    done = subprocess.run(
        [sys.executable, '-c', LISTEN],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip() + done.stderr.strip()


def test_a_process_of_a_station_listens_to_no_shared_memory():
    assert ports(**{PROFILE: ENVIRONMENT[PROFILE]}) == '[]'


def test_without_the_profile_it_would():
    assert 'fastrtps_port' in ports()
