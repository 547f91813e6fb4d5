"""Signed results: appended, and forgeries shown."""

from concurrent.futures import ThreadPoolExecutor
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
import pytest

from enpire_nodes.evolution.hub.names import results_ref
from enpire_nodes.evolution.hub.notes import append, read
from enpire_nodes.rollout.ledger.chain import canonical_json


def put(hub, line, *, ref=None, commit=None):
    append(hub.path, ref or results_ref('s1'), commit or hub.main, line)


def test_results_are_appended_and_believed(hub, key):
    first = hub.add_result('s1', hub.main, {'trials': 10}, key)
    hub.add_result('/s1', 'main', {'trials': 20, 'words': 'größer\n# not a comment'}, key)
    hub.add_result('s2', hub.main, {'trials': 5}, key)
    found = hub.results('s1')
    assert found[0] == first
    assert [line.record['trials'] for line in found] == [10, 20]
    assert all(line.verified and line.commit == hub.main for line in found)
    assert len(hub.results()) == 3
    [(_, _, lines)] = read(hub.path, results_ref('s1'))
    assert lines == [canonical_json(json.loads(line)) for line in lines]


def test_a_station_whose_name_goes_on_is_another(hub, key):
    hub.add_result('s10', hub.main, {'trials': 5}, key)
    assert hub.results('s1') == []


def edited(line):
    return canonical_json({**line, 'result': {'trials': 1000}})


def stamped(line):
    return canonical_json({**line, 'stamp_ns': 0})


def unsigned(line):
    return canonical_json({name: line[name] for name in line if name != 'signature'})


def foreign(line):
    from enpire_nodes.evolution.hub.results import signed_line

    about = {name: line[name] for name in line if name not in ('signature', 'key')}
    return canonical_json(signed_line(about, Ed25519PrivateKey.generate()))


def no_json(line):
    return 'all is well'


def not_finite(line):
    return canonical_json(line).replace('"trials":10', '"trials":NaN')


def a_list(line):
    return '[1, 2]'


@pytest.mark.parametrize(
    'forge',
    [edited, stamped, unsigned, foreign, no_json, not_finite, a_list],
    ids=lambda f: f.__name__,
)
def test_a_forged_line_is_shown_and_not_believed(hub, key, forge):
    line = hub.add_result('s1', hub.main, {'trials': 10}, key)
    put(hub, forge(line))
    found = hub.results()
    assert [line.verified for line in found] == [True, False]
    assert found[1].problem


def test_a_line_is_good_for_its_own_place_alone(hub, agent, key):
    idea = agent.commit('one')
    agent.push()
    line = canonical_json(hub.add_result('s1', hub.main, {'trials': 10}, key))
    put(hub, line)
    put(hub, line, commit=idea)
    put(hub, line, ref=results_ref('s2'))
    problems = sorted(line.problem for line in hub.results())
    assert problems[0] == ''
    assert problems[1] == 'it is there twice'
    assert all('signed for another place' in problem for problem in problems[2:])
    assert len(problems) == 4


def test_writers_that_meet_lose_nothing(hub, key):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: hub.add_result('s1', hub.main, {'n': n}, key), range(12)))
    assert sorted(line.record['n'] for line in hub.results()) == list(range(12))
