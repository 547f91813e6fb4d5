"""What is known of an arm: its age, its speed, its forces."""

from __future__ import annotations

import math

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.environment.safety.monitor import ArmMonitor

from .conftest import HOME, make_state


@pytest.fixture
def monitor(limits) -> ArmMonitor:
    return ArmMonitor('right', limits)


def move(monitor, *, speed: float, turn: float = 0.0, states: int = 20, period: float = 0.01):
    for index in range(states):
        time = index * period
        half = turn * time / 2.0
        monitor.observe(
            make_state(
                time,
                position=HOME + [speed * time, 0.0, 0.0],
                quaternion=np.array([np.cos(half), np.sin(half), 0.0, 0.0]),
            ),
            100.0 + time,
        )


def test_nothing_is_known_at_first(monitor):
    assert monitor.age(5.0) == math.inf
    assert monitor.command_age(1.0, 5.0) == math.inf
    assert monitor.violation(moving=True) is None


def test_ages_are_counted_from_arrival(monitor):
    monitor.observe(make_state(1.0), 50.0)
    assert monitor.age(50.2) == pytest.approx(0.2)


@pytest.mark.parametrize(
    'field', ['position', 'quaternion', 'force', 'torque', 'gripper_width', 'gripper_effort']
)
@pytest.mark.parametrize('wrong', [np.nan, np.inf, 1e9])
def test_a_state_that_makes_no_sense_does_not_count(monitor, field, wrong):
    monitor.observe(make_state(1.0), 50.0)
    value = wrong
    if not field.startswith('gripper'):
        value = np.array([wrong, 0.0, 0.0, 1.0][: 4 if field == 'quaternion' else 3])
    assert not monitor.observe(make_state(1.1, **{field: value}), 50.1)
    assert monitor.state.stamp == 1.0
    assert monitor.age(50.1) == pytest.approx(0.1)


def test_a_repeated_state_does_not_count(monitor):
    monitor.observe(make_state(1.0), 50.0)
    assert not monitor.observe(make_state(1.0), 50.1)
    assert monitor.age(50.1) == pytest.approx(0.1)


def test_a_state_from_the_past_means_a_new_driver(monitor):
    move(monitor, speed=2.0)
    assert monitor.violation(moving=True) is not None
    monitor.observe(make_state(0.0), 200.0)
    assert monitor.violation(moving=True) is None
    assert monitor.command_age(-0.1, 200.0) == math.inf


def test_a_command_is_as_old_as_the_observation_that_it_answers(monitor):
    for index in range(5):
        monitor.observe(make_state(1.0 + 0.1 * index), 50.0 + index)
    assert monitor.command_age(1.2, 54.5) == pytest.approx(2.5)
    assert monitor.command_age(1.25, 54.5) == pytest.approx(2.5)
    assert monitor.command_age(1.41, 54.5) == pytest.approx(0.5)
    assert monitor.command_age(0.9, 54.5) == math.inf
    assert monitor.command_age(3.0, 54.5) == math.inf


def test_a_fast_arm_is_a_violation_only_while_it_is_commanded(monitor):
    move(monitor, speed=1.3)
    assert monitor.violation(moving=True).code is ErrorCode.GATE_SPEED_TOO_HIGH
    assert monitor.violation(moving=False) is None
    monitor.forget()
    move(monitor, speed=0.9)
    assert monitor.violation(moving=True) is None
    monitor.forget()
    move(monitor, speed=0.0, turn=10.0)
    assert monitor.violation(moving=True).code is ErrorCode.GATE_SPEED_TOO_HIGH


def test_speed_is_seen_at_the_control_rate_too(monitor):
    move(monitor, speed=1.3, period=1.0 / 30.0, states=5)
    assert monitor.violation(moving=True).code is ErrorCode.GATE_SPEED_TOO_HIGH


def test_noise_of_the_reported_position_is_no_speed(monitor):
    random = np.random.default_rng(1)
    for index in range(200):
        position = HOME + random.normal(0.0, 0.001, 3)
        monitor.observe(make_state(0.01 * index, position=position), 0.01 * index)
        assert monitor.violation(moving=True) is None


@pytest.mark.parametrize(
    ('force', 'torque', 'bad'),
    [
        ([0.0, 0.0, 59.0], [0.0, 0.0, 0.0], False),
        ([40.0, 40.0, 40.0], [0.0, 0.0, 0.0], True),
        ([0.0, 0.0, 0.0], [0.0, 0.0, -7.9], False),
        ([0.0, 0.0, 0.0], [0.0, 0.0, -8.1], True),
    ],
)
def test_forces_and_torques_beyond_the_hard_window_are_violations(monitor, force, torque, bad):
    monitor.observe(make_state(force=np.array(force), torque=np.array(torque)), 1.0)
    for moving in (False, True):
        violation = monitor.violation(moving=moving)
        assert (violation is not None) == bad
        if bad:
            assert violation.code is ErrorCode.GATE_FORCE_EXCEEDED
