"""The options of training."""

import argparse
from pathlib import Path

import pytest

from enpire_nodes.improvement.arguments import add_training_arguments


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    add_training_arguments(parser)
    return lambda *words: vars(parser.parse_args(words))


def test_nothing_is_asked_for_by_default(parse):
    assert parse() == {'runs': [], 'follow': False, 'fresh': False}
    parse('--run', 'a')
    assert parse()['runs'] == [], 'one command leaves nothing for the next'


def test_runs_add_up(parse):
    found = parse('--run', 'a', '--run', '/b', '--follow', '--fresh')
    assert found == {'runs': [Path('a'), Path('/b')], 'follow': True, 'fresh': True}


@pytest.mark.parametrize('words', [('--run',), ('run_1',), ('--epochs', '3')])
def test_anything_else_is_wrong_usage(parse, words, capsys):
    with pytest.raises(SystemExit, match='2'):
        parse(*words)
