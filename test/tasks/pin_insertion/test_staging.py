"""Scenes as they are drawn, before any physics."""

from dataclasses import replace

import numpy as np
from pin_bench import STATION
import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.geometry import matrix_from_quaternion
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings, TraySettings
from enpire_nodes.tasks.pin_insertion.staging import KINDS, PinStager

SETTINGS = PinInsertionSettings()
CAMERAS = cameras_from_settings(load_station(STATION)['cameras'])
STAGER = PinStager(SETTINGS)


def drawn(kind, count=60):
    return [STAGER.stage(kind, CAMERAS, np.random.default_rng(seed)) for seed in range(count)]


def hole(staging):
    return staging.placed['block'].position + [0.0, 0.0, SETTINGS.block.height]


def axis(staging):
    return matrix_from_quaternion(staging.free['pin'].quaternion)[:, 2]


def tip(staging):
    """Return the lower end of the pin from the middle of the hole's edge."""
    half = SETTINGS.pin.length / 2.0
    return staging.free['pin'].position - half * axis(staging) - hole(staging)


def depths(kind):
    return [-float(tip(staging)[2]) for staging in drawn(kind)]


@pytest.mark.timeout(20)
@pytest.mark.parametrize('kind', ['beside', 'behind'])
def test_a_tray_without_room_beside_the_block_is_refused(kind):
    centre, height = SETTINGS.block.centre, SETTINGS.tray.height
    small = PinStager(
        replace(SETTINGS, tray=TraySettings(centre=centre, size=(0.06, 0.06), height=height))
    )
    with pytest.raises(ValueError, match=r'tray\.size'):
        small.stage(kind, CAMERAS, np.random.default_rng(0))


@pytest.mark.parametrize('kind', KINDS)
def test_equal_draws_make_equal_scenes_and_others_others(kind):
    first, again = (STAGER.stage(kind, CAMERAS, np.random.default_rng(3)) for _ in range(2))
    other = STAGER.stage(kind, CAMERAS, np.random.default_rng(4))
    for name, pose in first.placed.items():
        np.testing.assert_array_equal(pose.position, again.placed[name].position)
    np.testing.assert_array_equal(first.free['pin'].position, again.free['pin'].position)
    assert not np.array_equal(hole(first), hole(other))


@pytest.mark.parametrize('kind', KINDS)
def test_the_block_stands_where_a_scene_may_have_it_and_the_reset_saw_it_there(kind):
    for staging in drawn(kind):
        away = hole(staging)[:2] - SETTINGS.block.centre
        assert np.abs(away).max() <= SETTINGS.block.spread
        assert np.linalg.norm(staging.fixture.position - hole(staging)) < 0.006


def test_an_unknown_kind_is_an_error():
    with pytest.raises(KeyError, match='upside_down'):
        STAGER.stage('upside_down', CAMERAS, np.random.default_rng(0))


def test_success_goes_from_just_deep_enough_to_the_bottom():
    found = depths('inserted')
    assert min(found) >= SETTINGS.verify.depth
    assert min(found) < 0.028
    assert max(found) > 0.037
    assert max(found) <= SETTINGS.block.hole_depth


def test_a_pin_in_the_hand_lies_between_the_fingers():
    for kind in ('inserted', 'held', 'behind'):
        for staging in drawn(kind):
            if staging.gripped:
                from_hand = staging.free['pin'].position - staging.hand.position
                aside = from_hand - (from_hand @ axis(staging)) * axis(staging)
                assert np.linalg.norm(aside) < 1e-9
                assert staging.width == pytest.approx(2.0 * SETTINGS.pin.radius)


def test_the_plug_carries_a_pin_that_stands_too_high():
    for kind in ('half_inserted', 'tilted'):
        for staging in drawn(kind):
            top = staging.placed['plug'].position[2] + 0.020 - hole(staging)[2]
            assert -0.017 < top <= 0.0
            assert tip(staging)[2] > top - 0.0005


def test_the_arm_takes_a_pin_on_the_plug_to_be_deep_enough_to_let_go():
    """Otherwise the winding up lifts it, and no walls are felt at a pin that stands too high."""
    held = [staging for staging in drawn('half_inserted') if staging.gripped]
    assert len(held) > 10
    for staging in held:
        believed = hole(staging)[2] - staging.hand.position[2] + SETTINGS.grasp.height
        assert believed > SETTINGS.settle.deep + 0.004


@pytest.mark.parametrize('kind', ['beside', 'behind'])
def test_a_pin_beside_the_block_is_on_the_tray_and_clear_of_the_block(kind):
    tray = SETTINGS.tray
    for staging in drawn(kind):
        foot = tip(staging)
        assert np.hypot(*foot[:2]) > SETTINGS.block.radius + SETTINGS.pin.radius
        room = np.asarray(tray.size) / 2.0
        assert (np.abs((foot + hole(staging))[:2] - tray.centre) < room).all()


def test_behind_is_in_line_with_a_camera_and_the_hole():
    for staging in drawn('behind'):
        misses = []
        for camera in CAMERAS.values():
            line = (hole(staging) - camera.position)[:2]
            line = line / np.linalg.norm(line)
            foot = tip(staging)[:2]
            misses.append(abs(float(line[0] * foot[1] - line[1] * foot[0])))
        assert min(misses) < 0.005


def test_something_stands_between_a_camera_and_what_it_should_see():
    for staging in drawn('occluded'):
        thing = staging.placed.get('card') or staging.other_hand
        gaps = []
        for camera in CAMERAS.values():
            pixels = camera.project(np.stack([thing.position, hole(staging)]))
            nearer = np.linalg.norm(thing.position - camera.position) < 0.9 * np.linalg.norm(
                hole(staging) - camera.position
            )
            gaps.append(np.linalg.norm(pixels[0] - pixels[1]) if nearer else np.inf)
        assert min(gaps) < 60.0
    assert len({staging.colours.get('card') for staging in drawn('occluded')}) >= 4


def truth(**changes):
    return {
        'success': False,
        'depth': 0.0,
        'pin_tip': np.array([0.27, -0.305, -0.053]),
        'pin_axis': np.array([0.0, 0.0, 1.0]),
        'hole_position': np.array([0.27, -0.305, -0.053]),
    } | changes


def test_a_scene_that_came_out_otherwise_is_told():
    standing = truth(pin_tip=np.array([0.285, -0.305, -0.053]))
    fallen = truth(pin_axis=np.array([1.0, 0.0, 0.0]))
    deep = truth(success=True, depth=0.03, pin_tip=np.array([0.27, -0.305, -0.083]))
    half = truth(depth=0.01, pin_tip=np.array([0.27, -0.305, -0.063]))
    assert STAGER.shows('inserted', deep)
    assert not STAGER.shows('inserted', half)
    assert STAGER.shows('on_rim', standing)
    assert not STAGER.shows('on_rim', fallen)
    assert not STAGER.shows('on_rim', half)
    assert STAGER.shows('lying', fallen)
    assert not STAGER.shows('lying', standing)
    assert STAGER.shows('half_inserted', half)
    assert not STAGER.shows('half_inserted', deep)
    assert not STAGER.shows('wrong_hole_force', deep)
    assert not STAGER.shows('missing', half)
    leaning = half | {'pin_axis': np.array([0.4, 0.0, 0.9165])}
    assert STAGER.shows('tilted', leaning)
    assert not STAGER.shows('tilted', half)
    assert not STAGER.shows('behind', half)
    assert not STAGER.shows('beside', standing)
    assert STAGER.shows('held', truth(pin_tip=np.array([0.27, -0.305, -0.03])))
    assert not STAGER.shows('held', truth(pin_tip=np.array([0.27, -0.305, -0.09])))
