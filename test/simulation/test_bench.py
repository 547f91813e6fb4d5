"""What the bench is made of."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from enpire_nodes.simulation.bench import build_bench
from enpire_nodes.simulation.imperfection import disturb_cameras, disturb_lights, set_grip
from enpire_nodes.simulation.noise import NoiseSettings, stream
from enpire_nodes.simulation.settings import BenchSettings


@pytest.fixture
def model(settings):
    return build_bench(settings).compile()


def test_only_table_palms_and_fingers_collide(model):
    colliding = {model.geom(i).name for i in range(model.ngeom) if model.geom_contype[i]}
    assert 'table' in colliding
    assert 'right_palm' in colliding
    assert 'left_left_pad' in colliding
    assert all(
        name == 'table'
        or name.split('_', 1)[1] in ('palm', 'left_pad', 'right_pad')
        or name.endswith('finger')
        for name in colliding
    )


def test_meshes_are_light(model):
    assert 3_000 < model.nmeshface < 12_000


def test_topic_pictures_have_no_shadows_and_no_multisampling(model):
    assert model.vis.quality.shadowsize == 0
    assert model.vis.quality.offsamples == 0


def test_table_lies_10_cm_below_the_bases(model):
    table = model.geom('table')
    assert table.pos[2] + table.size[2] == pytest.approx(-0.10)


def test_finger_pads_meet_at_the_tool_point(model):
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for side in ('left', 'right'):
        tool = data.site(f'tcp_{side}')
        pads = [data.geom(f'{side}_{finger}_pad') for finger in ('left', 'right')]
        axis = tool.xmat.reshape(3, 3)[:, 1]
        apart = (pads[0].xpos - pads[1].xpos) @ axis
        assert abs(apart) == pytest.approx(0.006, abs=1e-4), 'closed pads touch'
        middle = (pads[0].xpos + pads[1].xpos) / 2.0
        reach = (tool.xpos - middle) @ tool.xmat.reshape(3, 3)[:, 2]
        assert 0.010 < reach < 0.016, 'the tool point lies just inside the fingertips'


def test_simulated_cameras_are_where_the_configuration_says(model, settings):
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for name, camera in settings.cameras.items():
        simulated = data.cam(name)
        np.testing.assert_allclose(simulated.xpos, camera.position, atol=1e-9)
        looking = -simulated.xmat.reshape(3, 3)[:, 2]
        np.testing.assert_allclose(looking, camera.rotation[:, 2], atol=1e-9)


def test_optional_cameras_hang_on_the_robot(station_mapping):
    extra = ('gantry', 'left_wrist', 'right_wrist')
    settings = BenchSettings.from_mapping(station_mapping, extra_cameras=extra)
    model = build_bench(settings).compile()
    assert {model.camera(index).name for index in range(model.ncam)} == {'side', 'front', *extra}


def test_cameras_are_displaced_by_about_the_stated_amount_and_repeatably(settings):
    noise = NoiseSettings(camera_position_sd=0.002, camera_angle_sd=0.01, light_variation=0.3)
    spec, shifts = build_bench(settings), []
    for seed in range(60):
        model, plain = spec.compile(), spec.compile()
        disturb_cameras(model, noise, stream(seed, 'camera'))
        shifts.append((model.cam_pos - plain.cam_pos).copy())
        np.testing.assert_allclose(np.linalg.norm(model.cam_quat, axis=1), 1.0, atol=1e-9)
        assert not np.allclose(model.cam_quat, plain.cam_quat, atol=1e-4)
    assert np.std(shifts) == pytest.approx(0.002, rel=0.15)
    again = spec.compile()
    disturb_cameras(again, noise, stream(59, 'camera'))
    np.testing.assert_array_equal(again.cam_pos - plain.cam_pos, shifts[-1])


def test_light_varies_within_the_stated_share(model):
    before = model.light_diffuse.copy()
    disturb_lights(model, NoiseSettings(light_variation=0.3), stream(1, 'light'))
    ratio = model.light_diffuse / before
    assert not np.allclose(ratio, 1.0)
    assert ratio.min() > 0.69
    assert ratio.max() < 1.31


def test_slippery_pads(model):
    set_grip(model, 0.1)
    assert model.geom('right_left_pad').friction[0] == pytest.approx(0.12)
    assert model.geom('table').friction[0] == pytest.approx(1.0)
    with pytest.raises(ValueError, match='share of friction'):
        set_grip(model, 1.5)
