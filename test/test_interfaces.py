"""The rules that every interface of ``enpire_msgs`` follows, read from its source files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re

import pytest

from enpire_nodes.common.errors import ErrorCode

FOLDER = Path(__file__).parents[1] / 'enpire_msgs'
FILES = sorted(path for kind in ('msg', 'srv', 'action') for path in FOLDER.glob(f'{kind}/*'))
LINE = re.compile(
    r'(?P<type>[\w/]+(?:\[\d*\])?)\s+(?P<name>\w+)\s*(?:=\s*(?P<value>\d+))?\s*(?:#\s*(?P<said>.*))?$'
)
#: Blocks of error codes, by the prefix that names the node.
BLOCKS = {
    'GATE': 1,
    'RESET': 2,
    'POLICY': 3,
    'REWARD': 4,
    'RECORDER': 5,
    'RUNNER': 6,
    'SUPERVISOR': 7,
    'HUB': 8,
    'ENVIRONMENT': 9,
    'IMPROVEMENT': 10,
}


@dataclass(frozen=True)
class Entry:
    """A field or a constant of one section."""

    type: str
    name: str
    value: int | None
    said: str


def sections(path: Path) -> list[list[Entry]]:
    """Read a file's sections: one of a message, two of a service, three of an action."""
    read: list[list[Entry]] = [[]]
    for line in path.read_text().splitlines():
        if line.strip() == '---':
            read.append([])
        elif line.strip() and not line.startswith('#'):
            match = LINE.fullmatch(line.strip())
            assert match, f'{path.name}: {line!r} is not understood'
            value = None if match['value'] is None else int(match['value'])
            read[-1].append(Entry(match['type'], match['name'], value, match['said'] or ''))
    return read


def entries(path: Path) -> list[Entry]:
    return [entry for section in sections(path) for entry in section]


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def interface(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_interfaces_are_listed_for_the_build():
    listed = re.findall(
        r'^  ((?:msg|srv|action)/\S+)$', (FOLDER / 'CMakeLists.txt').read_text(), re.M
    )
    assert sorted(listed) == [str(path.relative_to(FOLDER)) for path in sorted(FILES)]


def test_error_codes_are_those_of_python():
    codes = entries(FOLDER / 'msg' / 'ErrorCode.msg')
    published = {entry.name: entry.value for entry in codes if entry.value is not None}
    assert published == {code.name: code.value for code in ErrorCode}


def test_error_codes_lie_in_the_block_of_their_node():
    for code in ErrorCode:
        if code.name not in ('UNSET', 'NONE'):
            assert code.value // 100 == BLOCKS[code.name.split('_')[0]], code


def test_interface_begins_with_what_it_is_for(interface: Path):
    first = interface.read_text().splitlines()[0]
    assert re.match(r'# [A-Z].{15,}', first)


def test_every_field_and_value_says_what_it_means(interface: Path):
    silent = [
        entry.name for entry in entries(interface) if not entry.said and entry.name != 'UNSET'
    ]
    assert silent == []


def test_measured_quantities_have_a_unit(interface: Path):
    units = re.compile(r'^(s|m|N|N m|min)\b|\b0 .*to 1\b|%|/|\btokens?\b|all classes|currency')
    for entry in entries(interface):
        if entry.type.startswith('float'):
            assert units.search(entry.said), f'{entry.name}: {entry.said}'


def test_enumerations_start_unset_and_no_zero_means_success(interface: Path):
    for section in sections(interface):
        constants = [entry for entry in section if entry.value is not None]
        if not constants:
            continue
        groups = ' '.join(f'{entry.name}={entry.value}' for entry in constants)
        zeros = [entry.name for entry in constants if entry.value == 0]
        assert constants[0].name == 'UNSET', groups
        assert all(name == 'UNSET' or name.startswith('UNSET_') for name in zeros), groups


@pytest.mark.parametrize('path', [p for p in FILES if p.suffix == '.action'], ids=lambda p: p.name)
def test_action_results_say_how_it_ended_and_why(path: Path):
    result = {entry.name: entry.type for entry in sections(path)[1] if entry.value is None}
    assert result.get('outcome') == 'uint8'
    assert result.get('error_code') == 'uint16'
    assert result.get('message') == 'string'


@pytest.mark.parametrize('path', [p for p in FILES if p.suffix == '.srv'], ids=lambda p: p.name)
def test_service_responses_carry_an_error_code_and_a_message(path: Path):
    response = {entry.name: entry.type for entry in sections(path)[1] if entry.value is None}
    assert response.get('error_code') == 'uint16'
    assert response.get('message') == 'string'
    assert 'outcome' in response or 'Verdict' in response.values()


def test_built_constants_are_those_of_the_source():
    from enpire_msgs.msg import ErrorCode as Built

    assert {code.name: getattr(Built, code.name) for code in ErrorCode} == {
        code.name: code.value for code in ErrorCode
    }


def test_an_untouched_result_is_no_success():
    from enpire_msgs.action import ExecutePolicy, ResetScene, RunTrials

    for kind in (ResetScene, ExecutePolicy, RunTrials):
        assert kind.Result().outcome == kind.Result.UNSET == 0
        assert kind.Result().error_code == ErrorCode.UNSET
