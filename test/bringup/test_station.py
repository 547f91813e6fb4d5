"""A part of a station, as real processes."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

from bringup_support import wait_until
import pytest

pytest.importorskip('rclpy')

from enpire_nodes.bringup.configuration import load_configuration, StationConfiguration
from enpire_nodes.bringup.station import (
    child_environment,
    StationNotReadyError,
    StationProcesses,
    StationTakenError,
)

pytestmark = [pytest.mark.ros, pytest.mark.alone]


@pytest.fixture
def part(domain: int, tmp_path: Path) -> StationConfiguration:
    return load_configuration(
        nodes=['safety_gate', 'trial_recorder'],
        run=tmp_path / 'run',
        parameters={'trial_recorder': {}},
        respawn={'delay': 0.1, 'limit': 3, 'window': 60.0},
    )


@pytest.fixture
def station(part: StationConfiguration) -> Iterator[StationProcesses]:
    with StationProcesses(part, listen=0.2) as station:
        station.wait_ready(50.0)
        yield station


def gone(pid: int) -> bool:
    return not Path(f'/proc/{pid}').exists()


def test_it_comes_up_and_goes_down_whole(part: StationConfiguration) -> None:
    with StationProcesses(part, listen=0.2) as station:
        station.wait_ready(50.0)
        pids = station.pids()
        assert set(pids) == {'safety_gate', 'trial_recorder'}
        assert len(set(pids.values())) == 2
        assert all(memory > 10e6 for memory in station.memory().values())
        assert station.running
        assert 'activate: done' in station.log('safety_gate').read_text()
    assert all(gone(pid) for pid in pids.values())
    for log in station.logs().values():
        assert 'did not end' not in log.read_text()
    assert not (part.run / 'log' / 'bringup.log').exists()


def test_composed_nodes_share_a_process_and_come_back_together(
    part: StationConfiguration, tmp_path: Path
) -> None:
    together = load_configuration(
        nodes=['safety_gate', 'trial_recorder'],
        run=tmp_path / 'together',
        composition=[['safety_gate', 'trial_recorder']],
    )
    with StationProcesses(together, listen=0.2) as station:
        station.wait_ready(50.0)
        assert len(set(station.pids().values())) == 1
        station.kill('safety_gate')
        wait_until(lambda: station.restarts('trial_recorder') == 1)
        station.wait_ready(50.0)


def test_a_killed_node_comes_back_alone(station: StationProcesses) -> None:
    before = station.pids()
    station.kill('safety_gate')
    wait_until(lambda: station.restarts('safety_gate') == 1 and station.pids()['safety_gate'])
    station.wait_ready(50.0)
    after = station.pids()
    assert after['safety_gate'] != before['safety_gate']
    assert after['trial_recorder'] == before['trial_recorder']
    log = (station.configuration.run / 'log' / 'bringup.log').read_text()
    assert 'safety_gate: killed by SIGKILL' in log


def test_a_second_station_of_the_same_name_is_refused(station: StationProcesses) -> None:
    with pytest.raises(StationTakenError, match=f'already up in ROS domain .*{os.getpid()}'):
        StationProcesses(station.configuration).start()
    assert station.ready()


def test_a_station_started_by_other_means_is_noticed(
    station: StationProcesses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))  # another machine has other locks
    with pytest.raises(StationTakenError, match=r'/station_1/\w+ is already running'):
        StationProcesses(station.configuration).start()


def test_who_cannot_start_is_named_at_once(part: StationConfiguration, tmp_path: Path) -> None:
    wrong = load_configuration(
        nodes=['safety_gate'],
        run=tmp_path / 'wrong',
        parameters={'safety_gate': {'command_timout': 0.1}},
    )
    began = time.monotonic()
    with pytest.raises(StationNotReadyError) as caught:
        with StationProcesses(wrong, listen=0.2) as station:
            station.wait_ready(50.0)
    assert "no parameter 'command_timout'; did you mean command_timeout?" in str(caught.value)
    assert 'safety_gate.log' in str(caught.value)
    assert time.monotonic() - began < 40.0


def test_a_faulted_node_says_why(part: StationConfiguration, tmp_path: Path) -> None:
    limits = tmp_path / 'limits.yaml'
    limits.write_text('schema: nothing')
    file = tmp_path / 'station.yaml'
    file.write_text(
        f'files: {{station: {part.station_file}, limits: {limits}}}\nnodes: [safety_gate]\n'
    )
    with pytest.raises(StationNotReadyError, match=r'safety_gate: faulted: could not configure'):
        with StationProcesses(load_configuration(file, run=tmp_path / 'bad')) as station:
            wait_until(lambda: 'could not configure' in station.log('safety_gate').read_text())
            station.wait_ready(10.0)


def test_no_orphans_when_the_runner_itself_is_killed(domain: int, tmp_path: Path) -> None:
    script = (
        'import time\n'
        'from enpire_nodes.bringup.configuration import load_configuration\n'
        'from enpire_nodes.bringup.station import StationProcesses\n'
        f'c = load_configuration(nodes=["safety_gate"], run={str(tmp_path)!r})\n'
        'with StationProcesses(c) as station:\n'
        '    station.wait_ready(50.0)\n'
        '    print(*station.pids().values(), flush=True)\n'
        '    time.sleep(60)\n'
    )
    runner = subprocess.Popen(
        [sys.executable, '-c', script], stdout=subprocess.PIPE, text=True, env=child_environment()
    )
    try:
        pids = [int(word) for word in runner.stdout.readline().split()]
        assert pids
    finally:
        runner.send_signal(signal.SIGKILL)
        runner.wait(10)
    wait_until(lambda: all(gone(pid) for pid in pids), 15.0)
