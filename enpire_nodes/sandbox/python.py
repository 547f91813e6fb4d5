"""Which folders Python lies in, so that the same interpreter runs inside a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import sys

import enpire_nodes

#: What every sandbox has anyway.
SYSTEM = Path('/usr')


def folders() -> tuple[Path, ...]:
    """List what to bring in for this interpreter, its packages and ``enpire_nodes``.

    A virtual environment's interpreter is a link, often through more links, into another
    installation: each place on the way has to be there under its own name.
    """
    package = Path(enpire_nodes.__file__).parent
    places = [
        Path(sys.prefix),
        Path(sys.base_prefix),
        *(_installation(link) for link in _chain(Path(sys.executable))),
        package,
        # an installation by links: the folder of the sources, under its own name
        Path(enpire_nodes.__file__).resolve().parent,
    ]
    places += [place.resolve() for place in places]
    wanted = [place for place in dict.fromkeys(places) if not place.is_relative_to(SYSTEM)]
    return tuple(
        place
        for place in wanted
        if not any(place != other and place.is_relative_to(other) for other in wanted)
    )


def environment() -> dict[str, str]:
    """Return the variables with which that interpreter finds its packages."""
    return {
        'PYTHONPATH': str(Path(enpire_nodes.__file__).parents[1]),
        'PYTHONNOUSERSITE': '1',
        'PYTHONDONTWRITEBYTECODE': '1',
        'PYTHONUNBUFFERED': '1',
        # the wheels of ROS would start every Python twice, to find libraries of no use in there
        '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1',
    }


def program_folder() -> Path:
    """Return the folder of this interpreter's programs, for ``PATH``."""
    return Path(sys.executable).parent


def _chain(link: Path) -> Iterator[Path]:
    """List a path and every path that it leads to, each as it is written."""
    for _ in range(40):  # as many as the kernel follows
        yield link
        if not link.is_symlink():
            return
        link = Path(os.path.normpath(link.parent / os.readlink(link)))


def _installation(program: Path) -> Path:
    """Return the installation that an interpreter belongs to: ``<here>/bin/python``."""
    folder = program.parent
    return folder.parent if folder.name == 'bin' and folder != Path('/bin') else SYSTEM
