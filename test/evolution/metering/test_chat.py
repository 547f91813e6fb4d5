"""Asking a chat for its usage."""

from __future__ import annotations

import json

import pytest

from enpire_nodes.evolution.metering.chat import ask_for_usage

ASKS = {'include_usage': True}


def test_every_byte_of_a_request_is_kept():
    body = b' {"stream" : true, "n":1.0, "messages":["\\u00fc {"]}'

    asking = ask_for_usage(body)

    assert asking.endswith(body[2:])
    assert json.loads(asking) == {**json.loads(body), 'stream_options': ASKS}


@pytest.mark.parametrize('options', [None, {}, {'include_usage': False}, {'other': 1}])
def test_other_options_are_kept(options):
    asking = ask_for_usage(json.dumps({'stream': True, 'stream_options': options}).encode())

    assert json.loads(asking)['stream_options'] == {**(options or {}), **ASKS}


def test_an_option_that_is_given_twice_does_not_win():
    body = b'{"stream_options":{"include_usage":true},"stream":true,"stream_options":null}'

    assert json.loads(ask_for_usage(body))['stream_options'] == ASKS


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'{',
        b'[]',
        b'\xff\xfe{\x00}\x00',
        b'{"messages": []}',
        b'{"stream": false}',
        b'{"stream": true, "stream_options": {"include_usage": true}}',
        b'[' * 100_000,
    ],
)
def test_what_needs_nothing_is_left_alone(body):
    assert ask_for_usage(body) is None
