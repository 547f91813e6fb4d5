"""Files of named arrays: ``.npz`` without a pickle, written whole, refused in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
import hashlib
import io
from pathlib import Path
from typing import TypeVar
import zipfile
import zlib

import numpy as np

from enpire_nodes.common.errors import StationError
from enpire_nodes.common.writing import write_atomically

Made = TypeVar('Made')

_BAD_CONTENT = (
    ValueError,  # also what json and numpy raise for content that they cannot read
    KeyError,
    TypeError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> str:
    """Write a file, whole or not at all, and the folder it lies in; equal arrays, equal files.

    :return: its sha256 in hex.
    :raises OSError: it cannot be written.
    """
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    content = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def read_arrays(
    path: Path,
    parse: Callable[[Mapping[str, np.ndarray]], Made],
    refusal: Callable[[Path, str], StationError],
) -> tuple[Made, str]:
    """Read a file, and make something of its arrays.

    :param parse: makes it; what is wrong with the arrays it tells by a ValueError, KeyError or
        TypeError.
    :param refusal: makes the error of the file and of what is wrong with it.
    :return: what was made, and the sha256 of the file in hex.
    :raises StationError: that of ``refusal``.
    """
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return parse(arrays), hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise refusal(path, error.strerror or str(error)) from error
    except _BAD_CONTENT as error:
        raise refusal(path, f'{type(error).__name__}: {error}') from error
