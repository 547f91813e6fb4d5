"""The race between ideas, and what people are told of it."""

import pytest

from enpire_nodes.evolution.researcher.bandit import Count
from enpire_nodes.evolution.researcher.catalogue import CATALOGUE
from enpire_nodes.evolution.researcher.notes import message, noted, verdict
from enpire_nodes.evolution.researcher.plan import Plan, plan_for, QUICK
from enpire_nodes.evolution.researcher.repository import Commit
from enpire_nodes.evolution.researcher.tree import Stage, Tree

PLAN = Plan(base=8, rungs=(4, 8), keep=(0.5, 0.7), lead=0.9, publish=0.95, proof=10)


@pytest.fixture
def tree():
    commits = [Commit(name * 40, f'kind {name}', 'm' * 40, f'Idea {name}') for name in 'ab']
    made = Tree.of(PLAN, 'm' * 40, commits)
    made.nodes['m' * 40].count = Count(3, 10)
    return made


def node(tree, name='a', **changes):
    found = tree.nodes[name * 40]
    for key, value in changes.items():
        setattr(found, key, value)
    return found


@pytest.mark.parametrize(
    ('changes', 'stage'),
    [
        ({}, Stage.NEW),
        ({'jobs': 1}, Stage.BUSY),
        ({'rungs': 1, 'count': Count(3, 4)}, Stage.OPEN),
        ({'rungs': 1, 'count': Count(0, 4)}, Stage.DEAD),
        ({'rungs': 1, 'count': Count(3, 4), 'refuted': True}, Stage.DEAD),
        ({'rungs': 2, 'count': Count(5, 12)}, Stage.DEAD),
        ({'rungs': 2, 'count': Count(12, 12)}, Stage.LEADS),
        ({'rungs': 2, 'count': Count(12, 12), 'refuted': True}, Stage.DEAD),
    ],
)
def test_stages(tree, changes, stage):
    assert tree.stage(node(tree, **changes)) is stage


def test_few_trials_do_not_lead_however_well_they_went(tree):
    node(tree, count=Count(11, 11))
    assert tree.leader.made.commit == tree.main
    node(tree, count=Count(12, 12))
    assert tree.leader.made.idea == 'kind a'


def test_of_two_candidates_the_better_leads(tree):
    node(tree, 'a', count=Count(10, 12))
    node(tree, 'b', count=Count(12, 12))
    assert tree.leader.made.idea == 'kind b'


@pytest.mark.parametrize(
    ('count', 'due'),
    [
        (Count(0, 0), 8),
        (Count(4, 5), 3),
        (Count(4, 8), 0),
        (Count(8, 8), 8),  # four of four are not better than that
        (Count(18, 18), 6),
        (Count(24, 24), 0),  # no luck any more
    ],
)
def test_a_start_that_nothing_could_beat_is_tested_further(tree, count, due):
    tree.nodes[tree.main].count = count
    assert tree.base_due == due


def test_once_an_idea_leads_the_start_is_tested_no_further(tree):
    tree.nodes[tree.main].count = Count(10, 10)
    assert tree.base_due == 8
    node(tree, count=Count(200, 200))
    assert tree.base_due == 0


def test_trials_that_are_left_are_hoped_for(tree):
    half = node(tree, count=Count(0, 2))
    assert tree.hopeless(half)
    assert not tree.hopeless(half, left=2)


def test_luck_of_the_screening_proves_nothing(tree):
    lucky = node(tree, count=Count(20, 20), fresh=Count(9, 9))
    assert not tree.proven(lucky)
    assert tree.proven(node(tree, fresh=Count(10, 10)))
    assert not tree.proven(node(tree, fresh=Count(4, 10)))


def test_notes_tell_why_and_do_not_grow_with_each_writing(tree):
    node(tree, rungs=1, count=Count(0, 4))
    node(tree, 'b', rungs=2, count=Count(5, 12), refuted=True)
    once = noted('# Notes\n\nBy hand.\n', tree)
    assert once.startswith('# Notes\n\nBy hand.\n\n## Ideas that were given up\n')
    assert '* Idea a (aaaaaaaaaa): 0 of 4, the best 3 of 10: better with a probability' in once
    assert '* Idea b (bbbbbbbbbb): 5 of 12; the re-test on fresh seeds did not' in once
    assert noted(once, tree) == once
    assert verdict(tree, tree.dead()[0]) in once


def test_notes_without_dead_ideas(tree):
    assert noted('# Notes\n', tree) == '# Notes\n'


def test_a_message_has_its_trailers_last(tree):
    idea = CATALOGUE[0].every()[0]
    words = message(idea, tree.nodes[tree.main], ['b' * 40]).splitlines()
    assert words[0] == idea.sentence
    assert 'succeeded in 3 of 10 trials' in words[2]
    assert words[-4:] == ['', f'Idea: {idea.name}', f'Parent: {"m" * 40}',
                          f'Borrowed-From: {"b" * 40}']  # fmt: skip


@pytest.mark.parametrize(
    ('trials', 'seconds', 'reserve'), [(60, 1e9, 33), (1e9, 300.0, 33), (200, 1e9, QUICK.reserve)]
)
def test_a_small_budget_asks_less_of_each_idea(trials, seconds, reserve):
    plan = plan_for(trials, seconds)
    assert plan.rungs == QUICK.rungs
    assert plan.reserve == reserve


def test_a_large_budget_is_planned_in_full():
    assert plan_for(1000, float('inf')) == Plan()
