"""The record of a call."""

from __future__ import annotations

import math

from model_double import events, MODEL, SECRET, whole
import pytest

from enpire_nodes.evolution.metering.key import ModelKey, Redactor
from enpire_nodes.evolution.metering.meter import Meter, new_call_id
from enpire_nodes.evolution.metering.prices import Price, PriceList
from enpire_nodes.evolution.records import Tokens

NO_KEY, NO_PRICES = Redactor(None), PriceList()


def test_a_call_that_was_never_answered():
    meter = Meter('chat')
    meter.asked(b'{"messages": ["\\"model\\": \\"no\\""], "model" : "asked-model"}')
    meter.message = 'nobody there'

    call = meter.record('id', NO_PRICES, NO_KEY)

    assert (call.call_id, call.wire, call.model) == ('id', 'chat', 'asked-model')
    assert (call.status, call.counted, call.tokens, call.price) == (0, False, Tokens(), 0.0)
    assert (call.first_ns, call.message) == (0, 'nobody there')
    assert 0 < call.start_ns <= call.end_ns


@pytest.mark.parametrize('filling', [0, 200_000])
def test_the_model_is_found_at_either_end_of_a_request(filling):
    text = b'"' + b'x' * filling + b'"'
    first, last = Meter('chat'), Meter('chat')

    first.asked(b'{"model": "m", "text": ' + text + b'}')
    last.asked(b'{"text": ' + text + b', "model": "m"}')

    assert [meter.record('', NO_PRICES, NO_KEY).model for meter in (first, last)] == ['m', 'm']


def test_the_price_of_what_is_unknown_is_unknown_and_that_of_nothing_is_nothing():
    prices = PriceList({MODEL: Price(1.0, 1.0, 1.0, 1.0, 1.0)}, 'USD')
    calls = {}
    for status, parts in ((200, []), (500, []), (200, events('messages')[:1])):
        meter = Meter('messages')
        meter.status = status
        for part in parts:
            meter.answered(part, 'text/event-stream')
        calls[status, len(parts)] = meter.record('', prices, NO_KEY)

    assert math.isnan(calls[200, 0].price)
    assert calls[500, 0].price == 0.0
    assert calls[200, 1].price == pytest.approx(1851 / 1e6)
    assert not any(call.counted for call in calls.values())


def test_neither_a_model_nor_a_message_may_hold_the_key():
    meter = Meter('chat')
    meter.asked(f'{{"model": "x{SECRET}"}}'.encode())
    meter.message = f'it is {SECRET}!'

    call = meter.record('', NO_PRICES, Redactor(ModelKey(SECRET)))

    assert (call.model, call.message) == ('x***', 'it is ***!')


@pytest.mark.parametrize(
    ('kind', 'data', 'streamed'),
    [
        ('text/event-stream; charset=utf-8', b'', True),
        ('application/json', whole('chat'), False),
        ('', b'\n\ndata: 1', True),
        ('text/plain', b': ping', True),
        ('', b'{"data": 1}', False),
    ],
)
def test_whether_an_answer_is_a_stream(kind, data, streamed):
    meter = Meter('chat')

    meter.answered(data, kind)

    assert meter.tap.streamed is streamed


def test_names_of_calls_differ():
    assert len({new_call_id() for _ in range(100)}) == 100
