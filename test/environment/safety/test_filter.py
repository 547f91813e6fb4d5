"""One arm's filter: each rule by example, and what must hold whatever is asked."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.geometry import rotation_angle
from enpire_nodes.environment.safety.filter import ArmFilter, rotation_axis, tilt

from .conftest import DOWN, HOME, make_command, make_state

DT = 1.0 / 30.0
any_number = st.floats(allow_nan=True, allow_infinity=True, width=64)
near = st.floats(-0.2, 0.2)


def turned(angle: float, axis=(0.0, 0.0, 1.0)) -> np.ndarray:
    """Return the tool-down orientation turned by ``angle`` about an axis of ``world``."""
    half, axis = angle / 2.0, np.asarray(axis)
    x, y, z = np.sin(half) * axis
    w = np.cos(half)
    # product of (x, y, z, w) with DOWN = (1, 0, 0, 0)
    return np.array([w, z, -y, -x])


@pytest.fixture
def arm(limits) -> ArmFilter:
    return ArmFilter('right', limits)


def check(arm, request, *, last=None, state=None, elapsed=DT):
    return arm.check(
        request, last=last or make_command(), state=state or make_state(), elapsed=elapsed
    )


def violation(arm, request, **context) -> ErrorCode:
    with pytest.raises(StationError) as caught:
        check(arm, request, **context)
    assert caught.value.message.startswith('right arm: ')
    return caught.value.code


def test_a_small_step_passes_untouched(arm):
    filtered = check(arm, make_command(HOME + [0.005, 0.0, 0.0], quaternion=turned(0.05)))
    assert filtered.limited == ()
    np.testing.assert_allclose(filtered.command.position, HOME + [0.005, 0.0, 0.0])
    assert rotation_angle(filtered.command.quaternion, turned(0.05)) < 1e-6


@pytest.mark.parametrize('wrong', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('field', ['position', 'quaternion', 'gripper_width', 'gripper_effort'])
def test_a_command_that_is_not_finite_trips(arm, field, wrong):
    value = wrong if field.startswith('gripper') else np.append(DOWN, wrong)[-4:]
    if field == 'position':
        value = np.array([0.3, wrong, 0.1])
    request = replace(make_command(), **{field: value})
    assert violation(arm, request) is ErrorCode.GATE_COMMAND_NOT_FINITE


@pytest.mark.parametrize('norm', [0.0, 0.5, 1.5])
def test_an_orientation_that_is_no_unit_quaternion_trips(arm, norm):
    request = make_command(quaternion=norm * DOWN)
    assert violation(arm, request) is ErrorCode.GATE_COMMAND_NOT_FINITE


def test_a_target_just_outside_the_box_is_moved_onto_it(arm):
    last = make_command([0.495, -0.3, 0.1])
    filtered = check(
        arm, make_command([0.505, -0.3, 0.1]), last=last, state=make_state(position=last.position)
    )
    assert filtered.limited == ('workspace',)
    np.testing.assert_allclose(filtered.command.position, [0.5, -0.3, 0.1])


def test_a_target_far_outside_the_box_trips(arm):
    last = make_command([0.495, -0.3, 0.1])
    request = make_command([0.53, -0.3, 0.1])
    assert violation(arm, request, last=last) is ErrorCode.GATE_OUTSIDE_WORKSPACE


def test_an_arm_outside_the_box_may_come_back_but_go_no_farther(arm):
    last = make_command([0.60, -0.3, 0.1])
    state = make_state(position=last.position)
    inward = check(arm, make_command([0.595, -0.3, 0.1]), last=last, state=state)
    assert inward.limited == ()
    outward = check(arm, make_command([0.605, -0.3, 0.1]), last=last, state=state)
    assert outward.limited == ('workspace',)
    np.testing.assert_allclose(outward.command.position, last.position)
    far = make_command([0.63, -0.3, 0.1])
    assert violation(arm, far, last=last, state=state) is ErrorCode.GATE_OUTSIDE_WORKSPACE


def test_a_tool_that_tilts_too_far_trips_unless_it_comes_back(arm):
    steep, steeper = turned(1.05, (1.0, 0.0, 0.0)), turned(1.15, (1.0, 0.0, 0.0))
    request = make_command(quaternion=steep)
    assert violation(arm, request) is ErrorCode.GATE_OUTSIDE_WORKSPACE
    last, state = make_command(quaternion=steeper), make_state(quaternion=steeper)
    back = check(arm, request, last=last, state=state)
    assert tilt(back.command.quaternion) < tilt(steeper)


def test_a_command_that_jumps_trips(arm):
    assert violation(arm, make_command(HOME + [0.16, 0, 0])) is ErrorCode.GATE_STEP_TOO_LARGE
    turn = make_command(quaternion=turned(1.3))
    assert violation(arm, turn) is ErrorCode.GATE_STEP_TOO_LARGE


def test_a_step_is_shortened_along_its_path(arm):
    filtered = check(arm, make_command(HOME + [0.06, 0.08, 0.0], quaternion=turned(0.4)))
    assert 'step' in filtered.limited
    moved = filtered.command.position - HOME
    np.testing.assert_allclose(moved, 0.3 * np.array([0.06, 0.08, 0.0]), atol=1e-9)
    assert rotation_angle(filtered.command.quaternion, DOWN) == pytest.approx(0.3 * 0.4, abs=1e-6)


def test_speed_is_limited_over_time_and_a_late_command_may_catch_up(arm, limits):
    speed = limits.motion.speed
    travelled, last = 0.0, make_command([0.3, -0.49, 0.1])
    for _ in range(30):
        request = make_command(last.position + [0.0, 0.02, 0.0])
        filtered = check(arm, request, last=last, state=make_state(position=last.position))
        travelled += filtered.command.position[1] - last.position[1]
        last = filtered.command
    assert travelled <= speed * (30 * DT + 0.1) + 1e-9
    assert travelled > 0.95 * speed * 30 * DT
    late = check(
        arm,
        make_command(last.position - [0.0, 2 * speed * DT, 0.0]),
        last=last,
        state=make_state(position=last.position),
        elapsed=2 * DT,
    )
    assert late.limited == ()


def test_a_target_never_leads_the_arm_by_more_than_the_lead(arm):
    last = make_command(HOME + [0.055, 0.0, 0.0], quaternion=turned(0.55))
    request = make_command(HOME + [0.063, 0.0, 0.0], quaternion=turned(0.63))
    filtered = check(arm, request, last=last)
    assert 'lead' in filtered.limited
    np.testing.assert_allclose(filtered.command.position, HOME + [0.06, 0.0, 0.0])
    assert rotation_angle(filtered.command.quaternion, DOWN) == pytest.approx(0.6)


def test_above_the_soft_force_only_relieving_motion_passes(arm):
    pressed = make_state(force=np.array([0.0, 0.0, 40.0]))
    deeper = check(arm, make_command(HOME + [0.002, 0.0, -0.003]), state=pressed)
    assert deeper.limited == ('force',)
    np.testing.assert_allclose(deeper.command.position, HOME + [0.002, 0.0, 0.0], atol=1e-9)
    lifted = check(arm, make_command(HOME + [0.0, 0.0, 0.003]), state=pressed)
    assert lifted.limited == ()
    np.testing.assert_allclose(lifted.command.position, HOME + [0.0, 0.0, 0.003])


def test_below_the_soft_force_pressing_passes(arm):
    touching = make_state(force=np.array([0.0, 0.0, 20.0]))
    filtered = check(arm, make_command(HOME - [0.0, 0.0, 0.003]), state=touching)
    assert filtered.limited == ()


def test_what_is_left_of_a_blocked_step_does_not_leave_the_box(arm):
    corner = np.array([0.5, -0.3, 0.1])
    slanted = make_state(position=corner, force=40.0 * np.array([0.6, 0.0, 0.8]))
    filtered = check(
        arm,
        make_command(corner - [0.0, 0.0, 0.005]),
        last=make_command(corner),
        state=slanted,
    )
    assert filtered.limited == ('force',)
    np.testing.assert_allclose(filtered.command.position, corner)


def test_what_is_left_of_a_blocked_step_does_not_lead_the_arm_farther(arm):
    last = make_command(HOME + [0.05, 0.0, 0.0])
    slanted = make_state(force=40.0 * np.array([0.8, -0.6, 0.0]))
    filtered = check(arm, make_command(HOME + [0.041, 0.028, 0.0]), last=last, state=slanted)
    assert filtered.limited == ('force',)
    np.testing.assert_allclose(filtered.command.position, last.position)


def test_above_the_soft_torque_only_relieving_rotation_passes(arm):
    twisted = make_state(torque=np.array([0.0, 0.0, 4.0]))
    harder = check(arm, make_command(quaternion=turned(-0.05)), state=twisted)
    assert harder.limited == ('torque',)
    assert rotation_angle(harder.command.quaternion, DOWN) < 1e-6
    softer = check(arm, make_command(quaternion=turned(0.05)), state=twisted)
    assert softer.limited == ()
    assert rotation_angle(softer.command.quaternion, DOWN) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(
    ('width', 'effort', 'expected'),
    [(0.2, 10.0, (0.09, 10.0)), (-0.1, 10.0, (0.0, 10.0)), (0.05, 99.0, (0.05, 40.0)),
     (0.05, -1.0, (0.05, 0.0))],
)  # fmt: skip
def test_the_gripper_stays_in_its_range(arm, width, effort, expected):
    filtered = check(arm, make_command(gripper_width=width, gripper_effort=effort))
    assert filtered.limited == ('gripper',)
    assert (filtered.command.gripper_width, filtered.command.gripper_effort) == expected


def test_tilt_is_measured_from_straight_down():
    assert tilt(DOWN) == pytest.approx(0.0)
    assert tilt(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(np.pi)
    assert tilt(turned(0.7, (0.0, 1.0, 0.0))) == pytest.approx(0.7)
    assert tilt(turned(2.0)) == pytest.approx(0.0, abs=1e-6)


def test_the_axis_of_a_rotation_points_along_it():
    axis = rotation_axis(DOWN, turned(0.3, (0.0, 1.0, 0.0)))
    np.testing.assert_allclose(axis, [0.0, np.sin(0.3), 0.0], atol=1e-9)


@pytest.mark.timeout(300)  # while it narrows a failure down
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_is_asked_the_result_is_safe(limits, data):
    """Finite, in the box, near the arm, one step from the last target, and not pressing harder."""
    draw = data.draw
    box, motion = limits.arms['right'], limits.motion
    inside = st.tuples(st.floats(0.1, 0.5), st.floats(-0.5, -0.1), st.floats(0.0, 0.4))
    last_position = np.array(draw(inside))
    last = make_command(last_position, quaternion=turned(draw(st.floats(-3.0, 3.0))))
    offset = np.array(draw(st.tuples(*[st.floats(-0.05, 0.05)] * 3)))
    state = make_state(
        position=box.clamp(last_position + offset),
        quaternion=last.quaternion,
        force=np.array(draw(st.tuples(*[st.floats(-40, 40)] * 3))),
        torque=np.array(draw(st.tuples(*[st.floats(-4, 4)] * 3))),
    )
    if draw(st.booleans()):
        position = np.array(draw(st.tuples(*[any_number] * 3)))
    else:
        position = last_position + np.array(draw(st.tuples(near, near, near)))
    if draw(st.booleans()):
        quaternion = np.array(draw(st.tuples(*[any_number] * 4)))
    else:
        quaternion = turned(draw(st.floats(-3.0, 3.0)), (0.6, 0.0, 0.8))
    request = make_command(
        position,
        quaternion=quaternion,
        gripper_width=draw(any_number),
        gripper_effort=draw(any_number),
    )
    try:
        result = check(
            ArmFilter('right', limits), request, last=last, state=state,
            elapsed=draw(st.floats(0.0, 1.0)),
        ).command  # fmt: skip
    except StationError:
        return  # nothing is forwarded
    assert np.isfinite([*result.position, *result.quaternion]).all()
    assert np.linalg.norm(result.quaternion) == pytest.approx(1.0, abs=1e-6)
    assert box.excess(result.position) < 1e-9
    assert 0.0 <= result.gripper_width <= limits.gripper.maximum_width
    assert 0.0 <= result.gripper_effort <= limits.gripper.maximum_effort
    step = float(np.linalg.norm(result.position - last.position))
    lead = float(np.linalg.norm(result.position - state.position))
    before = float(np.linalg.norm(last.position - state.position))
    assert step <= motion.step + 1e-9 or lead < before
    assert lead <= max(motion.lead, before) + 1e-9
    force = float(np.linalg.norm(state.force))
    if force > limits.wrench.soft_force:
        assert (result.position - last.position) @ state.force >= -1e-6
