"""Staged episodes of the pin task, made once a process: several tests look at the same ones."""

from __future__ import annotations

import atexit
from functools import cache

from pin_bench import STATION
import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.drivers.simulated.episodes import EpisodeBench
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.simulation.rendering import rendering_enabled
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.pin_insertion.staging import KINDS
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

TASK, MAPPING = PinInsertion(), load_station(STATION)
CAMERAS = cameras_from_settings(MAPPING['cameras'])
#: Tests of one group run in one process, and so share what was made.
GROUP = pytest.mark.xdist_group('episodes')
#: Seeds that nothing was tuned or fitted on.
SEEDS = (8_400_001, 8_400_002)


@cache
def bench() -> EpisodeBench:
    """Return the bench on which they are made."""
    if not rendering_enabled():
        pytest.skip('nothing can draw here')
    made = EpisodeBench(TASK, MAPPING)
    atexit.register(made.close)
    return made


@cache
def evidence(kind: str, seed: int = SEEDS[0]) -> Evidence:
    """Return the evidence of an episode; nobody may change it."""
    return bench().make(kind, seed).evidence


def all_kinds() -> dict[tuple[str, int], Evidence]:
    """Return two episodes of every kind, by kind and seed."""
    return {(kind, seed): evidence(kind, seed) for kind in KINDS for seed in SEEDS}
