"""Rendered pictures of every placement, measured against the truth."""

import dataclasses

import numpy as np
import pytest

from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.tasks.pin_insertion.classify import classify, PinState
from enpire_nodes.tasks.pin_insertion.vision import Eyes

EXPECTED = {
    'cradle': PinState.IN_CRADLE,
    'hole': PinState.IN_HOLE,
    'standing': PinState.STANDING,
    'lying': PinState.LYING,
    'rim': PinState.LYING,
    'out_of_reach': PinState.OUTSIDE,
    'missing': PinState.MISSING,
}

#: pictures as bad as they get: noise, cameras nudged by 2 mm and 0.5 degrees, uneven light
ROUGH = NoiseSettings(
    pixel_sd=4.0,
    camera_position_sd=0.002 / np.sqrt(3.0),
    camera_angle_sd=float(np.deg2rad(0.5)) / np.sqrt(3.0),
    light_variation=0.4,
)


def looked_at(bench, placement, seed, noise=ROUGH):
    made = bench(placement=placement, seed=seed, noise=noise)
    made.wait(0.3)
    eyes = Eyes(made.cameras, made.task.settings)
    return made, eyes.look(made.images())


@pytest.mark.parametrize('placement', EXPECTED)
@pytest.mark.parametrize('seed', [1, 2])
def test_sees_what_the_pin_is_doing(bench, placement, seed):
    made, look = looked_at(bench, placement, seed)
    state = classify(look.pin, look.block, made.task.settings)
    assert state is EXPECTED[placement]
    assert look.block.rim == pytest.approx(made.truth['hole_position'], abs=0.003)


@pytest.mark.parametrize('light', [0.6, 1.4])
def test_light_does_not_move_anything(bench, light):
    made = bench(placement='hole', noise=NoiseSettings(pixel_sd=4.0))
    made.station.model.light_diffuse[:] *= light
    made.station.model.vis.headlight.diffuse *= light
    made.station.model.vis.headlight.ambient *= light
    look = Eyes(made.cameras, made.task.settings).look(made.images())
    truth = made.truth
    top = truth['pin_position'] + 0.035 * truth['pin_axis']
    assert look.pin.top == pytest.approx(top, abs=0.003)
    assert look.block.rim == pytest.approx(truth['hole_position'], abs=0.002)


@pytest.mark.parametrize('seed', [1, 2, 3])
def test_measures_a_standing_pin_to_two_millimetres(bench, seed):
    made, look = looked_at(bench, 'standing', seed)
    truth = made.truth
    assert look.pin.top == pytest.approx(
        truth['pin_position'] + 0.035 * truth['pin_axis'], abs=0.0025
    )
    assert look.pin.tilt < np.deg2rad(4.0)


def test_the_cradle_takes_a_nudge_out(bench):
    nudged = dataclasses.replace(ROUGH, camera_angle_sd=0.006)
    made, look = looked_at(bench, 'cradle', 5, nudged)
    with_cradle = np.linalg.norm(look.block.rim - made.truth['hole_position'])
    eyes = Eyes(made.cameras, made.task.settings)
    eyes._shift = lambda name, cradle: np.zeros(2)
    without = eyes.look(made.images()).block
    assert with_cradle < 0.003
    assert without is None or np.linalg.norm(without.rim - made.truth['hole_position']) > 0.003


def test_one_camera_does_not_find_the_block(bench):
    made = bench(placement='cradle')
    look = Eyes(made.cameras, made.task.settings).look({'side': made.images()['side']})
    assert look.block is None


def test_black_pictures_show_nothing(bench):
    made = bench(placement='cradle')
    black = {name: np.zeros((240, 320, 3), np.uint8) for name in made.cameras}
    look = Eyes(made.cameras, made.task.settings).look(black)
    assert look.pin is None
    assert look.block is None
