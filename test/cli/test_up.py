"""``enpire up``: mistakes are explained, and a station comes up, is watched and goes down."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import os
from pathlib import Path
import signal
import subprocess
import sys

from bringup_support import own_domain, wait_until
import pytest
import yaml

import enpire_nodes
from enpire_nodes.bringup.configuration import ConfigurationError, load_configuration
from enpire_nodes.cli import up

ROOT = Path(enpire_nodes.__file__).parents[1]


def enpire(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    up.add_parser(parser.add_subparsers())
    args = parser.parse_args(['up', *arguments])
    return args.run(args)


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['nowhere.yaml'], 'nowhere.yaml: there is no such file'),
        (['--set', 'gate.pace=1'], 'parameters.gate: no such node is started'),
        (['--set', 'driver'], '--set: driver: must be NODE.PARAMETER=VALUE'),
        (['--set', 'driver.a=[1'], "'[1' is not valid YAML"),
        (['--set', 'driver.seed=3'], 'belongs to the whole station'),
        (['--task', 'juggling'], "'juggling' is not one of"),
        (['--speed', '1000'], 'not within'),
    ],
)
def test_mistakes_are_explained_and_nothing_starts(
    capsys: pytest.CaptureFixture, arguments: list[str], words: str
) -> None:
    assert enpire(*arguments) == 2
    assert words in capsys.readouterr().err


def test_wrong_yaml_is_explained(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    file = tmp_path / 'mine.yaml'
    file.write_text('pace: [realtime')
    assert enpire(str(file)) == 2
    assert f'{file}: is not valid YAML' in capsys.readouterr().err


def test_show_prints_a_parameter_file_and_starts_nothing(
    capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    assert enpire('--show', '--run', str(tmp_path), '--set', 'driver.noise.drift_sd=0.002') == 0
    content = yaml.safe_load(capsys.readouterr().out)
    assert content['/station_1/driver']['ros__parameters']['noise.drift_sd'] == 0.002
    assert list(tmp_path.iterdir()) == []


def test_settings_are_yaml_and_gather_by_node() -> None:
    settings = ['driver.a=1', 'driver.b.c=true', 'safety_gate.d=', 'driver.e="x=y"']
    assert up.parse_settings(settings) == {
        'driver': {'a': 1, 'b.c': True, 'e': 'x=y'}, 'safety_gate': {'d': ''}
    }  # fmt: skip
    with pytest.raises(ConfigurationError):
        up.parse_settings(['.a=1'])


def test_what_next_names_this_station() -> None:
    configuration = load_configuration(station='left_lab', pace='scaled', speed=4.0)
    text = up.what_next(configuration, 2.5)
    assert f'ready after 2.5 s: {len(configuration.nodes)} nodes, scaled x4' in text
    assert 'enpire run --station left_lab' in text
    assert '/left_lab/run_trials' in text
    assert 'unfrozen' in text


def test_what_next_names_the_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / 'manifest.json'
    manifest.write_text('{}')
    text = up.what_next(load_configuration(manifest=manifest), 2.5)
    assert str(manifest) in text
    assert 'unfrozen' not in text


def start(tmp_path: Path, text: str, *arguments: str) -> tuple[subprocess.Popen, Path]:
    station, output = tmp_path / 'station.yaml', tmp_path / 'output'
    config = ROOT / 'config'
    station.write_text(
        f'files: {{station: {config}/stations/simulated.yaml, limits: {config}/safety/yam.yaml}}\n'
        f'nodes: [safety_gate]\n{text}\n'
    )
    script = (
        'import argparse, sys\nfrom enpire_nodes.cli import up\n'
        'parser = argparse.ArgumentParser()\nup.add_parser(parser.add_subparsers())\n'
        'args = parser.parse_args(["up", *sys.argv[1:]])\nsys.exit(args.run(args))\n'
    )
    with output.open('w') as log:
        process = subprocess.Popen(
            [sys.executable, '-c', script, str(station), '--run', str(tmp_path / 'run'),
             *arguments],
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    return process, output


@pytest.fixture
def up_once(tmp_path: Path) -> Callable[..., tuple[subprocess.Popen, Path]]:
    started: list[subprocess.Popen] = []

    def run(text: str = '', *arguments: str) -> tuple[subprocess.Popen, Path]:
        started.append(None)
        process, output = start(tmp_path, text, *arguments)
        started[-1] = process
        return process, output

    with own_domain():
        yield run
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@pytest.mark.ros
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_it_says_when_it_is_ready_and_stops_cleanly(
    up_once: Callable[..., tuple[subprocess.Popen, Path]], number: signal.Signals
) -> None:
    process, output = up_once()
    wait_until(lambda: '/station_1 is ready after' in output.read_text(), 50.0)
    assert 'safety_gate       INFO  activate: done' in output.read_text()
    process.send_signal(number)
    assert process.wait(20) == 0
    assert output.read_text().endswith('/station_1 is down\n')


@pytest.mark.ros
def test_an_unknown_parameter_is_named_and_ends_it(
    up_once: Callable[..., tuple[subprocess.Popen, Path]],
) -> None:
    process, output = up_once('', '--set', 'safety_gate.command_timout=0.2')
    assert process.wait(50) == 1
    assert "no parameter 'command_timout'; did you mean command_timeout?" in output.read_text()


@pytest.mark.ros
def test_a_second_station_of_that_name_is_refused(
    up_once: Callable[..., tuple[subprocess.Popen, Path]], tmp_path: Path
) -> None:
    _, output = up_once()
    wait_until(lambda: 'is ready after' in output.read_text(), 50.0)
    second = tmp_path / 'second'
    second.mkdir()
    process, output = start(second, '')
    assert process.wait(50) == 1
    assert '/station_1 is already up in ROS domain' in output.read_text()


@pytest.mark.ros
def test_a_node_that_keeps_dying_ends_it_with_the_reason(
    up_once: Callable[..., tuple[subprocess.Popen, Path]], tmp_path: Path
) -> None:
    process, output = up_once('respawn: {limit: 0}')
    wait_until(lambda: 'is ready after' in output.read_text(), 50.0)
    (child,) = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split() or [
        pid
        for task in Path(f'/proc/{process.pid}/task').iterdir()
        for pid in (task / 'children').read_text().split()
    ]
    os.kill(int(child), signal.SIGKILL)
    assert process.wait(20) == 1
    text = output.read_text()
    assert 'bring-up: safety_gate: killed by SIGKILL' in text
    assert 'safety_gate: killed by SIGKILL (given up)' in text
