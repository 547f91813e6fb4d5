"""Space that is set aside."""

import os

import pytest

from enpire_nodes.rollout.ledger.reserve import Reserve


def test_the_space_is_really_taken(tmp_path):
    reserve = Reserve(tmp_path / 'reserve', size=64 * 1024)
    reserve.fill()
    reserve.fill()
    assert (tmp_path / 'reserve').stat().st_blocks * 512 >= 64 * 1024


def test_it_can_be_spent_once(tmp_path):
    reserve = Reserve(tmp_path / 'reserve', size=4096)
    assert not reserve.spend()
    reserve.fill()
    assert reserve.spend()
    assert not reserve.spend()


def test_a_reserve_that_does_not_fit_leaves_nothing(tmp_path, monkeypatch):
    def fail(descriptor, offset, size):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'posix_fallocate', fail)
    with pytest.raises(OSError, match='No space'):
        Reserve(tmp_path / 'reserve').fill()
    assert not list(tmp_path.iterdir())
