"""What one picture and the felt forces say, from made-up measurements."""

import numpy as np
from pin_states import states
import pytest

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.pin_insertion.evidence import feel, sight
from enpire_nodes.tasks.pin_insertion.segmentation import Stick
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

SETTINGS = PinInsertionSettings()
RIM = np.array([0.27, -0.305, -0.053])
CAMERA = Camera.looking_at(
    'side', position=[0.33, -0.905, 0.165], target=RIM, vertical_fov=0.56, width=320, height=240
)


def seen(depth=0.040, beside=0.0, tilt_deg=0.0, behind=0.0, low=0.0, settings=SETTINGS):
    """Return how a pin looks whose visible part goes from ``low`` above the rim to its top."""
    pin = settings.pin
    right = CAMERA.rotation[:, 0]
    away = np.array([*CAMERA.rotation[:2, 2], 0.0]) / np.linalg.norm(CAMERA.rotation[:2, 2])
    axis = np.cos(np.deg2rad(tilt_deg)) * np.array([0, 0, 1.0])
    axis = axis + np.sin(np.deg2rad(tilt_deg)) * right
    foot = RIM + beside * right + behind * away
    top, bottom = foot + (pin.length - depth) * axis, foot + low * axis
    ring = np.linspace(0.0, 2.0 * np.pi, 64)
    sides = np.stack([np.cos(ring), np.sin(ring)], axis=1) @ np.stack(
        [right, np.cross(axis, right)]
    )
    tips = CAMERA.project(np.concatenate([top + pin.radius * sides, bottom + pin.radius * sides]))
    ends = CAMERA.project(np.stack([top, bottom]))
    along = (ends[0] - ends[1]) / np.linalg.norm(ends[0] - ends[1])
    reach = (tips - ends[1]) @ along
    upper, lower = ends[1] + reach.max() * along, ends[1] + reach.min() * along
    return Stick((upper + lower) / 2.0, along, upper, lower)


def test_a_pin_in_the_hole_is_a_success():
    reading = sight(seen(), CAMERA, RIM, SETTINGS)
    assert reading.verdict is Outcome.SUCCESS
    assert '40.' in reading.reason or '39.' in reading.reason


@pytest.mark.parametrize(
    'stick',
    [
        seen(depth=0.008),
        seen(depth=-0.030, low=-0.030),
        seen(beside=0.020),
        seen(tilt_deg=25.0),
        seen(depth=0.055, behind=0.06),
        None,
    ],
    ids=['shallow', 'above', 'beside', 'tilted', 'behind', 'gone'],
)
def test_anything_else_is_a_failure(stick):
    reading = sight(stick, CAMERA, RIM, SETTINGS)
    assert reading.verdict is Outcome.FAILURE
    assert reading.score < 0.5


def test_near_the_threshold_it_is_not_sure():
    assert sight(seen(depth=0.022), CAMERA, RIM, SETTINGS).verdict is Outcome.UNCERTAIN


def test_one_view_alone_can_be_fooled_from_behind():
    """Why two views must agree: a pin held behind the block looks inserted from the front."""
    behind = seen(depth=0.046, behind=0.045, low=-0.015)
    assert sight(behind, CAMERA, RIM, SETTINGS).verdict is not Outcome.FAILURE


def test_without_the_block_it_does_not_know():
    assert sight(seen(), CAMERA, None, SETTINGS).verdict is Outcome.UNCERTAIN


def test_walls_on_all_sides_are_a_success():
    vote, code = feel(states(5.0), 2.1, SETTINGS)
    assert vote.verdict is Outcome.SUCCESS
    assert code is ErrorCode.NONE
    assert vote.source == 'force'
    assert vote.age == pytest.approx(0.11, abs=0.02)


def test_a_constant_bias_of_the_sensor_does_not_matter():
    assert feel(states(5.0, bias=(3.0, -3.0)), 2.1, SETTINGS)[0].verdict is Outcome.SUCCESS
    assert feel(states(0.1, bias=(3.0, -3.0)), 2.1, SETTINGS)[0].verdict is Outcome.FAILURE


def test_nothing_to_the_sides_is_a_failure():
    assert feel(states(0.1), 2.1, SETTINGS)[0].verdict is Outcome.FAILURE


def test_a_little_is_uncertain():
    assert feel(states(1.05), 2.1, SETTINGS)[0].verdict is Outcome.UNCERTAIN


def test_a_hand_that_still_holds_the_pin_is_a_failure():
    vote, _ = feel(states(5.0, released=False), 2.1, SETTINGS)
    assert vote.verdict is Outcome.FAILURE
    assert 'holds' in vote.reason


def test_a_hand_that_came_back_empty_is_a_failure():
    vote, _ = feel(states(5.0, width=0.002), 2.1, SETTINGS)
    assert vote.verdict is Outcome.FAILURE


def test_no_force_is_said_to_be_missing():
    vote, code = feel(states(5.0)[:10], 2.1, SETTINGS)
    assert vote.verdict is Outcome.UNCERTAIN
    assert code is ErrorCode.REWARD_FORCE_MISSING
    assert feel([], 2.1, SETTINGS)[0].age == float('inf')
