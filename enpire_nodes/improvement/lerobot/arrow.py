"""pyarrow, which only datasets need: imported at its first use, and named when it is missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from enpire_nodes.common.errors import ErrorCode, StationError

#: What is missing without it, as in requirements/lerobot.txt.
REQUIREMENT = 'pyarrow==25.0.1'


def arrow() -> ModuleType:
    """Return ``pyarrow``, with ``pyarrow.parquet`` and ``pyarrow.compute`` in it.

    :raises StationError: IMPROVEMENT_DATASET_UNUSABLE, it is not installed.
    """
    try:
        for part in ('pyarrow.compute', 'pyarrow.parquet'):
            import_module(part)
    except ImportError as error:
        raise unusable(
            f'LeRobot datasets need pyarrow ({error}): python -m pip install {REQUIREMENT}'
        ) from error
    return import_module('pyarrow')


def unusable(message: str) -> StationError:
    """Return the error that says what is wrong with a dataset."""
    return StationError(ErrorCode.IMPROVEMENT_DATASET_UNUSABLE, message)
