"""What the executor and the policy's process say to each other: JSON header, raw arrays.

A message is ``b'ENP1'``, the header's and the body's length (little-endian uint32), the header
(JSON: ``kind``, ``fields`` and the dtype and shape of each array), then the arrays' bytes, one
after another. Nothing is unpickled, sizes are bounded, and whatever breaks the format is a
:class:`ProtocolError`: the other side may be a policy that an agent wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
import math
import select
import socket
import struct
import time
from typing import Any

import numpy as np

_MAGIC = b'ENP1'
_PREFIX = struct.Struct('<4sII')
_DTYPES = frozenset({'<f4', '<f8', '<i4', '<i8', '|u1', '|b1'})
_LARGEST_HEADER = 256 * 1024


class ProtocolError(Exception):
    """The other side does not keep to the format, or is gone."""


class ChannelClosedError(ProtocolError):
    """The other side closed the channel: its process has ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message: its kind, plain JSON fields, and arrays by name."""

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def encode(message: Message) -> bytes:
    """Return the bytes of a message.

    :raises ProtocolError: when an array has a dtype that the format does not carry.
    """
    listed, chunks = [], []
    for name, values in message.arrays.items():
        # ascontiguousarray would turn a scalar into a vector
        array = np.asarray(values, order='C')
        if array.dtype.str not in _DTYPES:
            raise ProtocolError(f'array {name!r} has dtype {array.dtype}, which is not carried')
        listed.append([name, array.dtype.str, list(array.shape)])
        chunks.append(array.tobytes())
    header = json.dumps(
        {'kind': message.kind, 'fields': dict(message.fields), 'arrays': listed},
        allow_nan=False,
    ).encode()
    return b''.join([_PREFIX.pack(_MAGIC, len(header), sum(map(len, chunks))), header, *chunks])


class Channel:
    """One end of a stream socket that carries messages, every wait bounded.

    :param endpoint: connected stream socket; the channel owns it.
    :param largest: bytes, the largest body it accepts.
    """

    def __init__(self, endpoint: socket.socket, *, largest: int) -> None:
        endpoint.setblocking(False)
        self._socket = endpoint
        self._largest = largest
        self._incoming = bytearray()
        self._outgoing = memoryview(b'')

    def send(self, message: Message, *, timeout: float | None) -> bool:
        """Send a message; False when the other side did not take all of it within ``timeout`` s.

        What it did not take yet goes out with the next ``send`` or ``receive``.
        """
        self._outgoing = memoryview(bytes(self._outgoing) + encode(message))
        deadline = _deadline(timeout)
        while self._outgoing:
            if not self._flush() and not self._wait(select.POLLOUT, deadline):
                return False
        return True

    def receive(self, *, timeout: float | None) -> Message | None:
        """Return the next message; ``None`` when it has not come within ``timeout`` s.

        :raises ChannelClosedError: when the other side is gone.
        :raises ProtocolError: when it does not keep to the format.
        """
        deadline = _deadline(timeout)
        while (message := self._take()) is None:
            self._flush()
            if not self._read() and not self._wait(
                select.POLLIN | (select.POLLOUT if self._outgoing else 0), deadline
            ):
                return None
        return message

    def close(self) -> None:
        """Close the socket; the other side sees the end of the stream."""
        self._socket.close()

    def _take(self) -> Message | None:
        if len(self._incoming) < _PREFIX.size:
            return None
        magic, header_size, body_size = _PREFIX.unpack_from(self._incoming)
        if magic != _MAGIC:
            raise ProtocolError('bytes on the channel that are not a message')
        if header_size > _LARGEST_HEADER or body_size > self._largest:
            raise ProtocolError(
                f'a message of {header_size + body_size} bytes; at most {self._largest} are taken'
            )
        end = _PREFIX.size + header_size + body_size
        if len(self._incoming) < end:
            return None
        header = bytes(self._incoming[_PREFIX.size : _PREFIX.size + header_size])
        body = bytes(self._incoming[_PREFIX.size + header_size : end])
        del self._incoming[:end]
        return _decode(header, body)

    def _read(self) -> bool:
        try:
            chunk = self._socket.recv(1 << 18)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosedError(f'the channel broke: {error}') from error
        if not chunk:
            raise ChannelClosedError('the channel was closed by the other side')
        self._incoming += chunk
        return True

    def _flush(self) -> bool:
        if not self._outgoing:
            return True
        try:
            sent = self._socket.send(self._outgoing)
        except BlockingIOError:
            return False
        except OSError as error:
            raise ChannelClosedError(f'the channel broke: {error}') from error
        self._outgoing = self._outgoing[sent:]
        return True

    def _wait(self, events: int, deadline: float) -> bool:
        poller = select.poll()
        poller.register(self._socket, events)
        remaining = deadline - time.monotonic()
        if remaining <= 0.0:
            return False
        return bool(poller.poll(None if math.isinf(remaining) else max(1.0, remaining * 1e3)))


def _deadline(timeout: float | None) -> float:
    return math.inf if timeout is None else time.monotonic() + timeout


def _decode(header: bytes, body: bytes) -> Message:
    try:
        content = json.loads(header)
        kind, plain, listed = content['kind'], content['fields'], content['arrays']
        arrays, offset = {}, 0
        for name, dtype, shape in listed:
            if dtype not in _DTYPES or any(type(size) is not int or size < 0 for size in shape):
                raise ProtocolError(f'array {name!r} is declared as {dtype} {shape}')
            count = math.prod(shape)
            values = np.frombuffer(body, dtype=dtype, count=count, offset=offset)
            arrays[name] = values.reshape(shape)
            offset += values.nbytes
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError(f'a message that cannot be read: {error}') from error
    if not isinstance(kind, str) or not isinstance(plain, dict) or offset != len(body):
        raise ProtocolError('a message whose header does not fit its body')
    return Message(kind, plain, arrays)
