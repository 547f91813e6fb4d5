"""Live accounts: the sums of what came in, from the campaign's begin on."""

from dataclasses import replace
import itertools
import math

import pytest

from enpire_nodes.evolution import journal
from enpire_nodes.evolution.accounting.live import LiveAccounts
from enpire_nodes.evolution.records import Budgets, CampaignRecord, ModelCall, Tokens
from enpire_nodes.rollout.ledger.chain import canonical_json, Entry
from enpire_nodes.rollout.record_json import to_json

S = 10**9
T0 = 1_700_000_000 * S
NUMBERS = itertools.count(1)


def entry(kind, data, at):
    content = canonical_json(to_json(data))
    return Entry(next(NUMBERS), kind, T0 + at * S, at * S, '', '', content, '', '')


CAMPAIGN = CampaignRecord('c', 's', 'pin_insertion', 'builtin', '', 0.9, 50, Budgets(), 'hub')


def fed():
    accounts = LiveAccounts(window=60.0)
    accounts.feed_journal([entry(journal.CAMPAIGN, CAMPAIGN, 0)])
    return accounts


def call(start, end, price=math.nan, **counts):
    made = ModelCall(
        'c', 'chat', 'm', T0 + start * S, T0 + end * S, T0 + start * S, 200, True,
        Tokens(**counts), price,
    )  # fmt: skip
    return entry(journal.CALL, made, end)


def test_a_call_that_was_refused_needs_no_price():
    accounts = fed()
    silent = {'counted': False, 'price': None}
    refused = {**silent, 'status': 402}
    made = call(0, 10)
    for change in (silent, refused):
        content = canonical_json({**made.data, **change})
        accounts.feed_journal([replace(made, content=content)])
    found = accounts.totals(T0 + 20 * S)
    assert found.unpriced == 1


def test_rates_forget_what_is_past():
    accounts = fed()
    accounts.feed_journal([call(0, 10, 0.5, fresh=100, output=10), call(100, 110, fresh=30)])
    found = accounts.totals(T0 + 120 * S)
    assert found.tokens == Tokens(fresh=130, output=10)
    assert found.tokens_per_minute['fresh'] == pytest.approx(30.0)
    assert found.tokens_per_minute['output'] == 0.0
    assert (found.price, found.unpriced) == (0.5, 1)


def test_people_and_the_gpu():
    accounts = fed()
    accounts.feed_journal(
        [
            entry(journal.HUMAN, {'seconds': 30.0, 'why': 'label'}, 1),
            entry(journal.GPU, {'seconds': 5.0, 'share': 0.4}, 2),
        ]
    )
    assert accounts.totals(T0 + S).human_seconds == 30.0
    assert accounts.totals(T0 + S).gpu == 0.4
    accounts.feed_journal([entry(journal.GPU, {'seconds': 5.0, 'share': None}, 3)])
    assert math.isnan(accounts.totals(T0 + S).gpu)


def test_before_a_campaign_there_is_nothing():
    found = LiveAccounts().totals(T0)
    assert (found.tokens.total, found.price, found.unpriced) == (0, 0.0, 0)
