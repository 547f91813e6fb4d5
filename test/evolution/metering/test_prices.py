"""Prices, and lists that are refused."""

from __future__ import annotations

import math

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.evolution.metering.prices import Price, PriceList
from enpire_nodes.evolution.metering.usage import Usage
from enpire_nodes.evolution.records import Tokens

HEAD = 'schema: enpire/prices/1\ncurrency: USD\n'
MILLION = Usage(Tokens(1_000_000, 2_000_000, 300_000, 400_000, 100_000), 100_000)


@pytest.fixture
def load(tmp_path):
    def load(text: str) -> PriceList:
        path = tmp_path / 'prices.yaml'
        path.write_text(text)
        return PriceList.load(path)

    return load


def test_a_call_costs_what_its_classes_cost(load):
    prices = load(
        HEAD + 'models:\n  m: {fresh: 1, cached: 0.1, written: 1.25, hour: 2, output: 10}\n'
        '  n: {fresh: 1, cached: 0.1, written: 1.25, output: 10}\n'
    )

    assert prices.currency == 'USD'
    assert prices.price('m', MILLION) == pytest.approx(1 + 0.2 + 0.25 + 0.2 + 4)
    assert prices.price('n', MILLION) == pytest.approx(1 + 0.2 + 0.375 + 4)


def test_what_is_not_in_the_list_is_unknown(load):
    prices = load(HEAD + 'models:\n  m: {fresh: 1, output: 10}\n')

    assert math.isnan(prices.price('other', MILLION))
    assert math.isnan(prices.price('m', MILLION))
    assert prices.price('m', Usage(Tokens(fresh=2_000_000))) == 2.0
    assert prices.price('other', Usage()) == 0.0


def test_names_go_before_patterns_and_long_patterns_before_short_ones():
    prices = PriceList({'a*': Price(1.0), 'a-b*': Price(2.0), 'A-b-c': Price(3.0)}, 'EUR')

    found = [prices.find(model).fresh for model in ('a-x', 'a-b-d', 'a-B-C')]

    assert found == [1.0, 2.0, 3.0]
    assert prices.find('b') is None


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'must be a mapping'),
        ('schema: other\n', "schema must be 'enpire/prices/1'"),
        (HEAD + 'model: {}\n', "'model' is unknown"),
        (HEAD + 'models: [m]\n', 'models must be a mapping'),
        (HEAD + 'models:\n  m: 3\n', 'models.m must be a mapping'),
        (HEAD + 'models:\n  m: {fresh: 1}\n', 'models.m: the price of output tokens is missing'),
        (HEAD + 'models:\n  m: {fresh: -1, output: 1}\n', 'models.m.fresh: must be 0 or more'),
        (HEAD + 'models:\n  m: {fresh: .nan, output: 1}\n', 'models.m.fresh: must be 0 or more'),
        (HEAD + 'models:\n  m: {fresh: one, output: 1}\n', 'models.m.fresh: must be a number'),
        (HEAD + 'models:\n  m: {fresh: true, output: 1}\n', 'models.m.fresh: must be a number'),
        (HEAD + 'models:\n  m: {fresh: 1, out: 1}\n', "'out' is unknown"),
        (HEAD + 'models:\n  4.1: {fresh: 1, output: 1}\n', 'put it in quotes'),
        (HEAD + 'models: {m: {fresh: 1, output: 1}, M: {fresh: 1, output: 1}}', 'capitals'),
        (HEAD + 'models:\n  m: {fresh: 1, fresh: 2, output: 1}\n', 'given twice'),
        ('schema: enpire/prices/1\nmodels: {m: {fresh: 1, output: 1}}', 'currency'),
        ('{', 'is not valid YAML'),
    ],
)
def test_a_wrong_list_is_refused(load, text, words):
    with pytest.raises(StationError, match=words) as caught:
        load(text)
    assert caught.value.code == ErrorCode.SUPERVISOR_BAD_REQUEST
    assert 'prices.yaml' in caught.value.message


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(StationError, match='cannot be read'):
        PriceList.load(tmp_path / 'none.yaml')


def test_the_list_that_ships_invents_no_price():
    shipped = PriceList.load(config_file('prices.yaml'))

    assert (len(shipped), shipped.currency) == (0, 'USD')


def test_the_example_in_the_list_that_ships_can_be_read(load):
    text = config_file('prices.yaml').read_text().replace('models: {}', '')
    lines = text.splitlines()
    begin = lines.index('# models:')
    example = [line.removeprefix('# ') for line in lines[begin : begin + 2]]

    prices = load('\n'.join([*lines[:begin], *lines[begin + 2 :], *example]))

    assert prices.find('example-model-2') == Price(1.0, 0.1, 1.25, 2.0, 5.0)
