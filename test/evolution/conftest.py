"""A station with an agent in it, once for each module: attacks leave it as it was."""

from __future__ import annotations

from collections.abc import Iterator

from attack_support import House, OTHER
import pytest

from enpire_nodes.environment.contract.signing import signing_key
from enpire_nodes.evolution.hub.git import git


@pytest.fixture(scope='module')
def house(tmp_path_factory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp('house')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ENPIRE_KEYS', str(folder / 'keys'))
        signing_key()
        with House(folder) as house:
            other = git(house.hub.path, 'rev-parse', 'main').text
            git(house.hub.path, 'update-ref', OTHER, other)
            yield house
