"""Events, however the stream is cut."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from enpire_nodes.evolution.metering.sse import event_data, EventSplitter

STREAM = 'event: a\ndata: {"x":\ndata: 1}\n\n: ping\n\ndata:zwölf\n\ndata: [DONE]\n\n'


def split(parts: list[bytes], longest: int = 1000) -> list[bytes]:
    splitter = EventSplitter(longest)
    return [event for part in parts for event in splitter.feed(part)]


@pytest.mark.parametrize('end', ['\n', '\r\n'])
@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 80), max_size=12))
def test_no_cut_changes_the_events(end, cuts):
    stream = STREAM.replace('\n', end).encode()
    bounds = [0, *sorted(cuts), len(stream)]
    parts = [stream[begin:stop] for begin, stop in itertools.pairwise(bounds)]

    events = split(parts)

    assert [event_data(event) for event in events] == [
        b'{"x":\n1}', b'', 'zwölf'.encode(), b'[DONE]',
    ]  # fmt: skip
    assert b''.join(events) == stream


def test_lines_that_end_with_cr_alone():
    splitter = EventSplitter()

    events = splitter.feed(b'data: 1\r\rdata: 2\r\r')

    assert [event_data(event) for event in events] == [b'1']
    assert [event_data(event) for event in splitter.feed(b'data')] == [b'2']


@settings(deadline=None)
@given(cuts=st.lists(st.binary(max_size=9), max_size=20))
def test_nothing_is_lost(cuts):
    splitter = EventSplitter()

    events = [event for part in cuts for event in splitter.feed(part)]

    assert b''.join(events) + splitter.rest() == b''.join(cuts)


def test_an_event_that_does_not_end_is_told():
    splitter = EventSplitter(longest=10)

    splitter.feed(b'data: 1\n\n')
    assert not splitter.too_long
    splitter.feed(b'data: 1234567')
    assert splitter.too_long
