"""A station for a while: its domain, and what is told when it does not come up."""

import io
import os

import pytest
from rich.console import Console

from enpire_nodes.bringup.configuration import load_configuration
from enpire_nodes.bringup.station import StationNotReadyError, StationProcesses, StationTakenError
from enpire_nodes.cli.session import own_domain, work


def test_the_domain_is_given_back(monkeypatch):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    with own_domain() as domain:
        assert os.environ['ROS_DOMAIN_ID'] == str(domain)
        assert os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
        with own_domain() as inner:
            assert inner == domain
    assert 'ROS_DOMAIN_ID' not in os.environ
    with own_domain(42) as domain:
        assert (domain, os.environ['ROS_DOMAIN_ID']) == (42, '42')


@pytest.mark.ros
@pytest.mark.parametrize(
    'error',
    [StationTakenError('it is up already'), StationNotReadyError('no driver'), OSError('disk')],
)
def test_a_station_that_does_not_come_up_is_a_problem(monkeypatch, tmp_path, error):
    def refuse(self):
        raise error

    monkeypatch.setattr(StationProcesses, 'start', refuse)
    console = Console(file=io.StringIO())
    tale = work(console, load_configuration(run=tmp_path), [])
    assert tale.problems == [str(error)]


@pytest.mark.ros
def test_an_interrupt_is_told(monkeypatch, tmp_path):
    def interrupt(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(StationProcesses, 'start', interrupt)
    tale = work(Console(file=io.StringIO()), load_configuration(run=tmp_path), [])
    assert tale.problems == ['interrupted; what was recorded stays']
