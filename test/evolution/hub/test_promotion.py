"""Promotions: main moves with a signature, or not at all."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import promotion as module
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import NOTHING, PROMOTIONS
from enpire_nodes.evolution.hub.notes import append, read
from enpire_nodes.evolution.records import Promotion
from enpire_nodes.rollout.ledger.chain import canonical_json


def of(commit):
    return Promotion(commit, 'request', 50, 50, 0.942)


def test_main_moves_and_the_record_says_why(hub, agent, key):
    base, made = hub.main, agent.commit('better', policy__py='GAIN = 2\n')
    agent.push()
    hub.promote(of(made), key=key)
    assert hub.main == made
    [line] = hub.promotions()
    assert line.verified
    assert (line['base'], line['promotion']['commit']) == (base, made)
    hub.promote(of(made), key=key)
    assert len(hub.promotions()) == 1


def test_a_commit_that_breaks_the_rules_is_never_main(hub, key):
    tree = git(hub.path, 'mktree', content=b'').text
    made = git(hub.path, 'commit-tree', '-p', hub.main, '-m', 'empty', tree).text
    before = hub.main
    with pytest.raises(StationError, match='frozen') as caught:
        hub.promote(of(made), key=key)
    assert caught.value.code == ErrorCode.HUB_PUSH_REFUSED
    assert hub.main == before
    assert hub.promotions() == []


def test_an_unknown_commit_is_told(hub, key):
    with pytest.raises(StationError) as caught:
        hub.promote(of('1' * 40), key=key)
    assert caught.value.code == ErrorCode.HUB_COMMIT_UNKNOWN


def test_main_that_was_moved_meanwhile_stays(hub, agent, key, monkeypatch):
    made = agent.commit('better', policy__py='GAIN = 2\n')
    other = agent.commit('other', policy__py='GAIN = 3\n')
    agent.push()
    swap = module.swap

    def race(repository, ref, new, old):
        git(repository, 'update-ref', ref, other, old)
        return swap(repository, ref, new, old)

    monkeypatch.setattr(module, 'swap', race)
    with pytest.raises(StationError, match='moved meanwhile'):
        hub.promote(of(made), key=key)
    assert hub.main == other != NOTHING


def test_a_promotion_that_was_cut_short_is_repeated_with_one_record(hub, agent, key, monkeypatch):
    made = agent.commit('better', policy__py='GAIN = 2\n')
    agent.push()

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, 'swap', die)
        hub.promote(of(made), key=key)
    assert hub.main != made
    assert len(hub.promotions()) == 1
    hub.promote(of(made), key=key)
    assert hub.main == made
    assert len(hub.promotions()) == 1


def test_a_record_is_good_for_its_own_commit_alone(hub, agent, key):
    made = agent.commit('better', policy__py='GAIN = 2\n')
    other = agent.commit('other', policy__py='GAIN = 3\n')
    agent.push()
    hub.promote(of(made), key=key)
    [(ref, _, [line])] = read(hub.path, PROMOTIONS)
    append(hub.path, ref, other, line)
    append(hub.path, ref, other, canonical_json({'promotion': {'commit': other}}))
    problems = sorted(line.problem for line in hub.promotions())
    assert problems[0] == ''
    assert any('signed for another place' in problem for problem in problems[1:])
    assert [line.verified for line in hub.promotions()].count(True) == 1
