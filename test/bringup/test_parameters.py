"""Parameter files resolved for one station."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from enpire_nodes.bringup.parameters import matches, parameters_text, read_parameters
from enpire_nodes.bringup.strict import ConfigurationError

Write = Callable[..., Path]
NODES = ('driver', 'policy_executor')


def resolve(*files: Path, namespace: str = '/station_3') -> dict[str, dict]:
    return read_parameters(files, namespace, NODES, NODES)[0]


@pytest.mark.parametrize(
    ('key', 'fits'),
    [
        ('/**', True),
        ('/**/driver', True),
        ('/*/driver', True),
        ('/station_3/driver', True),
        ('station_3/driver', True),
        ('/station_*/driver', True),
        ('/**/station_3/**', True),
        ('/station_4/driver', False),
        ('/*', False),
        ('driver', False),
        ('/*/*/driver', False),
        ('/**/policy_executor', False),
    ],
)
def test_sections_match_as_in_rcl(key: str, fits: bool) -> None:
    assert matches(key, '/station_3/driver') is fits


@pytest.mark.parametrize('number', range(1, 9))
def test_one_file_serves_eight_stations(write: Write, number: int) -> None:
    file = write('/**/driver: {ros__parameters: {jpeg_quality: 70}}')
    assert resolve(file, namespace=f'/station_{number}')['driver'] == {'jpeg_quality': 70}


def test_the_more_exact_section_wins_wherever_it_stands(write: Write) -> None:
    file = write(
        '/station_3/driver: {ros__parameters: {a: exact}}\n'
        '/**/driver: {ros__parameters: {a: name, b: name}}\n'
        '/**: {ros__parameters: {a: any, b: any, c: any}}\n'
    )
    assert resolve(file)['driver'] == {'a': 'exact', 'b': 'name', 'c': 'any'}
    assert resolve(file)['policy_executor'] == {'a': 'any', 'b': 'any', 'c': 'any'}


def test_a_later_file_wins(write: Write) -> None:
    first = write('/station_3/driver: {ros__parameters: {a: 1}}', 'first.yaml')
    second = write('/**: {ros__parameters: {a: 2}}', 'second.yaml')
    assert resolve(first, second)['driver'] == {'a': 2}


def test_only_what_names_the_node_must_exist_there(write: Write) -> None:
    file = write('/**: {ros__parameters: {a: 1}}\n/**/driver: {ros__parameters: {b: {c: 2}}}')
    values, meant = read_parameters([file], '/station_3', NODES, NODES)
    assert values['driver'] == {'a': 1, 'b.c': 2}
    assert meant == {'driver': {'b.c'}, 'policy_executor': set()}


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('driver: {ros__parameters: {a: 1}}', r'means no node below /station_3; write /\*\*/driv'),
        ('/**/policy_exeuctor: {ros__parameters: {a: 1}}', r'did you mean /\*\*/policy_executor'),
        ('/**/driver: {parameters: {a: 1}}', 'parameters: is unknown'),
        ('/**/driver: {ros__parameters: {a: null}}', 'ros__parameters.a: None is no parameter'),
        ('/**/driver: 3', 'must be a mapping'),
    ],
)
def test_sections_that_would_be_ignored_in_silence_are_refused(
    write: Write, text: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        resolve(write(text))


def test_sections_of_other_nodes_and_stations_are_left_alone(write: Write) -> None:
    file = write(
        '/fleet_monitor: {ros__parameters: {a: 1}}\n/station_4/driver: {ros__parameters: {a: 1}}\n'
    )
    assert resolve(file) == {'driver': {}, 'policy_executor': {}}


@pytest.mark.ros
def test_rcl_reads_the_text_with_types_kept(domain: int, write: Write) -> None:
    import rclpy
    from rclpy.context import Context

    values = {
        'small': 1e-05, 'whole': 3, 'flag': True, 'word': 'yes', 'digits': '012', 'empty': '',
        'a.b': [1.5, 2.0], 'names': ['x', 'y'], 'odd': 'a: "b" # c',
    }  # fmt: skip
    file = write(parameters_text({'/station_3/driver': values}, 'a test'))
    assert yaml.safe_load(file.read_text())['/station_3/driver']['ros__parameters'] == values
    context = Context()
    rclpy.init(context=context, args=['--ros-args', '--params-file', str(file)])
    try:
        node = rclpy.create_node('driver', namespace='/station_3', context=context)
        for name, value in values.items():
            got = node.declare_parameter(name, value).value
            assert (list(got) if isinstance(value, list) else got) == value, name
        node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
