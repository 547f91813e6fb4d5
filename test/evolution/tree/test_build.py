"""The tree, rebuilt from what was logged: what is known of an idea follows from trials alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from research_run import ResearchRun

from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.records import JobKind
from enpire_nodes.evolution.tree.build import (
    _carried,
    _judged,
    effect_of,
    ENOUGH,
    hub_ideas,
    hub_path,
    tree_of,
)
from enpire_nodes.evolution.tree.layout import arrange
from enpire_nodes.evolution.tree.model import Effect, Idea, IdeaState, IdeaTree


@pytest.fixture(scope='module')
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tree')
    return RunLog.read(ResearchRun(folder / 'run', folder / 'keys', ideas=8, bags=0).write())


@pytest.fixture(scope='module')
def tree(log):
    return tree_of(log, hub_ideas(log))


def test_every_commit_is_there_with_its_parent(log, tree):
    assert len(tree.ideas) == 9
    assert tree.root == log.campaign.base
    assert tree.problems == ()
    for _, idea in log.ideas:
        assert tree.ideas[idea.commit].parent == idea.parent


def test_the_journal_alone_gives_the_same_tree(log, tree):
    assert tree_of(log) == tree


def test_counts_are_those_of_the_ledger(log, tree):
    for commit, idea in tree.ideas.items():
        own = [t for _, t in log.graded if t.commit == commit]
        assert idea.trials == sum(t.counted for t in own)
        assert idea.successes == sum(t.success for t in own if t.counted)
        assert idea.lower <= (idea.rate if own else 0.5) <= idea.upper


def test_each_token_counts_for_one_idea(log, tree):
    last = max(at for at, _ in log.ideas)
    spent = sum(idea.tokens.total for idea in tree.ideas.values() if idea.tokens)
    assert spent == tokens.until(log.calls, last).total


def test_main_is_what_was_promoted_and_the_path_leads_to_it(log, tree):
    (promotion,) = [promotion for _, promotion in log.promotions]
    assert tree.best.commit == promotion.commit
    assert tree.best.state is IdeaState.MAIN
    assert tree.winning[0] == tree.root
    assert tree.winning[-1] == promotion.commit


def test_an_untested_idea_is_not_dead(tree):
    untested = [idea for idea in tree.ideas.values() if not idea.trials]
    assert untested
    assert all(idea.state is IdeaState.UNTESTED for idea in untested)


def test_states_follow_the_comparisons(tree):
    for idea in tree.ideas.values():
        effect = idea.effect
        if idea.state is IdeaState.BETTER:
            assert effect.repeated
            assert effect.p_value < 0.05
        if idea.state is IdeaState.DEAD:
            assert idea.why
            assert not any(c.state >= IdeaState.BETTER for c in tree.children(idea.commit))


def test_an_effect_is_that_of_its_pairs(log, tree):
    jobs = {job.job_id: job for job in log.jobs.values()}
    effects = [effect for idea in tree.ideas.values() for effect in idea.effects]
    assert effects
    for effect in effects:
        job = jobs[effect.job_id]
        assert effect.pairs <= job.trials
        assert effect.repeated == (job.kind is JobKind.RETEST)
        assert effect.difference == pytest.approx((effect.wins - effect.losses) / effect.pairs)
        assert effect.lower <= effect.difference <= effect.upper


def test_git_and_journal_are_held_against_each_other(log):
    ideas = hub_ideas(log)
    told = [replace(ideas[0], subject='something else'), *ideas[2:]]
    problems = tree_of(log, told).problems
    assert len(problems) == 2
    assert any('the hub does not' in words for words in problems)
    assert any('parent or subject' in words for words in problems)


def test_a_peers_idea_has_no_tokens_here(log):
    ideas = hub_ideas(log)
    other = replace(ideas[0], commit='f' * 40, station='station_2', parent=ideas[0].commit)
    idea = tree_of(log, [*ideas, other]).ideas['f' * 40]
    assert idea.tokens is None
    assert idea.parent == ideas[0].commit
    assert idea.state is IdeaState.UNTESTED


def test_a_campaign_may_begin_where_others_had_come_to(log):
    """Its base is an idea of somebody, with ideas before it; other branches have their own."""
    ideas = hub_ideas(log)
    middle = next(idea for idea in ideas if any(i.parent == idea.commit for i in ideas))
    later = replace(log)
    later.__dict__['campaign'] = replace(log.campaign, base=middle.commit)
    tree = tree_of(later, ideas)
    assert len(tree.ideas) == len(ideas)
    assert tree.root == middle.commit
    assert tree.ideas[middle.commit].subject == middle.subject
    for idea in tree.ideas.values():
        assert len(list(tree.ancestry(idea.commit))) <= len(ideas)
    assert arrange(tree).rows == len(ideas)


def test_an_idea_s_tokens_are_those_since_the_one_before(log, tree):
    before = 0
    for at, idea in sorted(log.ideas, key=lambda item: item[0]):
        by_then = tokens.until(log.calls, at).total
        assert tree.ideas[idea.commit].tokens.total == by_then - before
        before = by_then


def test_a_call_under_way_is_shared_between_two_ideas(log):
    (first, one), (second, other) = log.ideas[:2]
    under_way = replace(
        log.calls[0], start_ns=first - 10, first_ns=first, end_ns=2 * second - first
    )
    other_log = replace(log)
    other_log.__dict__['calls'] = [under_way]
    found = tree_of(other_log).ideas
    assert found[one.commit].tokens.output == 0
    assert found[one.commit].tokens.fresh == under_way.tokens.fresh
    assert found[other.commit].tokens.output == round(under_way.tokens.output / 2)
    assert found[other.commit].tokens.fresh == 0


BEST = Idea('best', '', 's', 'a', trials=50, successes=45, lower=0.78, upper=0.97)


def compared(difference, p_value, *, repeated):
    return (Effect('j', 'o', repeated, 20, 4, 2, difference, -0.1, 0.3, p_value),)


@pytest.mark.parametrize(
    ('change', 'went_on', 'state', 'why'),
    [
        ({'trials': 0}, True, IdeaState.UNTESTED, 'not tested'),
        ({'effects': compared(0.2, 0.01, repeated=True)}, False, IdeaState.BETTER, 'held'),
        ({'effects': compared(0.2, 0.01, repeated=False)}, True, IdeaState.ALIVE, 'not repeated'),
        ({'effects': compared(0.2, 0.2, repeated=True)}, True, IdeaState.ALIVE, 'for certain'),
        ({'effects': compared(0.2, 0.2, repeated=True)}, False, IdeaState.DEAD, 'elsewhere'),
        ({'effects': compared(0.0, 0.5, repeated=False)}, True, IdeaState.DEAD, 'no gain'),
        ({'upper': 0.7}, True, IdeaState.DEAD, 'at most 70%'),
        ({'upper': 0.7, 'trials': ENOUGH - 1}, True, IdeaState.ALIVE, 'nothing speaks'),
        ({'upper': 0.78}, True, IdeaState.ALIVE, 'nothing speaks'),
        ({}, False, IdeaState.DEAD, 'elsewhere'),
    ],
)
def test_the_rules_of_a_state(change, went_on, state, why):
    idea = replace(Idea('i', '', 's', 'a', trials=12, successes=8, lower=0.3, upper=0.9), **change)
    judged = _judged(idea, BEST, went_on)
    assert judged.state is state
    assert why in judged.why


def test_a_repetition_is_quoted_before_a_longer_screening():
    screened = replace(compared(0.5, 0.001, repeated=False)[0], pairs=90)
    (repeated,) = compared(0.1, 0.3, repeated=True)
    idea = replace(BEST, effects=(screened, repeated))
    assert idea.effect is repeated


def test_nothing_is_dead_that_led_to_something_better():
    names = ('root', 'way', 'better', 'dead end')
    states = (IdeaState.UNTESTED, IdeaState.DEAD, IdeaState.BETTER, IdeaState.DEAD)
    parents = ('', 'root', 'way', 'root')
    ideas = {
        name: Idea(name, parent, 's', 'a', state=state)
        for name, parent, state in zip(names, parents, states, strict=True)
    }
    found = _carried(IdeaTree(ideas, 'root'), dict(ideas))
    assert [found[name].state for name in names] == [
        IdeaState.UNTESTED, IdeaState.ALIVE, IdeaState.BETTER, IdeaState.DEAD,
    ]  # fmt: skip
    assert found['way'].why == 'led on to better'


def test_a_comparison_without_a_pair_has_no_effect(log):
    job = next(job for job in log.jobs.values() if job.paired)
    other = replace(log)
    one = log.counted[job.arms[0].request_id]
    other.__dict__['counted'] = {job.arms[0].request_id: one}
    assert effect_of(job, log) is not None
    assert effect_of(job, other) is None


def test_a_run_that_was_moved_has_its_hub_with_it(log, tmp_path):
    assert hub_path(log) == log.run / 'research' / 'hub.git'
    elsewhere = replace(log, run=tmp_path)
    assert hub_path(elsewhere) == Path(log.campaign.hub)
    assert hub_ideas(elsewhere) == hub_ideas(log)
    elsewhere.__dict__['campaign'] = replace(log.campaign, hub=str(tmp_path / 'none.git'))
    assert hub_ideas(elsewhere) == []
