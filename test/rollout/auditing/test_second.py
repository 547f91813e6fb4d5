"""The held-out verifier at work beside the station."""

from __future__ import annotations

from dataclasses import replace
import threading
import time

from audit_support import evidence
import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.second import SecondVerifier
from enpire_nodes.rollout.records import VerdictOutcome as V
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.second_opinion import Opinion


class Opinions:
    """Says what it is told, when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.says: list = []
        self.threads: set[str] = set()

    def opine(self, frames, states) -> Opinion:
        assert self.go.wait(10.0)
        self.threads.add(threading.current_thread().name)
        says = self.says.pop(0)
        if isinstance(says, Exception):
            raise says
        return Opinion(says, 'as told')


@pytest.fixture
def opinions():
    return Opinions()


@pytest.fixture
def found():
    return []


@pytest.fixture
def verifier(opinions, found):
    def read(trial, attempt):
        if trial.trial_id == 'lost':
            raise StationError(ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE, 'no bag')
        return evidence()

    verifier = SecondVerifier(opinions, read=read, found=found.append)
    yield verifier
    opinions.go.set()
    verifier.close()


def trial(name: str, *verdicts: V):
    attempts = tuple(attempt(index + 1, verdict) for index, verdict in enumerate(verdicts))
    return replace(ended(open_trial(name)), attempts=attempts)


def wait(condition) -> None:
    end = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_every_judged_attempt_is_scored_in_another_thread(verifier, opinions, found):
    opinions.says = [Outcome.FAILURE, Outcome.SUCCESS]
    verifier.give(trial('t1', V.FAILURE, V.UNSET, V.UNCERTAIN), {1, 2, 3})
    wait(lambda: len(found) == 2)
    assert [(item.attempt, item.says) for item in found] == [(1, V.FAILURE), (3, V.SUCCESS)]
    assert found[0].reason == 'as told'
    assert opinions.threads == {'second verifier'}


def test_only_what_is_asked_for_is_scored_and_only_once(verifier, opinions, found):
    opinions.says = [Outcome.FAILURE, Outcome.SUCCESS]
    for _ in range(2):
        verifier.give(trial('t1', V.FAILURE, V.FAILURE, V.SUCCESS), {2})
    verifier.give(trial('t2', V.SUCCESS), {1})
    wait(lambda: len(found) == 2)
    assert [(item.trial_id, item.attempt) for item in found] == [('t1', 2), ('t2', 1)]


def test_giving_does_not_wait(verifier, opinions, found):
    opinions.go.clear()
    opinions.says = [Outcome.SUCCESS] * 20
    for number in range(20):
        verifier.give(trial(f't{number}', V.SUCCESS), {1})
    assert verifier.waiting >= 19
    assert found == []
    opinions.go.set()
    wait(lambda: len(found) == 20)


def test_what_cannot_be_read_or_looked_at_is_undecided_and_the_rest_goes_on(
    verifier, opinions, found
):
    opinions.says = [ZeroDivisionError('odd bag'), Outcome.SUCCESS]
    for name in ('lost', 'odd', 'fine'):
        verifier.give(trial(name, V.SUCCESS), {1})
    wait(lambda: len(found) == 3)
    assert [item.says for item in found] == [V.UNCERTAIN, V.UNCERTAIN, V.SUCCESS]
    assert [item.reason for item in found[:2]] == ['no bag', 'ZeroDivisionError: odd bag']


def test_closing_leaves_what_is_left_for_the_next_start(verifier, opinions, found):
    opinions.go.clear()
    opinions.says = [Outcome.SUCCESS] * 9
    verifier.give(trial('t1', *[V.FAILURE] * 5), range(1, 6))
    closer = threading.Thread(target=verifier.close)
    closer.start()
    time.sleep(0.05)
    opinions.go.set()
    closer.join(5.0)
    assert not closer.is_alive()
    assert len(found) <= 2
