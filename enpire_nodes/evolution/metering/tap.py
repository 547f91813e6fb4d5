"""What an answer of a model tells while it passes: its model, what it took, and its error."""

from __future__ import annotations

from collections.abc import Mapping
import json
from typing import Any

from enpire_nodes.evolution.metering.sse import event_data, EventSplitter
from enpire_nodes.evolution.metering.usage import read_usage, Usage

#: An event that has none of these tells nothing; in a string of JSON the quotes are escaped.
_TELLING = (b'"usage"', b'"error"', b'"message_start"')
#: Events that end a stream of the responses wire.
_ENDS = ('response.completed', 'response.incomplete', 'response.failed')
#: Characters of an error that are kept.
_WORDS = 300


class Tap:
    """Reads one answer as it passes; whatever it is fed, it raises nothing.

    :param wire: ``messages``, ``responses`` or ``chat``.
    :param longest: bytes of a JSON answer, or of one event, that it reads.
    """

    def __init__(self, wire: str, *, streamed: bool, longest: int = 32 * 2**20) -> None:
        self.wire, self.streamed = wire, streamed
        self.model = ''
        #: What went wrong, in the words of the provider.
        self.error = ''
        #: Why the answer could not be read to its end; empty when it could.
        self.fault = ''
        self._said: dict[str, Any] = {}
        self._final = False
        self._longest = longest
        self._events = EventSplitter(longest)
        self._whole = bytearray()

    @property
    def usage(self) -> Usage | None:
        """What is known of what the call took; None when nothing is."""
        return read_usage(self.wire, self._said)

    @property
    def counted(self) -> bool:
        """Whether the provider has said all that the call took."""
        return self._final and self.usage is not None

    def feed(self, data: bytes) -> list[bytes]:
        """Take in a part of the answer.

        :return: of a stream, the events that are whole by now, without those that hold nothing
            but the usage of a chat.
        """
        if self.fault:
            return [data] if self.streamed else []
        if self.streamed:
            passed = [event for event in self._events.feed(data) if not self._event(event)]
            if self._events.too_long:
                self.fault = f'an event of the answer is longer than {self._longest} bytes'
                passed.append(self._events.rest())
            return passed
        self._whole += data
        if len(self._whole) > self._longest:
            self.fault = f'the answer is longer than {self._longest} bytes'
            self._whole.clear()
        return []

    def end(self, *, whole: bool) -> bytes:
        """Tell that nothing more comes.

        :param whole: whether the answer ended as it should, and not by a broken connection.
        :return: what came after the last whole event of a stream.
        """
        rest = b''
        if self.streamed and not self.fault:
            rest = self._events.rest()
            if rest and self._event(rest):
                rest = b''
        elif self._whole:
            self._object(bytes(self._whole))
        if whole and (self.wire == 'chat' or not self.streamed):
            self._final = True
        return rest

    def _event(self, event: bytes) -> bool:
        """Read an event; return whether it holds nothing but the usage of a chat."""
        if not any(word in event for word in _TELLING) and (self.model or b'"model"' not in event):
            if self.wire == 'chat' and b'[DONE]' in event and event_data(event) == b'[DONE]':
                self._final = True
            return False
        data = event_data(event)
        return bool(data) and self._object(data)

    def _object(self, data: bytes) -> bool:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            return False
        if not isinstance(answer, Mapping):
            return False
        inner = _inner(answer)
        if not self.model and isinstance(inner.get('model'), str):
            self.model = inner['model'][:200]
        self._error(answer, inner)
        kind = answer.get('type')
        usage = _usage(answer, inner)
        if usage:
            self._said.update((name, one) for name, one in usage.items() if one is not None)
        if self.wire == 'messages':
            self._final |= kind == 'message_delta' and bool(usage)
        elif self.wire == 'responses':
            self._final |= kind in _ENDS
        elif usage and answer.get('choices') == []:
            self._final = True
            return True
        return False

    def _error(self, answer: Mapping[str, Any], inner: Mapping[str, Any]) -> None:
        error = answer.get('error') or inner.get('error')
        if not error and answer.get('type') == 'error':
            error = answer
        if isinstance(error, Mapping):
            error = error.get('message') or error.get('type') or error.get('code')
        if error and not self.error:
            self.error = str(error)[:_WORDS]


def _inner(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the message or the response that an event is about, or the answer itself."""
    for name in ('message', 'response'):
        if isinstance(answer.get(name), Mapping):
            return answer[name]
    return answer


def _usage(answer: Mapping[str, Any], inner: Mapping[str, Any]) -> Mapping[str, Any]:
    found = answer.get('usage') or inner.get('usage')
    choices = answer.get('choices')
    if not found and isinstance(choices, list):
        # one provider of the chat wire puts it there, in the last event
        inside = [choice.get('usage') for choice in choices if isinstance(choice, Mapping)]
        found = next(filter(None, inside), None)
    return found if isinstance(found, Mapping) else {}
