"""Trials in one process: in this one, and in one of their own."""

from dataclasses import replace
import subprocess
import sys

import pytest

from enpire_nodes.benchmark.bare import BareSetup, BareTrials
from enpire_nodes.benchmark.bare_process import BareFailedError, BareProcess
from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.simulation.rendering import rendering_enabled

needs_gl = pytest.mark.skipif(not rendering_enabled(), reason='MUJOCO_GL=disable')


@pytest.fixture
def setup(tmp_path):
    configuration = load_configuration(
        'station_1',
        run=tmp_path,
        seed=7,
        parameters={
            'driver': {'noise.drift_sd': 0.0, 'camera_rate': 10.0},
            'policy_executor': {'controller': 'hold', 'scripted.push_speed': 0.02},
        },
    )
    return BareSetup.of(configuration, controller='scripted', max_attempts=1)


def test_takes_over_what_the_nodes_would_be_told(setup):
    assert (setup.task, setup.seed) == ('pin_insertion', 7)
    assert setup.noise == {'drift_sd': 0.0}
    assert setup.settings == {'push_speed': 0.02}
    assert setup.station_file.endswith('simulated.yaml')
    assert setup.task_file.endswith('pin_insertion.yaml')


@pytest.mark.egl
@needs_gl
def test_trial_runs_to_its_verdict(setup):
    trials = BareTrials(replace(setup, settings={}))
    try:
        timing = trials.run(5, paced=False)
    finally:
        trials.close()

    assert (timing.seed, timing.outcome, timing.attempts) == (5, 'SUCCESS', 1)
    assert timing.wall > 0.0
    assert timing.simulated == pytest.approx(timing.stages, abs=0.1)
    assert min(timing.reset, timing.execute, timing.verify) > 0.1


@pytest.mark.egl
@needs_gl
@pytest.mark.slow
def test_process_of_its_own_runs_paced_trials(setup):
    with BareProcess(replace(setup, settings={})) as bare:
        timing = bare.run(5, paced=True, timeout=50.0)
        assert bare.memory() > 50e6

    assert timing.wall >= 0.99 * timing.simulated
    assert timing.outcome == 'SUCCESS'


def test_scene_that_cannot_be_built_is_told(setup):
    broken = replace(setup, station_file='/nowhere.yaml')

    with pytest.raises(BareFailedError, match=r'/nowhere\.yaml'):
        BareProcess(broken).__enter__()


@pytest.mark.egl
@needs_gl
def test_late_answer_is_not_taken_for_another(setup):
    with BareProcess(setup) as bare:
        with pytest.raises(BareFailedError, match=r'within 0\.01 s'):
            bare.run(5, paced=True, timeout=0.01)
        with pytest.raises(BareFailedError, match='ended'):
            bare.run(6, paced=False)


@pytest.mark.egl
@needs_gl
def test_process_that_died_is_told(setup):
    with BareProcess(setup) as bare:
        bare._process.kill()
        bare._process.join(10.0)
        with pytest.raises(BareFailedError, match='ended'):
            bare.run(5, paced=False)


def test_bare_process_loads_no_ros():
    code = (
        'import sys, enpire_nodes.benchmark.bare; '
        "sys.exit(sum(name in sys.modules for name in ('rclpy', 'enpire_msgs')))"
    )

    assert subprocess.run([sys.executable, '-c', code], timeout=50).returncode == 0
