"""The launch files under the real ``ros2 launch``; skipped where it is not installed."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess

from bringup_support import own_domain, wait_until
import launch_double
import pytest

pytest.importorskip('rclpy')

from enpire_nodes.bringup.heartbeats import HeartbeatListener


def installed() -> bool:
    from ament_index_python.packages import get_package_prefix, PackageNotFoundError

    try:
        prefix = Path(get_package_prefix('enpire'))
    except PackageNotFoundError:
        return False
    return (prefix / 'lib' / 'enpire' / 'safety_gate').is_file()


pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(not launch_double.has_launch(), reason='launch_ros is not installed'),
    pytest.mark.skipif(
        not installed(), reason='the package enpire is not built: colcon build, then source it'
    ),
]

STATION = """\
files: {{station: {config}/stations/simulated.yaml, limits: {config}/safety/yam.yaml}}
nodes: [safety_gate, trial_recorder]
"""


@pytest.fixture
def listener() -> Iterator[HeartbeatListener]:
    with own_domain():
        listener = HeartbeatListener('/station_7')
        yield listener
        listener.close()


@pytest.fixture
def launch(tmp_path: Path, listener: HeartbeatListener) -> Iterator[subprocess.Popen]:
    from enpire_nodes.common.files import config_directory

    file = tmp_path / 'station.yaml'
    file.write_text(STATION.format(config=config_directory()))
    with (tmp_path / 'launch.log').open('w') as log:
        process = subprocess.Popen(
            [
                'ros2', 'launch', 'enpire', 'station.launch.py', f'configuration:={file}',
                'station:=station_7', f'run:={tmp_path / "run"}',
            ],
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_the_arguments_are_shown() -> None:
    shown = subprocess.run(
        ['ros2', 'launch', 'enpire', 'station.launch.py', '--show-args'],
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout  # fmt: skip
    assert "'pace'" in shown
    assert 'lockstep' in shown


@pytest.mark.timeout(120)
def test_a_station_comes_up_survives_a_death_and_goes_down(
    launch: subprocess.Popen, listener: HeartbeatListener, tmp_path: Path
) -> None:
    names = ['/station_7/safety_gate', '/station_7/trial_recorder']

    def ready() -> bool:
        listener.poll()
        return not listener.missing(names)

    wait_until(ready, 60.0, 'the nodes')
    executable = 'lib/enpire/trial_recorder'
    (victim,) = (
        int(pid)
        for pid in os.listdir('/proc')
        if pid.isdigit() and executable in command_line(pid) and str(tmp_path) in command_line(pid)
    )
    before = listener.signs[names[1]].incarnation
    os.kill(victim, signal.SIGKILL)
    wait_until(
        lambda: listener.poll() or 'SIGKILL' in listener.signs[names[1]].message, 2.0, 'obituary'
    )
    wait_until(lambda: ready() and listener.signs[names[1]].incarnation != before, 40.0, 'respawn')
    launch.send_signal(signal.SIGINT)
    assert launch.wait(30) == 0


def command_line(pid: str) -> str:
    try:
        return Path(f'/proc/{pid}/cmdline').read_bytes().replace(b'\0', b' ').decode()
    except OSError:
        return ''
