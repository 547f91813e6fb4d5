"""The tree, rebuilt from what was logged: what is known of an idea follows from trials alone."""

from dataclasses import replace

import pytest
from research_run import ResearchRun

from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.records import JobKind
from enpire_nodes.evolution.tree.build import hub_ideas, tree_of
from enpire_nodes.evolution.tree.layout import arrange
from enpire_nodes.evolution.tree.model import IdeaState


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
