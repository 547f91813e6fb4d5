"""The simulated station: repeatable, honest about noise, and unable to accept nonsense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
import pytest

from enpire_nodes.common.types import ArmCommand
from enpire_nodes.drivers.simulated.station import SimulatedStation
from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.simulation.rendering import rendering_enabled
from enpire_nodes.simulation.settings import load_station

STATION = Path(__file__).parents[3] / 'config' / 'stations' / 'simulated.yaml'
DOWN = np.array([-np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])
QUIET = NoiseSettings()
NOISY = NoiseSettings(
    drift_sd=0.004,
    drift_time=30.0,
    pose_sd=1e-4,
    force_sd=0.2,
    torque_sd=0.01,
    wrench_bias_sd=0.5,
    pixel_sd=3.0,
    camera_position_sd=0.001,
    camera_angle_sd=0.002,
    light_variation=0.2,
    frame_drop=0.1,
    frame_latency=0.05,
    command_latency=0.02,
)
needs_gl = pytest.mark.skipif(not rendering_enabled(), reason='MUJOCO_GL=disable')


class BallTask:
    """The smallest scene: a ball that lies on the table."""

    def build_scene(self, spec, rng, placement):
        x = 0.25 if placement == 'near' else 0.30
        body = spec.worldbody.add_body(name='ball', pos=[x, rng.uniform(-0.4, -0.3), -0.08])
        body.add_freejoint()
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[0.02, 0, 0], rgba=[1, 0.4, 0, 1])

    def truth(self, model, data):
        return {'ball': data.body('ball').xpos.copy()}


def make(*, seed=0, noise=QUIET, render=False, **other) -> SimulatedStation:
    return SimulatedStation(
        BallTask(), load_station(STATION), seed=seed, noise=noise, render=render, **other
    )


def target(x, y, z, *, width=0.05, effort=20.0) -> dict[str, ArmCommand]:
    return {'right': ArmCommand(np.array([x, y, z]), DOWN, width, effort)}


def travel(station: SimulatedStation, goal, *, speed=0.15, rest=0.5):
    """Send the right hand to a reported position at a speed in m/s; return what is sensed."""
    start = station.observe().arms['right'].position
    goal = np.asarray(goal, dtype=float)
    count = max(1, int(np.linalg.norm(goal - start) / speed * 30))
    for index in range(count):
        station.step(target(*(start + (goal - start) * (index + 1) / count)))
    for _ in range(round(rest * 30)):
        station.step(target(*goal))
    return station.observe()


def trace(station: SimulatedStation, periods=45) -> list:
    values = []
    for index in range(periods):
        seen = station.step(target(0.27 + 0.001 * index, -0.33, 0.05, width=0.001 * index))
        arm = seen.arms['right']
        values.append([arm.position, arm.force, arm.torque, arm.quaternion, arm.gripper_width])
        values.append([(name, frame.stamp, frame.image) for name, frame in seen.frames.items()])
    return [value for row in values for value in row]


def equal(first, second) -> bool:
    return all(
        np.array_equal(a[2], b[2]) and a[:2] == b[:2]
        if isinstance(a, tuple)
        else np.array_equal(a, b)
        for a, b in zip(first, second, strict=True)
    )


def test_same_seed_and_commands_give_the_same_to_the_bit():
    runs = [trace(make(seed=seed, noise=NOISY)) for seed in (5, 5, 6)]
    assert equal(runs[0], runs[1])
    assert not equal(runs[0], runs[2])


@needs_gl
def test_pictures_repeat_to_the_bit():
    runs = []
    for _ in range(2):
        with make(seed=5, noise=NOISY, render=True) as station:
            runs.append(trace(station, 12))
    assert any(isinstance(value, tuple) for value in runs[0])
    assert equal(*runs)


def test_observing_twice_gives_the_same_and_draws_nothing():
    station = make(noise=NOISY)
    first = station.observe()
    assert station.observe() is first


def test_time_advances_by_whole_control_periods():
    station = make()
    stamps = [station.step({}).stamp for _ in range(90)]
    np.testing.assert_allclose(stamps, (np.arange(90) + 1) / 30.0, rtol=0, atol=1e-12)


def test_unnamed_arms_keep_their_targets():
    station = make()
    travel(station, (0.30, -0.33, 0.05))
    left = station.observe().arms['left'].position
    for _ in range(30):
        seen = station.step({})
    np.testing.assert_allclose(seen.arms['right'].position, (0.30, -0.33, 0.05), atol=5e-4)
    np.testing.assert_allclose(seen.arms['left'].position, left, atol=1e-4)


def test_commands_are_understood_in_the_reported_frame():
    station = make(seed=3, noise=NoiseSettings(drift_sd=0.01, drift_time=1e6))
    goal = np.array([0.27, -0.33, 0.05])
    seen = travel(station, goal)
    drift = station.truth()['arms']['right']['drift']
    assert np.linalg.norm(drift) > 0.003
    np.testing.assert_allclose(seen.arms['right'].position, goal, atol=5e-4)
    true = station.truth()['arms']['right']['position']
    np.testing.assert_allclose(true, goal - drift, atol=5e-4)


def test_a_held_target_follows_the_drift_so_the_report_stays_put():
    station = make(seed=3, noise=NoiseSettings(drift_sd=0.005, drift_time=5.0))
    goal = np.array([0.27, -0.33, 0.05])
    travel(station, goal)
    before = station.truth()['arms']['right']['position']
    seen = [station.step({}).arms['right'].position for _ in range(300)]
    after = station.truth()['arms']['right']['position']
    assert np.linalg.norm(after - before) > 0.002
    assert np.abs(np.array(seen) - goal).max() < 0.003


def test_sensor_noise_has_the_stated_size():
    noise = NoiseSettings(pose_sd=5e-4, force_sd=0.3, torque_sd=0.02, wrench_bias_sd=1.0)
    station = make(seed=2, noise=noise)
    rows = [station.step({}).arms['left'] for _ in range(300)]
    for name, size in (('position', 5e-4), ('force', 0.3), ('torque', 0.02)):
        spread = np.std([getattr(row, name) for row in rows], axis=0)
        np.testing.assert_allclose(spread, size, rtol=0.2)
    assert np.linalg.norm(np.mean([row.force for row in rows], axis=0)) > 0.3, 'there is a bias'


def test_a_command_takes_effect_after_its_latency():
    moved = {}
    for latency in (0.0, 0.2):
        station = make(noise=NoiseSettings(command_latency=latency))
        start = station.observe().arms['right'].position
        for index in range(12):
            seen = station.step(target(start[0], start[1], start[2] - 0.02))
            if np.linalg.norm(seen.arms['right'].position - start) > 1e-3:
                moved[latency] = index
                break
    assert moved[0.2] - moved[0.0] in (5, 6, 7)


@pytest.mark.parametrize('where', [0, 1, 2, 3])
def test_a_command_that_is_not_finite_is_refused_whole(where):
    station = make()
    before = station.observe().arms['right'].position
    good = target(0.30, -0.33, 0.05)['right']
    bad = {
        0: replace(good, position=np.array([np.nan, 0.0, 0.0])),
        1: replace(good, quaternion=np.array([np.inf, 0.0, 0.0, 1.0])),
        2: replace(good, gripper_width=float('nan')),
        3: replace(good, quaternion=np.zeros(4)),
    }[where]
    with pytest.raises(ValueError, match='right arm'):
        station.step({'left': good, 'right': bad})
    station.step({})
    np.testing.assert_allclose(station.observe().arms['right'].position, before, atol=1e-4)


def test_an_unknown_arm_is_refused():
    with pytest.raises(ValueError, match='third'):
        make().step({'third': target(0.3, -0.3, 0.1)['right']})


def test_hold_forgets_the_target_and_pending_commands():
    station = make(noise=NoiseSettings(command_latency=0.1))
    station.step(target(0.30, -0.33, 0.05))
    station.hold('right')
    start = station.observe().arms['right'].position
    for _ in range(30):
        seen = station.step({})
    assert np.linalg.norm(seen.arms['right'].position - start) < 2e-3


def test_placement_and_seed_reach_the_scene():
    near, usual, other = make(placement='near'), make(), make(seed=1)
    assert near.truth()['scene']['ball'][0] == pytest.approx(0.25, abs=1e-3)
    assert usual.truth()['scene']['ball'][0] == pytest.approx(0.30, abs=1e-3)
    assert usual.truth()['scene']['ball'][1] != other.truth()['scene']['ball'][1]


def test_slippery_fingers_drop_what_they_hold():
    def lift(share: float) -> float:
        station = make(placement='near')
        station.advance(60)
        ball = station.truth()['scene']['ball']
        travel(station, [*ball[:2], ball[2] + 0.04])
        travel(station, ball, speed=0.05)
        for _ in range(20):
            station.step(target(*ball, width=0.0))
        station.set_slippery(share)
        for index in range(60):
            station.step(target(ball[0], ball[1], ball[2] + 0.001 * index, width=0.0))
        return float(station.truth()['scene']['ball'][2] - ball[2])

    assert lift(0.0) > 0.04
    assert lift(1.0) < 0.02


@needs_gl
def test_frames_come_at_their_rate_with_the_exposure_as_stamp():
    with make(render=True, noise=NoiseSettings(frame_latency=0.04)) as station:
        stamps = []
        for _ in range(15):
            seen = station.step({})
            if 'side' in seen.frames and seen.frames['side'].stamp not in stamps:
                stamps.append(seen.frames['side'].stamp)
                assert seen.stamp - seen.frames['side'].stamp >= 0.04
        np.testing.assert_allclose(stamps, np.arange(len(stamps)) / 10.0, atol=1e-9)
        assert len(stamps) == 5
        assert seen.frames['side'].image.shape == (240, 320, 3)


@needs_gl
def test_deferred_drawing_takes_one_frame_a_call_and_keeps_the_stamp():
    with make(render=True) as station:
        station.advance(59)
        assert station.observe().frames['side'].stamp == 0.0
        arrivals = []
        for _ in range(3):
            seen = station.advance(2, draw_all=False)
            arrivals.append({name: round(frame.stamp, 3) for name, frame in seen.frames.items()})
        assert arrivals == [
            {'side': 0.1, 'front': 0.0},
            {'side': 0.1, 'front': 0.1},
            {'side': 0.1, 'front': 0.1},
        ]


@needs_gl
def test_camera_faults_act_at_once():
    with make(render=True, noise=NoiseSettings(pixel_sd=3.0)) as station:
        for _ in range(6):
            healthy = station.step({}).frames
        station.set_camera_fault('side', 'frozen')
        station.set_camera_fault('front', 'stopped')
        for _ in range(6):
            broken = station.step({}).frames
        assert broken['side'].stamp > healthy['side'].stamp
        np.testing.assert_array_equal(broken['side'].image, healthy['side'].image)
        assert broken['front'] is healthy['front']
        with pytest.raises(KeyError):
            station.set_camera_fault('ceiling', 'frozen')


@needs_gl
def test_the_first_observation_has_pictures():
    with make(render=True) as station:
        assert {name: frame.stamp for name, frame in station.observe().frames.items()} == {
            'side': 0.0,
            'front': 0.0,
        }


@needs_gl
def test_a_photograph_shows_the_scene_without_touching_it():
    with make(render=True) as station:
        before = station.data.qpos.copy()
        picture = station.photograph(width=320, height=200)
        assert picture.shape == (200, 320, 3)
        red, green, blue = (picture[..., index].astype(int) for index in range(3))
        assert np.count_nonzero((red > 60) & (red > 2 * green) & (red > 4 * blue)) > 20, 'the ball'
        np.testing.assert_array_equal(station.data.qpos, before)


def test_no_cameras_exist_without_pictures():
    station = make(render=False)
    assert not station.cameras
    assert not station.step({}).frames
