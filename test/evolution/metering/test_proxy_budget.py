"""What the gate refuses, what is held, and what happens when nothing can be recorded."""

from __future__ import annotations

import json
import threading

from model_double import PATHS, until
import pytest

from enpire_nodes.evolution.metering.deadlines import Deadlines
from enpire_nodes.evolution.records import Tokens

REASON = 'the budget of 5000 tokens is used up: stop, and leave the rest'


@pytest.mark.parametrize('wire', PATHS)
def test_a_used_budget_is_told_in_the_words_of_the_gate(bench, wire):
    made = bench(gate=lambda: REASON)

    answer = made.ask(wire, {'stream': True})

    assert (answer.status, answer.reason) == (402, 'Payment Required')
    assert json.loads(answer.read())['error']['message'] == REASON
    assert answer.headers['x-should-retry'] == 'false'
    assert answer.headers['retry-after'] is None
    call = made.call()
    assert (call.status, call.message, call.tokens, call.price) == (402, REASON, Tokens(), 0.0)
    assert made.double.asked == []


def test_a_call_is_recorded_before_a_later_one_is_let_through(bench):
    spent = []
    made = bench(
        gate=lambda: REASON if sum(call.tokens.total for call in spent) > 5000 else '',
        record=spent.append,
    )
    connection = made.connect()

    statuses = []
    for _ in range(5):
        answer = made.ask('messages', connection=connection)
        answer.read()
        statuses.append(answer.status)

    assert statuses == [200, 200, 200, 402, 402]


def test_held_requests_wait_and_then_go(bench):
    held = threading.Event()
    held.set()
    looked = []
    made = bench(hold=lambda: looked.append(1) or held.is_set())
    answers = []

    thread = threading.Thread(target=lambda: answers.append(made.ask().status))
    thread.start()
    until(lambda: len(looked) > 2)
    assert (made.double.asked, answers, made.proxy.in_flight) == ([], [], 0)
    held.clear()
    thread.join(30)

    assert answers == [200]
    assert made.call().counted


def test_a_budget_that_is_used_up_while_a_request_is_held(bench):
    held = threading.Event()
    held.set()
    looked = []
    made = bench(
        hold=lambda: looked.append(1) or held.is_set(),
        gate=lambda: '' if held.is_set() else REASON,
    )
    answers = []

    thread = threading.Thread(target=lambda: answers.append(made.ask().status))
    thread.start()
    until(lambda: len(looked) > 2)
    held.clear()
    thread.join(30)

    assert answers == [402]


def test_a_request_is_not_held_for_ever(bench):
    made = bench(hold=lambda: True, deadlines=Deadlines(hold=0.1))

    answer = made.ask('responses')

    assert answer.status == 503
    assert answer.headers['retry-after'] == '10'
    assert 'paused' in json.loads(answer.read())['error']['message']
    assert made.call().status == 503


def test_a_client_that_goes_away_while_it_is_held(bench):
    looked = []
    made = bench(hold=lambda: looked.append(1) or True)
    connection = made.connect()
    connection.request('POST', '/v1/messages', b'{}')
    until(lambda: bool(looked))

    connection.close()

    assert made.call().message == 'the client went away'
    assert made.double.asked == []


def test_when_a_call_cannot_be_recorded_no_more_are_made(bench, caplog):
    def record(call):
        raise OSError(28, 'No space left on device')

    made = bench(record=record)

    assert made.ask().status == 200
    until(lambda: bool(made.proxy.fault))
    answer = made.ask()

    assert answer.status == 503
    assert 'No space left' in json.loads(answer.read())['error']['message']
    assert 'No space left' in caplog.text
    assert len(made.double.asked) == 1


def test_a_gate_that_does_not_answer(bench):
    answered = threading.Event()
    made = bench(gate=lambda: answered.wait(30) and '', deadlines=Deadlines(books=0.2))

    answer = made.ask()

    assert answer.status == 503
    assert 'does not say' in json.loads(answer.read())['error']['message']
    assert made.double.asked == []
    answered.set()
    assert made.call().status == 503


@pytest.mark.parametrize('which', ['gate', 'hold'])
def test_a_gate_that_fails_lets_nothing_through(bench, which, caplog):
    def fail():
        raise ValueError('no idea')

    made = bench(**{which: fail})

    answer = made.ask()

    assert answer.status == 500
    assert 'no idea' in json.loads(answer.read())['error']['message']
    assert 'no idea' in caplog.text
    assert made.call().status == 500
    assert made.double.asked == []
