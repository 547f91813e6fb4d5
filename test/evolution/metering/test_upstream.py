"""Where requests go, and with which headers."""

from __future__ import annotations

import logging

from model_double import SECRET
from multidict import CIMultiDict, CIMultiDictProxy
import pytest

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.metering.key import ModelKey, Redactor
from enpire_nodes.evolution.metering.upstream import answer_headers, Upstream

KEY = ModelKey(SECRET)


def given(*pairs: tuple[str, str]) -> CIMultiDictProxy:
    return CIMultiDictProxy(CIMultiDict(pairs))


@pytest.mark.parametrize(
    ('base', 'expected'),
    [
        ('https://host', 'https://host/v1/messages?beta=true'),
        ('https://host/', 'https://host/v1/messages?beta=true'),
        ('https://host:99/some/prefix', 'https://host:99/some/prefix/v1/messages?beta=true'),
        ('https://host/v1', 'https://host/v1/messages?beta=true'),
        ('https://host/api/paas/v4/', 'https://host/api/paas/v4/messages?beta=true'),
        ('https://host/v1beta', 'https://host/v1beta/messages?beta=true'),
    ],
)
def test_addresses(base, expected):
    assert str(Upstream(base, KEY).url('/v1/messages', 'beta=true')) == expected


@pytest.mark.parametrize(
    'url', ['', 'host', 'ftp://host', 'https://', 'https://u:p@host', 'https://host/?key=1']
)
def test_addresses_that_are_refused(url):
    with pytest.raises(StationError, match='address of the model provider'):
        Upstream(url, KEY)


def test_a_key_that_would_go_unencrypted_is_told(caplog):
    caplog.set_level(logging.WARNING)
    Upstream('http://127.0.0.1:8000', KEY)
    Upstream('http://host', None)
    assert not caplog.text

    Upstream('http://host', KEY)
    assert 'without encryption' in caplog.text
    assert SECRET not in caplog.text


def test_the_key_replaces_whatever_a_client_says_it_is():
    claims = [
        ('Authorization', 'Bearer dummy'),
        ('X-API-Key', 'dummy'),
        ('api-key', 'dummy'),
        ('Cookie', 'dummy'),
        ('anthropic-version', '2023-06-01'),
    ]
    upstream = Upstream('https://host', KEY)

    messages = upstream.request_headers(given(*claims), 'messages')
    responses = upstream.request_headers(given(*claims), 'responses')
    keyless = Upstream('https://host', None).request_headers(given(*claims), 'chat')

    version = {'anthropic-version': '2023-06-01', 'Accept-Encoding': 'identity'}
    assert dict(messages) == {**version, 'x-api-key': SECRET}
    assert dict(responses) == {**version, 'Authorization': f'Bearer {SECRET}'}
    assert dict(keyless) == version


def test_what_belongs_to_one_connection_stays_there():
    headers = given(
        ('Connection', 'close, X-Mine'),
        ('X-Mine', '1'),
        ('Transfer-Encoding', 'chunked'),
        ('TE', 'trailers'),
        ('Upgrade', 'websocket'),
        ('Host', 'localhost'),
        ('Content-Length', '3'),
        ('Accept-Encoding', 'br'),
        ('Content-Encoding', 'zstd'),
        ('X-Kept', '1'),
        ('X-Kept', '2'),
    )

    passed = Upstream('https://host', None).request_headers(headers, 'chat')

    assert list(passed.items()) == [
        ('Content-Encoding', 'zstd'),
        ('X-Kept', '1'),
        ('X-Kept', '2'),
        ('Accept-Encoding', 'identity'),
    ]


def test_headers_of_an_answer():
    headers = given(
        ('Connection', 'keep-alive'),
        ('Content-Length', '3'),
        ('Content-Encoding', 'gzip'),
        ('Set-Cookie', 'a=b'),
        ('X-Echo', f'you said Bearer {SECRET}'),
        ('Retry-After', '7'),
    )
    redactor = Redactor(KEY)

    same = answer_headers(headers, redactor, same_length=True)
    changed = answer_headers(headers, redactor, same_length=False)

    assert dict(same) == {'Content-Length': '3', 'Retry-After': '7'}
    assert dict(changed) == {'Retry-After': '7'}
