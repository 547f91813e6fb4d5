"""The arm reaches where it is sent, gives way when pushed, and feels with the right sign."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from enpire_nodes.common.geometry import quaternion_from_matrix, rotation_angle
from enpire_nodes.simulation.arm import Arm
from enpire_nodes.simulation.bench import build_bench

#: Looking down, the fingers closing along x: the wrist's comfortable side of each arm.
DOWN = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
LEFT_DOWN = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])


def tilted(degrees: float, heading: float) -> np.ndarray:
    """Return a hand that looks along ``heading`` (rad), so many degrees below the horizon."""
    angle = np.deg2rad(degrees)
    level = np.array([np.cos(heading), np.sin(heading), 0.0])
    z = level * np.cos(angle) - np.array([0.0, 0.0, np.sin(angle)])
    x = -(level * np.sin(angle) + np.array([0.0, 0.0, np.cos(angle)]))
    return np.stack([x, np.cross(z, x), z], axis=1)


class Bench:
    """A compiled bench with both arms and a block to press on or to squeeze."""

    def __init__(self, settings, add=None) -> None:
        spec = build_bench(settings)
        if add:
            add(spec)
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        self.arms = {
            side: Arm(
                self.model,
                self.data,
                side,
                home=np.array(settings.arms[side].home),
                gripper_width=settings.arms[side].gripper_width,
                wrench_filter=settings.wrench_filter,
            )
            for side in ('left', 'right')
        }
        mujoco.mj_forward(self.model, self.data)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 120)):
            for arm in self.arms.values():
                arm.control(1.0 / 120.0)
            mujoco.mj_step(self.model, self.data, 5)
            for arm in self.arms.values():
                arm.feel(1.0 / 120.0)

    def go(self, side, position, rotation=DOWN, *, speed=0.15):
        arm, goal = self.arms[side], np.asarray(position, dtype=float)
        start = arm.sense().position
        count = max(1, int(np.linalg.norm(goal - start) / speed * 30.0))
        for index in range(count):
            arm.move_to(
                start + (goal - start) * (index + 1) / count, rotation, duration=1.0 / 30.0
            )
            self.run(1.0 / 30.0)
        self.run(0.4)
        return arm.sense()


@pytest.mark.parametrize(
    ('side', 'position'),
    [
        ('right', (0.27, -0.305, 0.03)),
        ('right', (0.24, -0.43, -0.04)),
        ('right', (0.33, -0.28, -0.04)),
        ('left', (0.27, -0.20, -0.02)),
    ],
)
def test_the_hand_goes_where_it_is_sent(settings, side, position):
    rotation = DOWN if side == 'right' else LEFT_DOWN
    sensed = Bench(settings).go(side, position, rotation)
    np.testing.assert_allclose(sensed.position, position, atol=5e-4)
    turned = rotation_angle(sensed.quaternion, quaternion_from_matrix(rotation))
    assert turned < 0.005


@pytest.mark.parametrize('degrees', [20.0, 45.0, 90.0])
def test_the_hand_can_be_held_level_as_well_as_downward(settings, degrees):
    bench, heading = Bench(settings), np.deg2rad(30.0)
    position = np.array([0.0, -0.61, 0.05]) + 0.47 * np.array(
        [np.cos(heading), np.sin(heading), 0]
    )
    rotation = tilted(degrees, heading)
    sensed = bench.go('right', position, rotation)
    np.testing.assert_allclose(sensed.position, position, atol=1e-3)
    assert rotation_angle(sensed.quaternion, quaternion_from_matrix(rotation)) < 0.01


def test_inverse_kinematics_agrees_with_forward(settings):
    kinematics = Bench(settings).arms['right'].kinematics
    start = np.array(settings.arms['right'].home)
    rng = np.random.default_rng(0)
    for _ in range(30):
        angles = start + rng.uniform(-0.3, 0.3, 6) * [1, 1, 1, 0.5, 1, 1]
        position, rotation = kinematics.forward(angles)
        found, away, turned = kinematics.solve(position, rotation, start, iterations=50)
        assert away < 1e-4
        assert turned < 1e-3
        reached, _ = kinematics.forward(found)
        np.testing.assert_allclose(reached, position, atol=1e-4)


def test_an_unreachable_target_is_reported_and_stays_within_the_limits(settings):
    bench = Bench(settings)
    away, _ = bench.arms['right'].move_to(np.array([1.5, 0.0, 0.2]), DOWN, duration=1.0)
    assert away > 0.3
    bench.run(3.0)
    for index, angle in enumerate(bench.arms['right'].joint_angles):
        low, high = bench.model.joint(f'right_joint{index + 1}').range
        assert low - 0.02 < angle < high + 0.02


def test_a_far_jump_is_limited_in_joint_speed(settings):
    bench, fastest = Bench(settings), 0.0
    bench.arms['right'].move_to(np.array([0.25, -0.45, -0.05]), DOWN, duration=1.0 / 30.0)
    for _ in range(60):
        bench.run(1.0 / 120.0)
        fastest = max(fastest, float(np.abs(bench.arms['right'].joint_speeds).max()))
    assert 0.2 < fastest < 4.0


def test_pressing_down_on_the_table_reads_positive_z(settings):
    bench = Bench(settings)
    bench.arms['right'].grip(0.0, 20.0)
    above = bench.go('right', (0.27, -0.305, -0.08))
    assert np.linalg.norm(above.force) < 0.3, 'the weight of the hand itself is compensated'
    pressed = bench.go('right', (0.27, -0.305, -0.104), speed=0.03)
    assert pressed.force[2] > 4.0
    assert pressed.position[2] > -0.0985, 'the arm gave way'


def test_pushing_sideways_reads_against_the_push_and_torque_is_about_the_tool(settings):
    def add_wall(spec):
        spec.worldbody.add_geom(
            name='wall', type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.01, 0.1, 0.03],
            pos=[0.33, -0.305, -0.07],
        )  # fmt: skip

    bench = Bench(settings, add_wall)
    bench.arms['right'].grip(0.0, 20.0)
    bench.go('right', (0.29, -0.305, -0.06))
    pushed = bench.go('right', (0.325, -0.305, -0.06), speed=0.03)
    assert pushed.force[0] < -4.0
    # The wall touches near the tool point: seen from there it hardly turns the hand, unlike from
    # the wrist, 12 cm away.
    assert abs(pushed.torque[1]) < abs(pushed.force[0]) * 0.04


def test_the_gripper_squeezes_with_at_most_the_commanded_force(settings):
    def add_post(spec):
        spec.worldbody.add_geom(
            name='post', type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=[0.006, 0.035, 0],
            pos=[0.27, -0.305, -0.065],
        )  # fmt: skip

    bench = Bench(settings, add_post)
    bench.go('right', (0.27, -0.305, -0.04))
    for effort in (20.0, 5.0):
        bench.arms['right'].grip(0.0, effort)
        bench.run(0.8)
        sensed = bench.arms['right'].sense()
        assert sensed.gripper_effort == pytest.approx(effort, rel=0.05)
        assert sensed.gripper_width == pytest.approx(0.012, abs=0.0012)


def test_the_empty_gripper_closes_and_opens(settings):
    bench = Bench(settings)
    for width in (0.0, 0.08, 0.02):
        bench.arms['right'].grip(width, 20.0)
        bench.run(0.8)
        assert bench.arms['right'].sense().gripper_width == pytest.approx(width, abs=5e-4)


def test_staying_stops_where_the_arm_is(settings):
    bench = Bench(settings)
    bench.arms['right'].move_to(np.array([0.25, -0.45, -0.05]), DOWN, duration=2.0)
    bench.run(1.0)
    bench.arms['right'].stay()
    there = bench.arms['right'].sense().position
    bench.run(1.0)
    assert np.linalg.norm(bench.arms['right'].sense().position - there) < 0.02
