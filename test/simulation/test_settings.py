"""A station's configuration is checked before anything is built from it."""

from __future__ import annotations

import numpy as np
import pytest

from enpire_nodes.simulation.settings import BenchSettings, BodyCamera, load_station, SettingsError


def test_shipped_station_is_valid(settings):
    assert list(settings.cameras) == ['side', 'front']
    assert settings.physics_rate % 300 == 0
    assert settings.control_steps * 30 == settings.physics_rate


def test_the_two_views_are_orthogonal_and_about_20_degrees_high(settings):
    views = [camera.rotation[:, 2] for camera in settings.cameras.values()]
    level = [view[:2] / np.linalg.norm(view[:2]) for view in views]
    assert abs(np.dot(*level)) < np.cos(np.deg2rad(75.0))
    for view in views:
        assert 14.0 < np.rad2deg(np.arcsin(-view[2])) < 26.0


def test_optional_cameras_exist_on_request(station_mapping):
    settings = BenchSettings.from_mapping(station_mapping, extra_cameras=('gantry',))
    assert settings.cameras['gantry'] == BodyCamera(
        'top_camera', pytest.approx(np.deg2rad(58.0)), 320, 240
    )


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('table'), 'table'),
        (lambda s: s['physics'].pop('rate_hz'), 'rate_hz'),
        (lambda s: s['physics'].update(rate_hz=500), 'multiple of 300'),
        (lambda s: s['arms'].pop('left'), "'left' and 'right'"),
        (lambda s: s['arms']['left'].update(home=[0.0] * 5), 'six home angles'),
        (lambda s: s['noise'].update(force_sdd=1.0), 'force_sdd'),
    ],
)
def test_bad_settings_are_refused_by_name(station_mapping, change, message):
    change(station_mapping)
    with pytest.raises(SettingsError, match=message):
        BenchSettings.from_mapping(station_mapping)


def test_unknown_optional_camera_lists_the_known_ones(station_mapping):
    with pytest.raises(SettingsError, match='gantry'):
        BenchSettings.from_mapping(station_mapping, extra_cameras=('ceiling',))


def test_unreadable_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match='nowhere'):
        load_station(tmp_path / 'nowhere.yaml')
    (tmp_path / 'list.yaml').write_text('[1, 2]')
    with pytest.raises(SettingsError, match='not a mapping'):
        load_station(tmp_path / 'list.yaml')
