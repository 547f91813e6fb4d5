"""The arguments of ``station.launch.py``, and the configuration that their text means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enpire_nodes.bringup.configuration import (
    ConfigurationError,
    load_configuration,
    PACES,
    StationConfiguration,
)
from enpire_nodes.bringup.table import COMPOSITIONS

_AS_CONFIGURED = ' Empty: as the configuration says.'
_BOOLEANS = {'true': True, 'false': False}


@dataclass(frozen=True, slots=True)
class Argument:
    """A launch argument; the text ``''`` leaves the configuration as it is."""

    name: str
    description: str
    choices: tuple[str, ...] = ()
    default: str = ''


STATION_ARGUMENTS = (
    Argument(
        'configuration', 'Station file, or the name of one in config/stations.', (), 'station_1'
    ),
    Argument('station', 'Name of the station, and its namespace.' + _AS_CONFIGURED),
    Argument('pace', 'Who drives the time.' + _AS_CONFIGURED, ('', *PACES)),
    Argument('speed', 'Times real time, for pace:=scaled.' + _AS_CONFIGURED),
    Argument('task', 'Installed task that the station works on.' + _AS_CONFIGURED),
    Argument('seed', 'Of everything that is drawn at random.' + _AS_CONFIGURED),
    Argument('manifest', 'Manifest of the frozen environment.' + _AS_CONFIGURED),
    Argument('weights', 'Weights of the learned eyes of the judge.' + _AS_CONFIGURED),
    Argument('run', 'Directory of ledger, trials and logs.' + _AS_CONFIGURED),
    Argument(
        'composition',
        'Which nodes share a process.' + _AS_CONFIGURED,
        ('', *sorted(COMPOSITIONS)),
    ),
    Argument(
        'own_clock',
        'Whether the clock is <namespace>/clock, so that stations with simulated time do not '
        'share /clock.' + _AS_CONFIGURED,
        ('', *_BOOLEANS),
    ),
)


def configuration_from_text(values: Mapping[str, str]) -> StationConfiguration:
    """Return the configuration that launch arguments describe.

    :param values: text by argument; others than :data:`STATION_ARGUMENTS` are ignored.
    :raises ConfigurationError: a value does not fit.
    """
    overrides = {
        argument.name: _value(argument.name, values[argument.name])
        for argument in STATION_ARGUMENTS
        if values.get(argument.name)
    }
    return load_configuration(overrides.pop('configuration', 'station_1'), **overrides)


def _value(name: str, text: str) -> object:
    kinds = {'speed': float, 'seed': int, 'own_clock': lambda word: _BOOLEANS[word.lower()]}
    try:
        return kinds.get(name, str)(text)
    except (ValueError, KeyError) as error:
        raise ConfigurationError(f'{name}:={text}', '', 'has not the right form') from error
