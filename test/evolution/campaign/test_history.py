"""What an agent is told of the ideas so far: their states, plateaus, and near misses."""

from __future__ import annotations

import math

import pytest
from research_run import ResearchRun

from enpire_nodes.evolution.campaign import history
from enpire_nodes.evolution.campaign.history import history_of
from enpire_nodes.evolution.tree.build import build_tree
from enpire_nodes.evolution.tree.model import Effect, Idea, IdeaState, IdeaTree


def effect(p_value: float) -> Effect:
    return Effect('j', 'base', False, 20, 5, 2, 0.15, -0.1, 0.4, p_value)


def told(monkeypatch, *states, p_values=()):
    """Return the history of ideas in these states, one a second, the first one the root."""
    ideas = {'base': Idea('base', '', 'the start', '')}
    p_values = dict(p_values)
    for number, state in enumerate(states):
        name = f'{number:040d}'
        effects = (effect(p_values[number]),) if number in p_values else ()
        ideas[name] = Idea(
            name, 'base', f's {number}', 'station_1', 100.0 - number, trials=4, successes=2,
            effects=effects, state=state,
        )  # fmt: skip
    monkeypatch.setattr(history, 'build_tree', lambda run: IdeaTree(ideas, 'base'))
    return history_of(None, incumbent='base', weights={'0' * 40: 'w'})


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    return ResearchRun(folder / 'run', folder / 'keys', ideas=5, trials=6, bags=0).write()


def test_it_is_the_tree_without_its_root(run):
    tree = build_tree(run)
    found = history_of(run, incumbent='main', weights={})
    assert {view.commit for view in found.ideas} == {*tree.ideas} - {tree.root}
    assert [view.stamp for view in found.ideas] == sorted(view.stamp for view in found.ideas)
    assert (found.best, found.incumbent) == (tree.best.commit, 'main')
    for view in found.ideas:
        idea = tree.ideas[view.commit]
        assert (view.trials, view.successes, view.lower) == (
            idea.trials, idea.successes, idea.lower,
        )  # fmt: skip
        assert view.effect == idea.effect.difference if idea.effect else math.isnan(view.effect)
    (main,) = [view for view in found.ideas if view.commit == tree.best.commit]
    assert main.state == 'confirmed'


def test_the_oldest_comes_first_with_its_weights(monkeypatch):
    found = told(monkeypatch, IdeaState.ALIVE, IdeaState.UNTESTED)
    assert [view.stamp for view in found.ideas] == [99.0, 100.0]
    assert [view.weights for view in found.ideas] == ['', 'w']
    assert [view.state for view in found.ideas] == ['untested', 'alive']


@pytest.mark.parametrize(
    ('states', 'plateau'),
    [
        ([], 0),
        ([IdeaState.DEAD] * 3, 3),
        ([IdeaState.BETTER, IdeaState.DEAD, IdeaState.ALIVE], 0),
        ([IdeaState.DEAD, IdeaState.ALIVE, IdeaState.MAIN], 2),
    ],
)
def test_a_plateau_counts_the_ideas_since_the_last_gain(monkeypatch, states, plateau):
    """The last of the states is the oldest idea."""
    assert told(monkeypatch, *states).plateau == plateau


def test_a_long_plateau_is_told():
    ideas = [Idea(str(n), '', 's', 'a', state=IdeaState.DEAD) for n in range(9)]
    assert 'something of another kind' not in history._words(ideas, 7, ())
    assert 'nothing got better for 8 ideas' in history._words(ideas, 8, ())


def test_a_near_miss_is_alive_and_nearly_shown(monkeypatch):
    states = [IdeaState.ALIVE, IdeaState.ALIVE, IdeaState.DEAD, IdeaState.ALIVE]
    found = told(monkeypatch, *states, p_values={0: 0.1, 1: 0.3, 2: 0.1})
    assert found.near_misses == ('0' * 40,)
    assert found.words == '4 ideas, 1 dead; 1 near misses deserve more trials'


def test_before_the_first_idea_it_says_so(monkeypatch):
    assert told(monkeypatch).words == 'nothing was tried yet'
