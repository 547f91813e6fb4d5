"""The windows that the learned eyes of the pin task look through."""

from pin_bench import STATION
import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

TASK = PinInsertion()
CAMERAS = cameras_from_settings(load_station(STATION)['cameras'])


@pytest.mark.parametrize('name', TASK.cameras)
def test_wherever_the_block_may_stand_the_window_shows_the_pin_in_and_above_it(name):
    crop, settings = TASK.crops(CAMERAS)[name], TASK.settings
    left, top, right, bottom = crop.window
    block = settings.block
    rim = settings.tray.height + block.height
    for x in (-block.spread, block.spread):
        for y in (-block.spread, block.spread):
            for above in (-0.02, settings.pin.length - settings.verify.depth):
                point = [block.centre[0] + x, block.centre[1] + y, rim + above]
                u, v = CAMERAS[name].project(point)[0]
                assert left + 5 < u < right - 5
                assert top + 2 < v < bottom - 2


def test_every_camera_of_the_task_has_one_and_no_other():
    others = {**CAMERAS, 'gantry': CAMERAS['side']}
    assert tuple(TASK.crops(others)) == TASK.cameras


def test_the_crop_is_not_much_coarser_than_the_picture():
    for crop in TASK.crops(CAMERAS).values():
        assert crop.size / (crop.window[2] - crop.window[0]) > 0.75
