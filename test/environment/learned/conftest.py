"""Evidence that several tests share."""

from __future__ import annotations

import pytest
from stick_evidence import episode


@pytest.fixture(scope='session')
def labelled():
    """Return 120 episodes, half of them successes."""
    return [
        episode(seed, label=seed % 2 == 0, kind='in' if seed % 2 == 0 else f'out{seed % 3}')
        for seed in range(120)
    ]
