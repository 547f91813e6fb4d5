"""One call of a model while it is made, and the record that comes of it."""

from __future__ import annotations

import math
import re
import secrets
import time

from enpire_nodes.evolution.metering.key import Redactor
from enpire_nodes.evolution.metering.prices import PriceList
from enpire_nodes.evolution.metering.tap import Tap
from enpire_nodes.evolution.metering.usage import Usage
from enpire_nodes.evolution.records import ModelCall

_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
#: Bytes of a request in which the name of its model is looked for.
_ENDS = 64 * 1024
_STREAM_BEGINS = (b'data:', b'event:', b'id:', b'retry:', b':')


class Meter:
    """What is known of a call so far.

    :param wire: ``messages``, ``responses`` or ``chat``.
    """

    def __init__(self, wire: str) -> None:
        self.wire = wire
        self.status = 0
        #: Why it did not end as it should.
        self.message = ''
        self.tap: Tap | None = None
        self._model = ''
        self._start_ns, self._began = time.time_ns(), time.monotonic_ns()
        self._first_ns = 0

    def asked(self, body: bytes) -> None:
        """Take in the request, for the name of its model alone."""
        found = _MODEL.search(body[:_ENDS]) or _MODEL.search(body[-_ENDS:])
        self._model = found.group(1).decode('utf-8', 'replace') if found else ''

    def answered(self, data: bytes, content_type: str) -> list[bytes]:
        """Take in a part of the answer.

        :return: of a stream, its events; see :meth:`Tap.feed`.
        """
        if self.tap is None:
            self._first_ns = self._now()
            streamed = 'event-stream' in content_type or (
                'json' not in content_type and data.lstrip().startswith(_STREAM_BEGINS)
            )
            self.tap = Tap(self.wire, streamed=streamed)
        return self.tap.feed(data)

    def record(self, call_id: str, prices: PriceList, redactor: Redactor) -> ModelCall:
        """Return what the call came to."""
        tap = self.tap
        usage = (tap.usage if tap else None) or Usage()
        counted = tap is not None and tap.counted
        model = redactor.text((tap.model if tap else '') or self._model)
        price = prices.price(model, usage)
        if 200 <= self.status < 300 and not counted and not usage.tokens.total:
            price = math.nan
        return ModelCall(
            call_id=call_id,
            wire=self.wire,
            model=model,
            start_ns=self._start_ns,
            end_ns=self._now(),
            first_ns=self._first_ns,
            status=self.status,
            counted=counted,
            tokens=usage.tokens,
            price=price,
            message=redactor.text(self._words(counted)),
        )

    def _words(self, counted: bool) -> str:
        tap = self.tap
        words = [self.message, tap.error if tap else '', tap.fault if tap else '']
        if 200 <= self.status < 300 and not counted:
            words.append('the answer did not say, or not to its end, what it took')
        return '; '.join(filter(None, words))

    def _now(self) -> int:
        return self._start_ns + time.monotonic_ns() - self._began


def new_call_id() -> str:
    """Return a name for a call that no other has."""
    return secrets.token_hex(8)
