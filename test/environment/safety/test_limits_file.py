"""The limits file is believed only if every entry is what it must be."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path

import pytest
import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.safety.limits_file import read_limits, UNITS

SHIPPED = Path(__file__).parents[3] / 'config' / 'safety' / 'yam.yaml'


@pytest.fixture
def data() -> dict:
    return yaml.safe_load(SHIPPED.read_text())


def refuse(tmp_path, content: str) -> str:
    path = tmp_path / 'limits.yaml'
    path.write_text(content)
    with pytest.raises(StationError) as caught:
        read_limits(path)
    assert caught.value.code is ErrorCode.GATE_LIMITS_INVALID
    assert str(path) in caught.value.message
    return caught.value.message


def test_the_shipped_file_is_valid_and_its_digest_is_that_of_its_bytes():
    limits = read_limits(SHIPPED)
    assert limits.digest == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert set(limits.arms) == {'left', 'right'}
    assert limits.frame == 'world'
    assert limits.motion.speed == 0.35


def test_values_land_where_they_belong(tmp_path, data):
    data['arms']['left']['minimum']['value'] = [-1, -2, -3]
    data['wrench']['hard_force']['value'] = 99
    path = tmp_path / 'limits.yaml'
    path.write_text(yaml.safe_dump(data))
    limits = read_limits(path)
    assert limits.arms['left'].minimum.tolist() == [-1.0, -2.0, -3.0]
    assert limits.wrench.hard_force == 99.0


@pytest.mark.parametrize(
    ('section', 'name'), [(section, name) for section in UNITS for name in UNITS[section]]
)
@pytest.mark.parametrize(
    'wrong',
    [True, None, '0.5', [0.5], float('nan'), float('inf'), -0.1],
)
def test_every_limit_refuses_what_is_no_finite_positive_number(
    tmp_path, data, section, name, wrong
):
    data[section][name]['value'] = wrong
    assert f'{section}.{name}' in refuse(tmp_path, yaml.safe_dump(data))


@pytest.mark.parametrize(
    ('section', 'name'), [(section, name) for section in UNITS for name in UNITS[section]]
)
def test_every_limit_refuses_another_unit_and_a_missing_reason(tmp_path, data, section, name):
    wrong = copy.deepcopy(data)
    wrong[section][name]['unit'] = 'mm'
    message = refuse(tmp_path, yaml.safe_dump(wrong))
    assert f'{section}.{name}' in message
    assert repr(UNITS[section][name]) in message
    data[section][name]['why'] = ' '
    assert 'why' in refuse(tmp_path, yaml.safe_dump(data))


@pytest.mark.parametrize(
    ('section', 'low', 'high'),
    [
        ('motion', 'step', 'refused_jump'),
        ('motion', 'lead', 'refused_jump'),
        ('motion', 'speed', 'measured_speed'),
        ('wrench', 'soft_force', 'hard_force'),
        ('wrench', 'soft_torque', 'hard_torque'),
        ('gripper', 'minimum_width', 'maximum_width'),
        ('gripper', 'hold_effort', 'maximum_effort'),
    ],
)
def test_contradicting_limits_are_refused(tmp_path, data, section, low, high):
    data[section][low]['value'] = 2.0 * data[section][high]['value']
    message = refuse(tmp_path, yaml.safe_dump(data))
    assert f'{section}.{low}' in message
    assert f'{section}.{high}' in message


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda data: data.update(spede=1), 'spede'),
        (lambda data: data['motion'].update(speeed=data['motion']['speed']), 'speeed'),
        (lambda data: data['motion'].pop('speed'), 'missing'),
        (lambda data: data['motion']['speed'].update(max=1), 'max'),
        (lambda data: data['motion'].update(speed=0.3), 'motion.speed must be a mapping'),
        (lambda data: data.update(motion=[]), 'motion must be a mapping'),
        (lambda data: data.update(schema='enpire/safety-limits/0'), 'schema'),
        (lambda data: data.update(frame=''), 'frame'),
        (lambda data: data.update(frame=3), 'frame'),
        (lambda data: data.update(arms={}), 'arm'),
        (lambda data: data.update(arms=[1]), 'arm'),
        (lambda data: data['arms']['left'].pop('tilt'), 'arms.left'),
        (lambda data: data['arms']['left']['tilt'].update(value=4.0), 'pi'),
        (lambda data: data['arms']['left']['minimum'].update(value=[0, 0]), '[x, y, z]'),
        (lambda data: data['arms']['left']['minimum'].update(value=[0, 0, '0']), 'number'),
        (lambda data: data['arms']['left']['minimum'].update(value=[9, 9, 9]), 'below'),
        (lambda data: data['arms']['left']['minimum'].update(unit='mm'), "'m'"),
    ],
)
def test_a_malformed_file_is_refused_by_name(tmp_path, data, change, expected):
    change(data)
    assert expected in refuse(tmp_path, yaml.safe_dump(data))


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ('', 'mapping'),
        ('[1, 2]', 'mapping'),
        ('{', 'YAML'),
        ('frame: world\nframe: base\n', 'twice'),
        ('a: !!python/object/apply:os.getcwd []', 'YAML'),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path, content, expected):
    assert expected in refuse(tmp_path, content)


def test_a_limit_given_twice_is_refused(tmp_path):
    content = SHIPPED.read_text().replace('  lead:\n', '  speed:\n    value: 9.0\n  lead:\n', 1)
    assert "'speed' is given twice" in refuse(tmp_path, content)


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(StationError, match='limits_file') as caught:
        read_limits(tmp_path / 'none.yaml')
    assert caught.value.code is ErrorCode.GATE_LIMITS_INVALID


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / 'limits.yaml'
    path.write_bytes(b'\xff\xfe\x00\x81')
    with pytest.raises(StationError) as caught:
        read_limits(path)
    assert caught.value.code is ErrorCode.GATE_LIMITS_INVALID
