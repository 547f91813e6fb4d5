"""Resets by the simulated arm, from every placement, and every way in which they fail."""

import dataclasses

import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.tasks.api import ResetFailedError
from enpire_nodes.tasks.pin_insertion.reset import Reset

pytestmark = pytest.mark.timeout(240)


def reset(made, seed=0, **arguments):
    return made.run(made.task.reset(made.cameras, seed=seed), **arguments)


def assert_over_the_hole(made, report):
    truth = made.truth
    start = truth['hole_position'] + [*report.start_offset, made.task.settings.reset.hover]
    assert truth['pin_tip'] == pytest.approx(start, abs=0.006)
    assert truth['pin_axis'][2] > np.cos(np.deg2rad(6.0))
    assert report.fixture.position == pytest.approx(truth['hole_position'], abs=0.004)
    assert made.station.observe().arms['right'].gripper_effort > 10.0


def with_reset(made, **changes):
    """Return the settings of the task with others of the reset."""
    settings = made.task.settings
    return dataclasses.replace(settings, reset=dataclasses.replace(settings.reset, **changes))


def failure(made, seed=0, **arguments):
    with pytest.raises(ResetFailedError) as caught:
        reset(made, seed, **arguments)
    return caught.value


@pytest.mark.parametrize('placement', ['cradle', 'hole', 'standing'])
def test_fetches_a_pin_that_stands(bench, placement):
    made = bench(placement=placement, seed=11)
    report = reset(made, seed=3)
    assert_over_the_hole(made, report)
    assert report.recoveries == ()
    assert report.duration < 8.0


@pytest.mark.parametrize(('placement', 'seed'), [('lying', 12), ('lying', 15), ('rim', 13)])
def test_stands_up_a_pin_that_lies(bench, placement, seed):
    made = bench(placement=placement, seed=seed)
    report = reset(made)
    assert_over_the_hole(made, report)
    assert 'lying' in report.recoveries


def test_a_pin_that_is_in_the_hand_already_is_carried_over_the_hole(bench):
    made = bench(placement='cradle', seed=14)
    reset(made, seed=1)
    report = reset(made, seed=2)
    assert_over_the_hole(made, report)
    assert report.duration < 3.0


def test_the_seed_draws_the_start(bench):
    made = bench(placement='cradle', seed=15, render=False)
    seeds = (1, 1, 2, *range(50))
    offsets = [Reset(made.task.settings, made.cameras, seed=seed)._offset for seed in seeds]
    assert offsets[0] == pytest.approx(offsets[1])
    assert offsets[0] != pytest.approx(offsets[2])
    assert np.abs(offsets).max() <= made.task.settings.reset.offset
    assert np.abs(offsets).max() > 0.8 * made.task.settings.reset.offset


def push_up(made, distance):
    """Move the pin up in the hand, as a push on the block's top does."""
    model, data = made.station.model, made.station.data
    height = model.joint('pin').qposadr[0] + 2
    for _ in range(10):
        data.qpos[height] += distance / 10.0
        made.wait(1.0 / 30.0)


def test_a_pin_that_slipped_is_seated_anew(bench):
    made = bench(placement='cradle', seed=16)
    reset(made, seed=1)
    push_up(made, 0.014)
    report = reset(made, seed=2)
    assert 'slipped' in report.recoveries
    assert_over_the_hole(made, report)


def test_a_pin_that_drops_on_the_way_is_picked_up_again(bench):
    made = bench(placement='cradle', seed=17)
    stages = []

    def lose(stage, message, retries):
        stages.append(stage)
        made.station.set_slippery(1.0 if stages == ['locate', 'fetch', 'hover'] else 0.0)

    report = made.run(made.task.reset(made.cameras, seed=4, report=lose))
    assert 'dropped' in report.recoveries
    assert_over_the_hole(made, report)


def test_fingers_without_grip_are_reported(bench):
    made = bench(placement='cradle', seed=18)
    made.station.set_slippery(1.0)
    with pytest.raises(ResetFailedError) as caught:
        made.run(Reset(with_reset(made, retries=1), made.cameras, seed=0).run())
    error = caught.value
    assert error.code in (ErrorCode.RESET_GRASP_FAILED, ErrorCode.RESET_PIN_DROPPED)
    assert len(error.recoveries) > 1
    assert not error.operator_needed


@pytest.mark.parametrize(
    ('placement', 'code'),
    [
        ('missing', ErrorCode.RESET_PIN_NOT_FOUND),
        ('out_of_reach', ErrorCode.RESET_PIN_OUT_OF_REACH),
    ],
)
def test_a_pin_that_cannot_be_fetched_needs_a_person(bench, placement, code):
    error = failure(bench(placement=placement, seed=19))
    assert error.code is code
    assert error.operator_needed


def test_a_block_that_is_gone_needs_a_person(bench):
    made = bench(placement='cradle', seed=20)
    made.station.model.body('block').pos[:] = [0.0, 0.0, -1.0]
    error = failure(made)
    assert error.code is ErrorCode.RESET_FIXTURE_NOT_FOUND
    assert error.operator_needed


def test_a_station_without_pictures_is_reported_within_seconds(bench):
    made = bench(placement='cradle', render=False)
    error = failure(made)
    assert error.code is ErrorCode.RESET_CAMERA_MISSING
    assert made.station.now < 4.0


@pytest.mark.parametrize('fault', ['stopped', 'frozen'])
def test_a_camera_that_fails_on_the_way_is_reported(bench, fault):
    made = bench(placement='cradle', seed=21)

    def break_it(observation):
        if observation.stamp > 1.0:
            made.station.set_camera_fault('front', fault)

    error = failure(made, watch=break_it)
    assert error.code is ErrorCode.RESET_CAMERA_STALE
    assert 'front' in error.message
    assert made.station.now < 8.0


def test_a_reset_that_died_with_a_pin_across_the_hand_is_taken_up_by_the_next(bench):
    made = bench(placement='lying', seed=12)
    program = made.task.reset(made.cameras, seed=0)
    next(program)
    observation = made.station.observe()
    while observation.arms['right'].gripper_effort < 15.0 or (
        observation.arms['right'].position[2] < 0.02
    ):
        observation = made.station.step(program.send(observation))
    program.close()
    report = reset(made, seed=1)
    assert 'lying' in report.recoveries
    assert len(report.recoveries) <= 4
    assert_over_the_hole(made, report)


def test_the_deadline_is_kept(bench):
    made = bench(placement='lying', seed=12)
    with pytest.raises(ResetFailedError, match='not done within 4 s') as caught:
        made.run(Reset(with_reset(made, deadline=4.0), made.cameras, seed=0).run())
    assert caught.value.code is ErrorCode.RESET_TIMEOUT


def test_the_stages_are_reported_in_order(bench):
    made = bench(placement='cradle', seed=22)
    stages = []
    made.run(made.task.reset(made.cameras, seed=0, report=lambda *told: stages.append(told)))
    assert [stage for stage, _, _ in stages] == ['locate', 'fetch', 'hover', 'verify']
    assert all(isinstance(message, str) and retries == 0 for _, message, retries in stages)
