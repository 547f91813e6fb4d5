"""The key of the model is in the environment of the supervisor alone, of all of a station."""

from __future__ import annotations

from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.bringup.nodes import station_nodes, station_processes
from enpire_nodes.bringup.station import without_key


def test_only_the_supervisor_is_given_the_key(tmp_path):
    configuration = load_configuration(
        run=tmp_path, parameters={'agent_supervisor': {'model_key_variable': 'LAB_KEY'}}
    )
    environment = {'LAB_KEY': 'secret', 'PATH': '/bin'}
    for spec in station_processes(station_nodes(configuration)):
        given = without_key(environment, configuration, spec)
        named = {node.name for node in spec.nodes}
        assert ('LAB_KEY' in given) is ('agent_supervisor' in named)
        assert given['PATH'] == '/bin'


def test_without_a_key_nothing_is_taken_away(tmp_path):
    configuration = load_configuration(run=tmp_path)
    spec = station_processes(station_nodes(configuration))[0]
    assert without_key({'A': 'b'}, configuration, spec) == {'A': 'b'}
