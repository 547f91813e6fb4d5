"""How tasks are found."""

import subprocess
import sys

import pytest

from enpire_nodes.tasks import registry
from enpire_nodes.tasks.registry import load_task, task_names


def test_knows_the_task_that_ships():
    assert 'pin_insertion' in task_names()
    assert load_task('pin_insertion').name == 'pin_insertion'


def test_an_unknown_task_lists_the_known_ones():
    with pytest.raises(KeyError, match='pin_insertion'):
        load_task('juggling')


def test_an_installed_task_comes_first(monkeypatch):
    class Entry:
        name = 'pin_insertion'

        def load(self):
            return lambda settings_file: ('theirs', settings_file)

    monkeypatch.setattr(registry, 'entry_points', lambda group: [Entry()])
    assert load_task('pin_insertion', 'x.yaml') == ('theirs', 'x.yaml')


def test_a_task_needs_neither_ros_nor_the_simulator():
    code = (
        'import sys\n'
        'sys.modules["mujoco"] = sys.modules["rclpy"] = None\n'
        'from enpire_nodes.tasks.registry import load_task\n'
        'print(len(load_task("pin_insertion").digest()))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == '64'
