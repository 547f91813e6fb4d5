"""What passes, and how a refusal looks."""

from __future__ import annotations

import json

import pytest

from enpire_nodes.evolution.metering.wires import error_body, Route, route


@pytest.mark.parametrize(
    ('method', 'path', 'expected'),
    [
        ('POST', '/v1/messages', Route('messages', call=True)),
        ('POST', '/v1/responses', Route('responses', call=True)),
        ('POST', '/v1/chat/completions', Route('chat', call=True)),
        ('POST', '/v1/messages/count_tokens', Route('messages')),
        ('GET', '/v1/models', Route('')),
        ('GET', '/v1/models/some-model.1', Route('')),
        ('GET', '/v1/models/lab/some-model', Route('')),
    ],
)
def test_what_passes(method, path, expected):
    assert route(method, path) == expected


@pytest.mark.parametrize(
    ('method', 'path'),
    [
        ('GET', '/v1/messages'),
        ('POST', '/v1/models'),
        ('GET', '/'),
        ('POST', '/v1/messages/'),
        ('POST', '/v1/messages/batches'),
        ('POST', '//v1/messages'),
        ('POST', '/v1/messages/../organizations'),
        ('GET', '/v1/models/..'),
        ('GET', '/v1/models/../organizations'),
        ('GET', '/v1/models/%2e%2e/organizations'),
        ('GET', '/v1/models/a/../../organizations'),
        ('GET', '/v1/responses/resp_1'),
        ('GET', 'http://elsewhere/v1/models'),
        ('POST', '/v1/files'),
        ('DELETE', '/v1/models/mine'),
    ],
)
def test_all_else_does_not(method, path):
    assert route(method, path) is None


def test_refusals_have_the_shape_of_their_wire():
    message = json.loads(error_body('messages', 402, 'no more', 'budget_used'))
    response = json.loads(error_body('responses', 402, 'no more', 'budget_used'))

    assert message == {
        'type': 'error',
        'error': {'type': 'billing_error', 'message': 'no more'},
    }
    assert response['error']['message'] == 'no more'
    assert response['error']['code'] == 'budget_used'
    assert response['error']['type'] == 'insufficient_quota'
