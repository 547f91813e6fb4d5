"""Which configuration file a station's name or path means."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.bringup.strict import ConfigurationError, suggest
from enpire_nodes.common.files import config_directory


def configuration_file(path: Path | str) -> Path:
    """Return the file that ``path`` names: an existing file, or one of ``config/stations``.

    :raises ConfigurationError: there is no such file.
    """
    file = Path(path).expanduser()
    if file.is_file():
        return file.resolve()
    try:
        stations = config_directory() / 'stations'
    except FileNotFoundError as error:
        raise ConfigurationError(
            str(path), '', f'{error}; source install/local_setup.bash, or run from the source tree'
        ) from error
    shipped = stations / f'{file.name}.yaml'
    if file.name == str(path) and shipped.is_file():
        return shipped
    names = [entry.stem for entry in stations.glob('*.yaml') if entry.stem != 'simulated']
    raise ConfigurationError(
        str(path), '', f'there is no such file and no station of that name; '
        f'{suggest(file.stem, names)}'
    )  # fmt: skip
