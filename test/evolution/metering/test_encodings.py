"""Undoing encodings, part by part."""

from __future__ import annotations

import gzip
import zlib

import pytest
import zstandard

from enpire_nodes.evolution.metering.encodings import decoder, DecodingError

TEXT = b'some words, ' * 500
ENCODED = {
    '': TEXT,
    'identity': TEXT,
    'gzip': gzip.compress(TEXT),
    'deflate': zlib.compress(TEXT),
    'ZSTD': zstandard.compress(TEXT),
}


@pytest.mark.parametrize('encoding', ENCODED)
def test_parts_come_out_whole(encoding):
    data, undo = ENCODED[encoding], decoder(encoding)

    parts = [undo.decompress(data[begin : begin + 7]) for begin in range(0, len(data), 7)]

    assert b''.join(parts) == TEXT


@pytest.mark.parametrize('encoding', ['gzip', 'zstd'])
def test_what_is_not_encoded_is_told(encoding):
    with pytest.raises(DecodingError):
        decoder(encoding).decompress(b'plain words that are no such thing')


@pytest.mark.parametrize('encoding', ['br', 'gzip, br', 'compress'])
def test_what_nobody_here_can_undo(encoding):
    assert decoder(encoding) is None
