"""The shipped settings file, and contradictions."""

from pathlib import Path

import pytest

from enpire_nodes.tasks.loading import build_settings, read_settings, SettingsError
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings

FILE = Path(__file__).parents[3] / 'config' / 'tasks' / 'pin_insertion.yaml'


def test_the_shipped_file_states_the_defaults():
    assert read_settings(PinInsertionSettings, FILE) == PinInsertionSettings()


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ({'block': {'hole_radius': 0.005}}, 'block.hole_radius'),
        ({'cradle': {'bore_radius': 0.005}}, 'cradle.bore_radius'),
        ({'block': {'hole_depth': 0.05}}, 'hole_depth'),
        ({'verify': {'depth': 0.04}}, 'verify.depth'),
        ({'reset': {'retries': -1}}, 'reset.retries'),
        ({'cameras': ['side']}, 'cameras'),
        ({'hole': {}}, 'hole'),
    ],
)
def test_what_cannot_work_is_refused(content, words):
    with pytest.raises(SettingsError, match=words):
        build_settings(PinInsertionSettings, content)
