"""The book of a campaign: what the journal says, and what budgets are held against."""

from __future__ import annotations

import math

import pytest

from enpire_nodes.evolution.campaign.book import CampaignBook, UNMEASURED
from enpire_nodes.evolution.journal import AGENT, Journal
from enpire_nodes.evolution.records import Arm, Job, JobKind, JobState, ModelCall, Tokens


@pytest.fixture
def book(tmp_path) -> CampaignBook:
    return CampaignBook(Journal(tmp_path))


def call(tokens: int = 0, *, counted: bool = True, status: int = 200, price: float = 0.0):
    return ModelCall('c', 'chat', 'm', 1, 2, status=status, counted=counted,
                     tokens=Tokens(tokens), price=price)  # fmt: skip


def test_what_is_counted_is_what_is_charged(book):
    book.write(call(100, price=1.5))
    book.write(call(50, price=0.5))
    assert (book.tokens.total, book.charged_tokens, book.charged_money) == (150, 150, 2.0)


def test_an_answer_that_did_not_say_what_it_took_is_charged_as_the_largest(book):
    book.write(call(50_000, price=2.0))
    book.write(call(counted=False, price=math.nan))
    book.write(call(700, counted=False, price=0.1))  # hung up after the input was counted
    assert book.tokens.total == 50_700
    assert book.charged_tokens == 150_000
    assert book.charged_money == 6.0


def test_hanging_up_on_the_first_answer_is_not_free_either(book):
    book.write(call(counted=False, price=math.nan))
    assert book.charged_tokens == UNMEASURED


@pytest.mark.parametrize('status', [0, 402, 429, 500])
def test_what_the_model_did_not_answer_costs_nothing(book, status):
    book.write(call(counted=False, status=status, price=math.nan))
    assert (book.charged_tokens, book.charged_money) == (0, 0.0)


def test_a_model_without_a_price_makes_money_unknown(book):
    book.write(call(10, price=math.nan))
    assert math.isnan(book.charged_money)


def test_another_book_of_the_same_journal_says_the_same(book, tmp_path):
    job = Job('test-0001', JobKind.TEST, 'agent', (Arm('r', 'a' * 40),), 3)
    book.write(job)
    book.change(job.job_id, JobState.RUNNING)
    book.write(call(7, counted=False))
    book.note(AGENT, event='session', session='s1')
    again = CampaignBook(Journal(tmp_path))
    again.read()
    assert again.jobs == book.jobs
    assert again.state('test-0001') is JobState.RUNNING
    assert again.open_jobs() == [job]
    assert again.session == 's1'
    assert again.charged_tokens == book.charged_tokens


def test_a_conversation_that_was_given_up_is_not_gone_on_with(book):
    book.note(AGENT, event='session', session='s1')
    book.note(AGENT, event='session', session='')
    assert book.session == ''


def test_exploring_grades_nothing(book):
    recipe = ('a' * 40, '')
    book.write(Job('explore-0001', JobKind.EXPLORE, 'agent', (Arm('e', *recipe),), 3))
    assert book.recipes() == []
    book.write(Job('test-0002', JobKind.TEST, 'agent', (Arm('t', *recipe),), 3))
    assert book.recipes() == [recipe]
    assert book.graded_requests(recipe) == ['t']
