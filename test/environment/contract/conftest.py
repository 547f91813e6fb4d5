"""Fixtures of the contract's tests."""

from __future__ import annotations

from contract_support import Bench
import pytest


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)
