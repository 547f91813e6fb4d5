"""Promotions: main moves with a signature, or not at all."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import promotion as module
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import NOTHING
from enpire_nodes.evolution.records import Promotion


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
