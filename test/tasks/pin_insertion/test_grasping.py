"""Orientations of the hand, and the motions that resets seldom need."""

from hand_plant import Plant
import numpy as np
import pytest

from enpire_nodes.common.geometry import matrix_from_quaternion
from enpire_nodes.tasks.motion import Hand
from enpire_nodes.tasks.pin_insertion.clearance import Clearance
from enpire_nodes.tasks.pin_insertion.grasping import (
    Grasping,
    HAND_DOWN,
    hand_orientation,
    heading_of,
    SQUEEZE,
)
from enpire_nodes.tasks.pin_insertion.pin_pose import PinEstimate
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

SETTINGS = PinInsertionSettings()
FLOOR = SETTINGS.tray.height


def test_the_hand_points_down_and_closes_along_x():
    rotation = matrix_from_quaternion(HAND_DOWN)
    assert rotation[:, 2] == pytest.approx([0.0, 0.0, -1.0])
    assert np.abs(rotation[:, 1]) == pytest.approx([1.0, 0.0, 0.0])


@pytest.mark.parametrize('heading', [-0.7, 0.0, 1.0, 2.3])
def test_pitched_up_it_points_ahead_with_the_camera_above_and_closes_level(heading):
    rotation = matrix_from_quaternion(hand_orientation(heading, np.pi / 2.0))
    assert rotation[:, 2] == pytest.approx([np.cos(heading), np.sin(heading), 0.0], abs=1e-9)
    assert -rotation[:, 0] == pytest.approx([0.0, 0.0, 1.0], abs=1e-9)
    assert rotation[2, 1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize('angle', np.linspace(-3.1, 3.1, 13))
def test_headings_stay_within_what_the_wrist_turns_to(angle):
    heading = heading_of(np.array([np.cos(angle), np.sin(angle)]))
    assert np.deg2rad(-45.0) < heading <= np.deg2rad(135.0)
    assert abs(np.sin(heading - angle)) == pytest.approx(0.0, abs=1e-9)


def run(plant, steps):
    """Have the plant do what ``steps`` makes of a grasping hand."""
    hand = Hand('right', squeeze=(SQUEEZE, SETTINGS.grasp.effort))

    def program():
        yield from hand.begin()
        return (yield from steps(Grasping(hand, SETTINGS)))

    return plant.run(program())


def test_what_is_not_a_pin_is_laid_down_gently_where_nothing_stands():
    plant = Plant(object_width=0.012, floor=FLOOR + 0.02)
    plant.width = 0.012
    run(plant, lambda grasping: grasping.lay_down())
    commands = plant.commands
    lowest = min(commands, key=lambda command: command.position[2])
    assert lowest.position[2] > FLOOR, 'it stops at the touch, 20 mm above the floor of the tray'
    for place, radius in (
        (SETTINGS.block.centre, SETTINGS.block.radius),
        (SETTINGS.cradle.centre, SETTINGS.cradle.mouth_radius),
    ):
        assert np.linalg.norm(lowest.position[:2] - place) > radius + SETTINGS.pin.length / 2.0
    inside = np.abs(lowest.position[:2] - SETTINGS.tray.centre) < np.array(SETTINGS.tray.size) / 2
    assert inside.all()
    held = [command for command in commands if command.gripper_width < 0.012]
    assert not held, 'it keeps the grip that it has, until it lets go'
    assert plant.width == pytest.approx(SETTINGS.grasp.open_width, abs=1e-3)
    assert plant.position[2] == pytest.approx(FLOOR + SETTINGS.reset.travel_height, abs=2e-3)


@pytest.mark.parametrize(
    ('shift', 'stroke'),
    [((0.0, 0.018), 0.036), ((0.0, -0.060), 0.050), ((0.022, 0.0), 0.022)],
    ids=['rolls half as far as the fingers go', 'no farther than 50 mm', 'slides along its axis'],
)
def test_a_pin_in_a_corner_is_shoved_with_closed_fingers(shift, stroke):
    middle = np.array([*SETTINGS.tray.centre, FLOOR + SETTINGS.pin.radius])
    half = np.array([SETTINGS.pin.length / 2.0, 0.0, 0.0])
    pin = PinEstimate(middle + half, middle - half, np.array([1.0, 0.0, 0.0]), 0.0)
    plant = Plant(floor=FLOOR + 2.0 * SETTINGS.pin.radius)
    clearance = Clearance(SETTINGS, None)
    run(plant, lambda grasping: grasping.shove(pin, np.array(shift), clearance))
    pressed = [
        command.position
        for command in plant.commands
        if command.position[2] < FLOOR + 2.0 * SETTINGS.pin.radius - 0.002
    ]
    moved = (pressed[-1] - pressed[0])[:2]
    assert np.linalg.norm(moved) == pytest.approx(stroke, abs=0.004)
    assert moved @ np.array(shift) == pytest.approx(
        np.linalg.norm(moved) * np.linalg.norm(shift), rel=0.05
    )
    assert all(command.gripper_width < 0.005 for command in plant.commands[-30:])
    assert plant.position[2] == pytest.approx(FLOOR + SETTINGS.reset.travel_height, abs=2e-3)
