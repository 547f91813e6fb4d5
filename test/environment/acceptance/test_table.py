"""The acceptance report for a terminal."""

from io import StringIO

from acceptance_support import episode, good, resets
import pytest
from rich.console import Console

from enpire_nodes.environment.acceptance.criteria import Requirements
from enpire_nodes.environment.acceptance.report import build
from enpire_nodes.environment.acceptance.table import tables


def printed(episodes, tried, **about):
    report = build(
        episodes, tried, required=Requirements(), task='pin_insertion', digest='abc', files={},
        about=about,
    )  # fmt: skip
    console = Console(width=120, file=StringIO())
    console.print(tables(report))
    return console.file.getvalue()


def row(text, name):
    """Return the cells of the rows that begin with a name."""
    return [
        [cell.strip() for cell in line.strip('│').split('│')]
        for line in text.splitlines()
        if line.startswith(f'│ {name} ')
    ]


def test_an_accepted_environment_is_told_so():
    text = printed(good(3000), resets())
    assert 'accepted: the environment may be frozen' in text
    assert 'FAILS' not in text
    assert row(text, 'recall')[0][1:5] == ['100.00 %', '99.80 %', '>= 98.00 %', 'met']
    assert row(text, 'false positives')[0][1:4] == ['0.00 %', '0.20 %', '<= 0.20 %']
    assert row(text, 'latency p50')[0][1:4] == ['10.0 ms', '10.0 ms', '<= 15.0 ms']


def test_each_source_stands_beside_the_verdict():
    text = printed(good(3000), resets())
    assert row(text, 'camera/side')[0][1] == '750/1500 50.00 %'
    assert row(text, 'verdict')[0][1] == '0/1500 0.00 %'
    kinds = row(text, 'on_rim')[0]
    assert kinds[1:7] == ['750', '750', '0', '0', '0', '0']
    assert row(text, 'inserted')[0][1:7] == ['1500'] * 6


@pytest.mark.parametrize(
    ('extra', 'tried', 'words'),
    [
        ([episode('on_rim', 'S')] * 9, resets(), 'NOT accepted: false positives'),
        ([], resets(20), 'NOT accepted: reset'),
        ([episode('inserted', 'U')] * 90, resets(), 'NOT accepted: recall, uncertain'),
        ([], [], 'NOT accepted: reset, reset time'),
    ],
)
def test_what_fails_is_named(extra, tried, words):
    text = printed([*good(3000), *extra], tried)
    assert words in text.splitlines()[-1]
    assert 'FAILS' in text


def test_a_latency_that_was_measured_on_a_busy_machine_is_told_to_be_so():
    calm = printed(good(3000), resets(), load_average=[2.1, 2.0, 2.0], cores=2)
    assert 'busy' not in calm
    busy = printed(good(3000), resets(), load_average=[7.9, 8.0, 6.0], cores=2)
    assert 'the machine was busy (load 7.9 on 2 cores)' in busy
