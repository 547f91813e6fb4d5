"""Answers that come compressed although they were asked for plain."""

from __future__ import annotations

from typing import Protocol
import zlib

import zstandard


class DecodingError(ValueError):
    """What came is not encoded as it says."""


class Decoder(Protocol):
    """Undoes an encoding, part by part."""

    def decompress(self, data: bytes, /) -> bytes:
        """Return what ``data`` adds."""


class _Checked:
    def __init__(self, inner: Decoder) -> None:
        self._inner = inner

    def decompress(self, data: bytes, /) -> bytes:
        """Return what ``data`` adds.

        :raises DecodingError: it is not encoded as it says.
        """
        try:
            return self._inner.decompress(data)
        except (zlib.error, zstandard.ZstdError) as error:
            raise DecodingError(f'the answer is not encoded as it says: {error}') from error


class _Plain:
    def decompress(self, data: bytes, /) -> bytes:
        """Return ``data``."""
        return data


def decoder(encoding: str) -> Decoder | None:
    """Return what undoes a ``Content-Encoding``, or None when nothing here can."""
    name = encoding.strip().lower()
    if name in ('', 'identity'):
        return _Plain()
    if name in ('gzip', 'x-gzip', 'deflate'):
        # 32: zlib or gzip, as its header says
        return _Checked(zlib.decompressobj(wbits=32 + zlib.MAX_WBITS))
    if name == 'zstd':
        return _Checked(zstandard.ZstdDecompressor().decompressobj())
    return None
