"""Where the files that ship with the package are, installed or in a source tree."""

from __future__ import annotations

import os
from pathlib import Path

import enpire_nodes


def config_directory() -> Path:
    """Return the folder ``config``: of the source tree, else of ``share/enpire``.

    :raises FileNotFoundError: in neither place; the message names every place looked at.
    """
    prefixes = filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep))
    places = [
        Path(enpire_nodes.__file__).resolve().parents[1],
        *(Path(prefix) / 'share' / 'enpire' for prefix in prefixes),
    ]
    for place in places:
        if (place / 'config' / 'stations').is_dir():
            return place / 'config'
    raise FileNotFoundError(
        'the folder config/ of enpire is in none of: ' + ', '.join(str(place) for place in places)
    )


def config_file(name: str | os.PathLike[str]) -> Path:
    """Return the path of a configuration file.

    :param name: an existing path, or one relative to ``config``, for example
        ``stations/simulated.yaml``.
    :raises FileNotFoundError: neither exists.
    """
    given = Path(name).expanduser()
    if given.is_file():
        return given.resolve()
    shipped = config_directory() / given
    if not given.is_absolute() and shipped.is_file():
        return shipped
    raise FileNotFoundError(f'there is no file {given}, nor {shipped}')
