"""What the main of a new hub begins with."""

import json

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.rules import ALWAYS_FROZEN, frozen_paths
from enpire_nodes.evolution.hub.seed import seed_files


def test_all_that_is_frozen_is_there_and_listed(tmp_path):
    seed_files(tmp_path / 'seed', 'pin_insertion')
    listed = frozen_paths((tmp_path / 'seed' / 'FROZEN').read_text('utf-8'))
    assert listed == ALWAYS_FROZEN
    assert all((tmp_path / 'seed' / name).is_file() for name in listed)
    about = json.loads((tmp_path / 'seed' / 'environment.json').read_text('utf-8'))
    assert about == {'task': 'pin_insertion'}


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / 'file').write_text('', 'utf-8')
    with pytest.raises(StationError, match='cannot be written') as caught:
        seed_files(tmp_path / 'file' / 'seed', 'pin_insertion')
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
