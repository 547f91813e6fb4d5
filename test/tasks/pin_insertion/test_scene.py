"""The scene in physics."""

import numpy as np
import pytest

from enpire_nodes.tasks.pin_insertion.scene import PLACEMENTS


@pytest.mark.parametrize('placement', PLACEMENTS)
def test_every_placement_stays_as_it_was_put(bench, placement):
    made = bench(placement=placement, render=False, seed=3)
    before = made.truth
    made.wait(1.0)
    after = made.truth
    if placement != 'missing':
        assert np.linalg.norm(after['pin_position'] - before['pin_position']) < 0.005
    assert after['success'] == (placement == 'hole')
    assert after['pin_upright'] == (placement in ('cradle', 'hole', 'standing', 'missing'))


def test_a_pin_in_the_hole_is_as_deep_as_the_hole(bench):
    made = bench(placement='hole', render=False)
    made.wait(0.5)
    assert made.truth['depth'] == pytest.approx(0.040, abs=0.001)


def test_the_block_stands_elsewhere_for_another_seed(bench):
    places = [bench(render=False, seed=seed).truth['hole_position'] for seed in (1, 2)]
    assert np.linalg.norm(places[0] - places[1]) > 1e-4
    settings = bench(render=False).task.settings.block
    for place in places:
        assert np.abs(place[:2] - settings.centre).max() <= settings.spread


def test_a_rolling_pin_comes_to_rest_in_the_tray(bench):
    made = bench(placement='lying', render=False, seed=5)
    speed = made.station.model.joint('pin').dofadr[0]
    made.station.data.qvel[speed : speed + 3] = [0.0, 0.25, 0.0]
    made.wait(3.0)
    tray, pin = made.task.settings.tray, made.truth['pin_position']
    assert np.abs(made.station.data.qvel[speed : speed + 3]).max() < 0.005
    assert (np.abs(pin[:2] - tray.centre) < np.array(tray.size) / 2.0).all()


def test_a_tilted_pin_slides_through_the_funnel_and_stands(bench):
    made = bench(placement='missing', render=False)
    data, model = made.station.data, made.station.model
    start = model.joint('pin').qposadr[0]
    settings = made.task.settings
    x, y = settings.cradle.centre
    height = settings.tray.height + settings.cradle.floor + 0.020 + settings.pin.length / 2.0
    tilt = np.deg2rad(12.0) / 2.0
    data.qpos[start : start + 7] = [x + 0.004, y, height, np.cos(tilt), np.sin(tilt), 0.0, 0.0]
    data.qvel[:] = 0.0
    made.wait(1.5)
    assert made.truth['pin_axis'][2] > np.cos(np.deg2rad(9.0))
    assert made.truth['pin_tip'][:2] == pytest.approx([x, y], abs=0.004)


def test_an_unknown_placement_lists_the_known_ones(bench):
    with pytest.raises(ValueError, match='out_of_reach'):
        bench(placement='on the moon', render=False)
