"""``enpire teleop`` from keys in a pseudo-terminal to messages."""

import os
import pty
import sys
import threading
import time

from geometry_msgs.msg import Twist
import pytest
from std_msgs.msg import Empty

from enpire_nodes.cli.main import main
from enpire_nodes.ros import qos

pytestmark = pytest.mark.ros


def test_keys_become_wishes(ros, monkeypatch, capsys):
    monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))
    twists = ros.collect(Twist, 'operator/twist', qos.LEASE)
    done = ros.collect(Empty, 'operator/done', qos.LEASE)
    ours, theirs = pty.openpty()
    terminal = os.fdopen(theirs, 'r')
    monkeypatch.setattr(sys, 'stdin', terminal)
    codes = []
    person = threading.Thread(target=lambda: codes.append(main(['teleop'])))
    person.start()
    try:
        ros.wait_until(lambda: twists, 15.0, 'the first wish')
        os.write(ours, b'r')
        ros.wait_until(lambda: twists[-1].linear.z > 0.0)
        time.sleep(0.1)
        os.write(ours, b'\r')
        ros.wait_until(lambda: done)
        ros.wait_until(lambda: twists[-1].linear.z == 0.0)
    finally:
        os.write(ours, b'q')
        person.join(10.0)
        terminal.close()
        os.close(ours)
    assert codes == [0]
    shown = capsys.readouterr().out
    assert 'heard' in shown
    assert 'you steered for' in shown


def test_without_a_terminal_it_says_so(monkeypatch, tmp_path, capsys):
    with (tmp_path / 'file').open('w+') as file:
        monkeypatch.setattr(sys, 'stdin', file)
        assert main(['teleop']) == 1
    assert 'terminal' in capsys.readouterr().err
