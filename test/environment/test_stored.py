"""Stored evidence is judged as it was stored, or refused."""

from __future__ import annotations

from environment.doubles import FakeVerifier
import numpy as np
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Frame
from enpire_nodes.environment.evidence import Evidence, save
from enpire_nodes.environment.stored import judge_file
from enpire_nodes.tasks.api import Outcome


def evidence(pictures: int = 3) -> Evidence:
    image = np.zeros((24, 32, 3), np.uint8)
    frames = tuple(Frame(2.0 + 0.1 * index, image) for index in range(1, pictures + 1))
    return Evidence({'side': frames, 'front': frames}, (), 1.0, 2.0, 2.5, 'trial_1/1')


def judged(path, digest):
    return judge_file(path, digest, lambda: FakeVerifier(('side', 'front')))


def test_it_is_shown_to_a_judge_of_its_own(tmp_path):
    path = tmp_path / 'evidence.npz'
    assert judged(path, save(evidence(), path)).outcome is Outcome.SUCCESS
    assert judged(path, save(evidence(2), path)).outcome is Outcome.UNCERTAIN


def test_another_content_than_the_listed_one_is_refused(tmp_path):
    path = tmp_path / 'evidence.npz'
    digest = save(evidence(), path)
    save(evidence(2), path)
    with pytest.raises(StationError, match='restore the file') as caught:
        judged(path, digest)
    assert caught.value.code is ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE


def test_what_is_judged_is_what_was_checked(tmp_path):
    path = tmp_path / 'evidence.npz'
    digest = save(evidence(), path)

    def exchanging() -> FakeVerifier:
        save(evidence(2), path)
        return FakeVerifier(('side', 'front'))

    assert judge_file(path, digest, exchanging).outcome is Outcome.SUCCESS


def test_a_missing_or_unlisted_file_is_refused(tmp_path):
    with pytest.raises(StationError, match='No such file'):
        judged(tmp_path / 'none.npz', 'a' * 64)
    save(evidence(), tmp_path / 'evidence.npz')
    with pytest.raises(StationError, match='not given'):
        judged(tmp_path / 'evidence.npz', '')
