"""Without pyarrow, a person is told what to type."""

from pathlib import Path
import sys

from lerobot_support import made_trial
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.lerobot.arrow import REQUIREMENT
from enpire_nodes.improvement.lerobot.export import export_trials
from enpire_nodes.improvement.lerobot.importing import import_trials

LISTS = Path(__file__).parents[3] / 'requirements'


def test_the_requirement_is_the_one_of_the_lists():
    assert REQUIREMENT in (LISTS / 'lerobot.txt').read_text().splitlines()
    for constraints in LISTS.glob('constraints*.txt'):
        assert REQUIREMENT in constraints.read_text().splitlines()


def test_a_missing_pyarrow_is_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    monkeypatch.delitem(sys.modules, 'pyarrow.compute', raising=False)
    for action in (
        lambda: export_trials([made_trial()], tmp_path / 'out'),
        lambda: import_trials(tmp_path),
    ):
        with pytest.raises(StationError, match=f'pip install {REQUIREMENT}') as raised:
            action()
        assert raised.value.code is ErrorCode.IMPROVEMENT_DATASET_UNUSABLE
    assert list(tmp_path.iterdir()) == []
