"""The start of a demonstration: the template with the first policy that anybody would write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import tempfile

from enpire_nodes.evolution.researcher.edits import apply, RECIPE, Setting

_POLICY = 'algorithms/search.py'


def start_files(template: Mapping[str, str]) -> dict[str, str]:
    """Return the files of the template that the start changes, by their paths."""
    changed = apply({RECIPE: template[RECIPE]}, [Setting('algorithm', 'search')])
    changed[_POLICY] = Path(__file__).with_name('beeline.py').read_text('utf-8')
    return changed


def make_start(folder: Path) -> None:
    """Turn a folder made from the template into the start.

    :raises StationError: SUPERVISOR_JOB_REFUSED, the folder is not like the template.
    """
    files = {RECIPE: (folder / RECIPE).read_text('utf-8')}
    for path, text in start_files(files).items():
        (folder / path).write_text(text, 'utf-8')


def seed_hub(run: Path, task: str) -> None:
    """Make the hub of a run, whose ``main`` is the start; one that is there is left alone.

    :raises StationError: HUB_UNUSABLE, HUB_GIT_FAILED.
    """
    from enpire_nodes.evolution.hub.repository import Hub
    from enpire_nodes.evolution.hub.seed import seed_files
    from enpire_nodes.evolution.journal import research_directory

    place = research_directory(run) / 'hub.git'
    if place.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        seed_files(Path(folder), task)
        make_start(Path(folder))
        Hub.create(place, seed=Path(folder))
