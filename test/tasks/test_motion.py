"""Pieces of programs, on a hand without physics."""

from hand_plant import Plant
import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Frame
from enpire_nodes.tasks.motion import Hand


def program(steps):
    """Make a program of a hand out of a generator function that takes it."""
    hand = Hand('right', squeeze=(0.004, 20.0))

    def run():
        yield from hand.begin()
        return (yield from steps(hand))

    return run()


def test_goes_there_smoothly_and_no_faster_than_twice_the_average():
    plant = Plant()
    goal = np.array([0.30, -0.30, 0.05])
    assert plant.run(program(lambda hand: hand.move(goal, speed=0.1)))
    assert plant.position == pytest.approx(goal, abs=0.0015)
    path = np.array([command.position for command in plant.commands])
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() * 30.0 < 0.2


def test_takes_out_a_steady_droop():
    plant = Plant(droop=(0.0, 0.0, -0.006))
    goal = plant.position + [0.05, 0.0, 0.0]
    assert plant.run(program(lambda hand: hand.move(goal, speed=0.1)))
    assert plant.position == pytest.approx(goal, abs=0.0015)


def test_gives_up_on_what_it_cannot_reach_and_does_not_wind_up():
    plant = Plant(floor=0.08)
    goal = plant.position - [0.0, 0.0, 0.05]
    assert not plant.run(program(lambda hand: hand.move(goal, speed=0.1, patience=3.0)))
    assert goal[2] - plant.commands[-1].position[2] <= 0.021


def test_stops_where_it_is_told_to():
    plant = Plant(floor=0.06)
    goal = plant.position - [0.0, 0.0, 0.08]

    def steps(hand):
        hand.tare()
        return (yield from hand.move(goal, speed=0.05, until=lambda: hand.force[2] > 3.0))

    assert not plant.run(program(steps))
    assert plant.commands[-1].position[2] > 0.05


def test_a_hand_that_starts_out_holding_keeps_squeezing():
    plant = Plant(object_width=0.012)
    plant.width, plant.effort = 0.012, 20.0
    plant.run(program(lambda hand: hand.dwell(0.2)))
    assert {command.gripper_width for command in plant.commands} == {0.004}
    assert plant.effort == 20.0


def test_an_empty_hand_keeps_its_width():
    plant = Plant()
    plant.run(program(lambda hand: hand.dwell(0.2)))
    assert plant.width == pytest.approx(0.05)


def test_gripping_ends_when_the_fingers_stand_still():
    plant = Plant(object_width=0.012)
    plant.run(program(lambda hand: hand.grip(0.004, 20.0, seconds=5.0)))
    assert plant.width == pytest.approx(0.012)
    assert plant.stamp < 1.0


def test_dwelling_takes_its_time():
    plant = Plant()
    plant.run(program(lambda hand: hand.dwell(1.0)))
    assert plant.stamp == pytest.approx(1.0, abs=0.07)


def test_pictures_are_newer_than_the_question():
    plant = Plant(cameras=('side', 'front'))

    def steps(hand):
        yield from hand.dwell(0.35)
        asked = hand.now
        told = []

        def look(frames):
            told.append(hand.now)
            return frames

        sets = yield from hand.pictures(('side', 'front'), look, count=3)
        assert len(set(told)) == 3, 'each is looked at when it comes'
        return asked, sets

    asked, sets = plant.run(program(steps))
    stamps = [frames[name].stamp for frames in sets for name in ('side', 'front')]
    assert len(sets) == 3
    assert min(stamps) >= asked
    assert len(set(stamps)) == 3


@pytest.mark.parametrize(
    ('mode', 'code'),
    [
        ('missing', ErrorCode.RESET_CAMERA_MISSING),
        ('stopped', ErrorCode.RESET_CAMERA_STALE),
        ('frozen', ErrorCode.RESET_CAMERA_STALE),
    ],
)
def test_a_broken_camera_is_named_before_long(mode, code):
    plant = Plant(cameras=('side', 'front'))

    def steps(hand):
        if mode == 'missing':
            plant.cameras['front'] = mode
        yield from hand.pictures(('side', 'front'), dict, count=1)
        plant.cameras['front'] = mode
        yield from hand.pictures(('side', 'front'), dict, count=4, wait=1.0)

    if mode == 'missing':
        plant.cameras['front'] = mode
    with pytest.raises(StationError, match="'front'") as caught:
        plant.run(program(steps))
    assert caught.value.code is code
    assert plant.stamp < 3.0


@pytest.mark.timeout(20)
def test_a_camera_whose_clock_lags_is_not_waited_for_for_ever():
    plant = Plant(cameras=('side',))
    expose = plant._expose

    def late(name, mode):
        expose(name, mode)
        taken = plant.frames[name]
        plant.frames[name] = Frame(taken.stamp - 100.0, taken.image)

    plant._expose = late
    with pytest.raises(StationError, match='set its clock') as caught:
        plant.run(program(lambda hand: hand.pictures(('side',), dict, wait=1.0)))
    assert caught.value.code is ErrorCode.RESET_CAMERA_STALE
    assert plant.stamp < 3.0


def test_a_station_without_the_arm_is_a_clear_error():
    hand = Hand('third', squeeze=(0.004, 20.0))
    steps = hand.begin()
    next(steps)
    with pytest.raises(StationError, match='third'):
        steps.send(Plant().observe())
