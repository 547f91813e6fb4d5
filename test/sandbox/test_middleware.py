"""Whether a program in the sandbox can speak to the station's topics."""

from __future__ import annotations

import os
from pathlib import Path
import sys

from sandbox_support import run
from std_msgs.msg import String

from enpire_nodes.sandbox.bubblewrap import command
from enpire_nodes.sandbox.profile import Profile

#: Publishes as soon as anybody listens, and for half a second at least.
PUBLISH = """
import time
import rclpy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node('attacker')
publisher = node.create_publisher(String, '/station_1/driver/right/target_pose', 10)
until = time.monotonic() + 20.0
quiet = time.monotonic() + 2.0
while time.monotonic() < until and not publisher.get_subscription_count():
    if SHUT and time.monotonic() > quiet:
        break
    time.sleep(0.01)
print('sees', publisher.get_subscription_count())
for number in range(10):
    publisher.publish(String(data='attack'))
    time.sleep(0.05)
print('came to its end')
"""


def test_a_publisher_in_the_sandbox_is_not_heard(ros, worlds):
    heard = ros.collect(String, '/station_1/driver/right/target_pose')
    wanted = ('AMENT_PREFIX_PATH', 'LD_LIBRARY_PATH', 'ROS_DISTRO', 'PYTHONPATH')
    environment = {name: os.environ[name] for name in wanted if name in os.environ}
    environment['ROS_DOMAIN_ID'] = str(ros.domain_id)
    folder = worlds('station').clone
    installed = Path('/opt/ros')
    profile = Profile(
        folder,
        writable=(folder,),
        readable=(installed,) if installed.is_dir() else (),
        environment=environment,
    )
    said = run(command(profile, [sys.executable, '-c', PUBLISH.replace('SHUT', 'True')]))
    assert 'sees 0' in said, said
    assert 'came to its end' in said
    assert not heard

    said = run(
        [sys.executable, '-c', PUBLISH.replace('SHUT', 'False')],
        env={**os.environ, **environment},
    )
    assert 'sees 1' in said, said
    ros.wait_until(lambda: heard, what='what is sent without the sandbox')
