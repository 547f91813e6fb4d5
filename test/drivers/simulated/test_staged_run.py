"""A staged scene in motion, without pictures."""

from dataclasses import replace

import mujoco
import numpy as np
from pin_bench import STATION
import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.types import ArmCommand
from enpire_nodes.drivers.simulated.staged_run import StagedRun, UnfitError
from enpire_nodes.simulation.bench import ARMS, build_bench
from enpire_nodes.simulation.kinematics import InverseKinematics
from enpire_nodes.simulation.noise import stream
from enpire_nodes.simulation.settings import BenchSettings, load_station
from enpire_nodes.tasks.api import Pose
from enpire_nodes.tasks.pin_insertion.classify import squeezes
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

TASK, MAPPING = PinInsertion(), load_station(STATION)
CAMERAS, SETTINGS = cameras_from_settings(MAPPING['cameras']), BenchSettings.from_mapping(MAPPING)


@pytest.fixture(scope='module')
def model():
    spec = build_bench(SETTINGS)
    TASK.build_scene(spec, stream(0, 'scene'), '')
    TASK.stager().add_props(spec)
    return spec.compile()


def staged(kind, seed=1, **changes):
    return replace(TASK.stager().stage(kind, CAMERAS, np.random.default_rng(seed)), **changes)


def started(model, staging, seed=0):
    data = mujoco.MjData(model)
    solvers = {side: InverseKinematics(model, side) for side in ARMS}
    run = StagedRun(model, data, SETTINGS, TASK.arm, staging, np.random.default_rng(seed), solvers)
    return run, data


def test_the_fingers_hold_a_pin_before_it_can_fall(model):
    staging = staged('held', press=0.0)
    run, data = started(model, staging)
    placed = staging.free['pin'].position
    np.testing.assert_allclose(data.body('pin').xpos, placed, atol=0.003)
    assert squeezes(run.states[-1], TASK.settings)
    run.advance(300)
    np.testing.assert_allclose(data.body('pin').xpos, placed, atol=0.004)


def test_a_program_without_an_end_is_given_up(model, monkeypatch):
    def endless():
        observation = yield None
        hand = observation.arms[TASK.arm]
        command = ArmCommand(hand.position, hand.quaternion, 0.05, 20.0)
        while True:
            yield {TASK.arm: command}

    monkeypatch.setattr('enpire_nodes.drivers.simulated.staged_run._LIMIT', 0.5)
    run, _ = started(model, staged('missing'))
    with pytest.raises(UnfitError):
        run.play(endless())
    assert run.now < 0.6


def test_a_body_is_put_where_it_is_staged_and_comes_to_rest(model):
    staging = staged('on_rim')
    _, data = started(model, staging)
    np.testing.assert_allclose(data.body('pin').xpos, staging.free['pin'].position, atol=0.001)
    np.testing.assert_allclose(data.body('block').xpos, staging.placed['block'].position)
    card = staged('occluded', seed=2).placed['card']
    _, data = started(model, staged('occluded', seed=2))
    np.testing.assert_allclose(data.body('card').xpos, card.position)


def test_states_come_at_100_hz_and_time_goes_on(model):
    run, _ = started(model, staged('on_rim'))
    run.states.clear()
    begun = run.now
    run.advance(600)
    assert run.now == pytest.approx(begun + 1.0)
    assert np.diff([state.stamp for state in run.states]) == pytest.approx(0.01)
    assert len(run.states) == 100


def test_a_hand_that_presses_feels_it(model):
    def pushed(press):
        staging = staged('on_rim', seed=4)
        hand, tip = staging.hand, staging.free['pin'].position - [0.0, 0.0, 0.035]
        hand = Pose(tip + [0.0, 0.0, 0.05], hand.quaternion)
        held = replace(staging, hand=hand, gripped='pin', width=0.012, press=press)
        run, _ = started(model, held)
        run.advance(60)
        return np.mean([state.force[2] for state in run.states[-8:]])

    assert pushed(0.006) > pushed(0.0) + 2.0


def test_a_program_is_driven_to_its_end_and_the_reported_frame_wanders(model):
    run, data = started(model, staged('inserted', seed=3))
    report = run.play(TASK.settle(staged('inserted', seed=3).fixture))
    assert report.settle_start < report.settled <= run.now + 1e-9
    assert TASK.truth(model, data)['success']
    off = run.states[-1].position - data.site('tcp_right').xpos
    assert 1e-4 < np.linalg.norm(off) < 0.02


def test_a_hand_out_of_reach_does_not_fit(model):
    far = staged('missing')
    far = replace(far, hand=Pose(far.hand.position + [2.0, 0.0, 0.0], far.hand.quaternion))
    with pytest.raises(UnfitError):
        started(model, far)


def test_the_other_hand_goes_where_it_is_staged(model):
    pose = Pose(np.array([0.35, -0.25, 0.05]), TASK.hand_down)
    _, data = started(model, staged('missing', other_hand=pose))
    np.testing.assert_allclose(data.site('tcp_left').xpos, pose.position, atol=0.012)
