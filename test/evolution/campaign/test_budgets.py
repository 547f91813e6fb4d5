"""Budgets: what is used, what is left, and when it is over."""

from __future__ import annotations

import math

import pytest

from enpire_nodes.evolution.campaign.budgets import spent, states, Used
from enpire_nodes.evolution.records import Budgets


def test_a_budget_of_nothing_is_no_limit():
    assert states(Budgets(), Used(tokens=10**9, trials=10**6)) == []
    assert spent(Budgets(), Used(tokens=10**9)) == ''


@pytest.mark.parametrize('name', ['tokens', 'money', 'wall_clock', 'robot_time', 'trials'])
def test_each_budget_ends_at_its_limit_and_not_before(name):
    limits = Budgets(**{name: 10})
    assert spent(limits, Used(**{name: 9})) == ''
    assert name in spent(limits, Used(**{name: 10}))


def test_the_most_used_comes_first():
    limits = Budgets(tokens=100, trials=10)
    assert [s.name for s in states(limits, Used(tokens=10, trials=9))] == ['trials', 'tokens']


def test_a_price_that_nobody_knows_uses_the_budget_up():
    words = spent(Budgets(money=5.0, trials=3), Used(money=math.nan), currency='USD')
    assert 'unknown' in words
    assert 'USD' in words
