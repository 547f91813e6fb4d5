"""Environment variables that are set for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os


@contextmanager
def restored(*names: str) -> Iterator[None]:
    """Put these variables back as they were when the block ends, however it ends."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
