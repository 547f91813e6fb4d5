"""The contact sheet of an attempt."""

from __future__ import annotations

from audit_support import COLOURS, evidence
import cv2
import numpy as np
import pytest

from enpire_nodes.cli.audit_sheet import contact_sheet
from enpire_nodes.environment.evidence import Evidence


@pytest.mark.parametrize('pictures', [1, 2, 5])
def test_it_shows_both_cameras_and_the_force(tmp_path, pictures):
    path = tmp_path / 'sheet.png'
    contact_sheet(evidence(pictures), path, title='trial_1, attempt 1')
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)
    thirds = np.array_split(image, 3)
    for part, name in zip(thirds[:2], sorted(COLOURS), strict=True):
        shown = np.abs(part - COLOURS[name]).max(axis=2) < 25
        columns = np.flatnonzero(shown.sum(axis=0) > 20)
        assert len(columns) > 100 * min(pictures, 3)
    # curves in the colours of matplotlib's first lines
    for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44)):
        assert (np.abs(thirds[2] - colour).max(axis=2) < 40).sum() > 30


def test_without_pictures_or_states_it_is_empty_but_there(tmp_path):
    empty = Evidence({'side': ()}, (), 1.0, 2.0, 2.6, 'trial_1 attempt 1')
    contact_sheet(empty, tmp_path / 'sheet.png', title='nothing')
    assert cv2.imread(str(tmp_path / 'sheet.png')) is not None
