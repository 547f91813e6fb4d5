"""A research workspace beside a station: demonstrations in, weights out, trials in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy')

from bringup_support import wait_until
import stack_support
from stack_support import Stack
import yaml

from enpire_nodes.cli.main import main as enpire
from enpire_nodes.improvement import load_weights, ReplayStore
from enpire_nodes.improvement.bags import recorded_trial
from enpire_nodes.improvement.selection import learned_settings
from enpire_nodes.improvement.workspace import Workspace
from enpire_nodes.rollout.messages import parameter_messages
from enpire_nodes.rollout.run_directory import RunDirectory

pytestmark = [
    pytest.mark.ros, pytest.mark.egl, pytest.mark.alone, pytest.mark.slow,
    pytest.mark.timeout(300),
]  # fmt: skip


@pytest.fixture(scope='module')
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    run = tmp_path_factory.mktemp('learning') / 'run'
    with stack_support.stack(run, pace='lockstep') as stack:
        yield stack


@pytest.fixture(scope='module')
def workspace(station: Stack, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace.create(
        tmp_path_factory.mktemp('learning') / 'workspace',
        task='pin_insertion',
        runs=[station.run],
        station='/station_1',
    )
    recipe = yaml.safe_load(made.recipe.read_text('utf-8'))
    recipe['observation']['images'] = 32
    recipe['training'].update(
        hidden=16, batch_size=32, bc_updates=30, warm_up_updates=5, compiled=False
    )
    recipe['keeping'].update(publish_every=1.0, save_every=1.0, minimum_free_mb=0.0)
    made.recipe.write_text(yaml.safe_dump(recipe), 'utf-8')
    return made


def run(station: Stack, trials: int, *, controller: str, **settings: object) -> None:
    handle = station.request(
        trials,
        controller=controller,
        max_attempts=1,
        controller_parameters=parameter_messages(settings),
    )
    result = station.result(handle, 150.0)
    assert result.completed == trials, result.message


def test_the_learner_follows_the_station(station: Stack, workspace: Workspace) -> None:
    run(station, 2, controller='demonstrator')
    shown = station.closed(2)
    told = recorded_trial(station.run / shown.bag / '..')
    assert told.attempts[0].steps == shown.attempts[0].steps
    assert told.controller == 'demonstrator'

    log = (workspace.path / 'train.log').open('wb')
    learner = subprocess.Popen(
        [sys.executable, 'train.py', '--follow'], cwd=workspace.path, stdout=log, stderr=log
    )
    try:
        wait_until(workspace.current.is_file, 90.0, 'weights of the clone')
        before = workspace.current.resolve()
        settings = learned_settings(workspace, explore=True)
        assert settings['images'] == 32
        run(station, 2, controller='learned', **settings)
        own = station.closed(4)
        assert own.attempts[0].steps > 0, own.message
        ran = Path(own.controller_parameters['learned.checkpoint'])
        assert ran.name != 'current.safetensors', 'the link is followed'
        assert ran.is_file()

        wait_until(lambda: workspace.current.resolve() != before, 60.0, 'newer weights')
        wait_until(
            lambda: load_weights(workspace.current)[1]['trials'] == 4, 60.0, 'all four trials'
        )
    finally:
        learner.send_signal(signal.SIGTERM)
        code = learner.wait(30.0)
        log.close()
    assert code == 0, (workspace.path / 'train.log').read_text('utf-8')
    dataset, back = workspace.path / 'dataset', ReplayStore(workspace.path / 'back')
    words = ['dataset', 'export', str(station.run), str(dataset), '--pictures', '32']
    assert enpire(words) == 0
    assert enpire(['dataset', 'import', str(dataset), str(back.directory)]) == 0
    shapes = {
        name: seen.shape for name, seen in back.load(shown.trial_id).attempts[0].images.items()
    }
    assert shapes == dict.fromkeys(('front', 'side'), (shown.attempts[0].steps + 1, 32, 32, 3))
    stored = {path.stem for path in workspace.replay.glob('*.npz')}
    trials = RunDirectory(station.run).trials
    assert stored == {path.name for path in trials.iterdir()}
    assert stack_support.disagreements(station.run) == []
