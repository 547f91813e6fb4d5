"""``enpire environment drill``: a broken judge and the trials until somebody notices."""

import argparse
import json

import pytest

from enpire_nodes.cli import environment_drill
from enpire_nodes.cli.environment_drill import table
from enpire_nodes.common.errors import ErrorCode, StationError


def drill(*arguments):
    parser = argparse.ArgumentParser()
    environment_drill.add_parser(parser.add_subparsers())
    parsed = parser.parse_args(['drill', 'pin_insertion', '--workers', '0', *map(str, arguments)])
    return parsed.run(parsed)


@pytest.mark.egl
def test_a_broken_judge_is_noticed_and_the_trials_are_told(tmp_path, capsys):
    output = tmp_path / 'made' / 'drill.json'
    assert drill('--episodes', 6, '--campaigns', 20, '--most', 60, '--output', output) == 0
    report = json.loads(output.read_text())
    judges = report['judges']
    assert judges['as accepted']['noticed']['truth'] == {'median': None, '95 %': None}
    assert judges['as accepted']['false successes'] == '0 of 3'
    kind = judges['calls all a success']
    assert kind['false successes'] == '3 of 3'
    assert kind['misses'] == '0 of 3'
    assert 2 <= kind['noticed']['truth']['median'] <= kind['noticed']['truth']['95 %'] <= 20
    said = capsys.readouterr().out
    assert 'side camera turned 3°' in said
    assert str(output.name) in said


def test_what_goes_on_to_the_end_is_said_to():
    noticed = {'truth': {'median': 12, '95 %': None}}
    judge = {'false successes': '0 of 1', 'misses': '1 of 1', 'noticed': noticed}
    shown = table({'campaigns': 5, 'most': 300, 'judges': {'turned': judge}})
    assert list(shown.columns[-1].cells) == ['12, > 300']


def test_nothing_to_judge_is_refused(tmp_path):
    with pytest.raises(StationError) as caught:
        drill('--episodes', 0, '--output', tmp_path / 'drill.json')
    assert caught.value.code is ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES


def test_what_may_have_been_learned_is_not_judged(tmp_path):
    with pytest.raises(StationError, match='for fitting'):
        drill('--seed', 7, '--output', tmp_path / 'drill.json')


@pytest.mark.parametrize('option', ['--campaigns', '--most'])
def test_none_of_something_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        drill(option, 0)
    assert 'at least 1' in capsys.readouterr().err
