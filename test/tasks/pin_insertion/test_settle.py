"""Winding up, on a hand without physics."""

from hand_plant import Plant
import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.tasks.api import Pose
from enpire_nodes.tasks.loading import build_settings
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.settle import Settle

FIXTURE = Pose(np.array([0.27, -0.305, -0.053]), np.array([0.0, 0.0, 0.0, 1.0]))
SETTINGS = PinInsertionSettings()


class Hole(Plant):
    """A plant that holds a pin at a depth, and feels walls when that is in the hole."""

    def __init__(self, depth, *, walls=True, holding=True):
        super().__init__(object_width=0.0113 if holding else None)
        height = FIXTURE.position[2] + SETTINGS.grasp.height - depth
        self.position = np.array([0.27, -0.305, height])
        self.quaternion = np.array([-0.7071, 0.7071, 0.0, 0.0])
        self.walls, self.depth = walls, depth
        if holding:
            self.width, self.effort = 0.0113, 20.0

    def step(self, command):
        observation = super().step(command)
        if self.walls and self.position[2] < 0.0 and self.effort > 0.0:
            aside = self.position - FIXTURE.position
            self.force[:2] = (
                -700.0 * np.sign(aside[:2]) * np.maximum(np.abs(aside[:2]) - 0.002, 0.0)
            )
            observation = self.observe()
        return observation


def settled(plant, settings=SETTINGS):
    return plant.run(Settle(settings, FIXTURE).run())


def test_lets_go_of_a_pin_that_is_deep_and_feels_walls():
    plant = Hole(0.030)
    report = settled(plant)
    assert not report.can_retry
    assert plant.width == pytest.approx(SETTINGS.grasp.open_width, abs=0.001)
    assert plant.position[2] - (FIXTURE.position[2] + 0.020) > 0.06
    assert 'let go' in report.message


def test_keeps_a_pin_that_is_deep_by_the_arm_alone():
    """The arm's calibration may be off by a centimetre: without walls it is not in the hole."""
    plant = Hole(0.030, walls=False)
    report = settled(plant)
    assert report.can_retry
    assert plant.effort == 20.0


def test_lifts_a_pin_that_is_not_deep():
    plant = Hole(0.003)
    report = settled(plant)
    assert report.can_retry
    start = FIXTURE.position[2] + SETTINGS.grasp.height + SETTINGS.reset.hover
    assert plant.position[2] == pytest.approx(start, abs=0.003)


def test_a_hand_that_lost_the_pin_opens_and_leaves():
    plant = Hole(0.003, holding=False)
    plant.width = 0.002
    report = settled(plant)
    assert not report.can_retry
    assert plant.width > 0.04
    assert 'without' in report.message


def test_its_stamps_enclose_the_wiggle_to_all_sides():
    plant = Hole(0.030)
    report = settled(plant)
    assert 0.0 < report.settle_start + 1e-6 < report.settled <= plant.stamp + 1e-6
    asked = np.array([command.position for command in plant.commands]) - FIXTURE.position
    for axis in (0, 1):
        assert asked[:, axis].max() > 0.9 * SETTINGS.settle.wiggle
        assert asked[:, axis].min() < -0.9 * SETTINGS.settle.wiggle


def test_taking_too_long_is_an_error():
    slow = build_settings(PinInsertionSettings, {'settle': {'deadline': 1.0, 'wiggle_time': 1.0}})
    with pytest.raises(StationError, match='longer than 1 s') as caught:
        settled(Hole(0.030), slow)
    assert caught.value.code is ErrorCode.POLICY_SETTLE_FAILED
