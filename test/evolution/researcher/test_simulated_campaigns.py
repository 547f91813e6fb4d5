"""Whole campaigns with made-up success rates."""

from enpire_nodes.benchmark.research.desk import BareDesk
from enpire_nodes.benchmark.research.memory import MemoryRepository
from enpire_nodes.benchmark.research.simulated import (
    assemble,
    Rehearsed,
    simulate,
    template_files,
)
from enpire_nodes.evolution.researcher.start import start_files


def test_the_good_idea_is_found_and_luck_is_not_confirmed():
    helped = [simulate(seed, start=0.2, worth={'aim-by-eye': 0.97}) for seed in range(12)]
    assert sum(outcome.rate == 0.97 for outcome in helped) >= 7
    hopeless = [simulate(seed, start=0.35, worth={}) for seed in range(12)]
    assert sum(bool(outcome.published) for outcome in hopeless) <= 4


def test_most_ideas_die_and_the_budget_is_kept():
    for seed in range(5):
        outcome = simulate(seed, budget=90)
        assert outcome.trials <= 90
        assert outcome.dead >= outcome.ideas - 2


def lines(seed):
    said = []
    simulate(seed, say=said.append)
    return [line.split(' (')[0] for line in said]


def test_a_seed_makes_a_tree_and_another_makes_another():
    assert lines(1) == lines(1)
    assert lines(1) != lines(2)


def world(seed, lucky=0):
    """Make a world where one idea always succeeds, and the rest only in its first trials."""
    files = template_files()
    repository = MemoryRepository({**files, **start_files(files)})
    luck = iter([True] * lucky)

    def succeeds(commit, pose):
        good = 'aim-by-eye' in ' '.join(repository.lineage(commit))
        return good or (commit == repository.main and next(luck, False))

    desk = BareDesk(
        succeeds, repository.main, lambda commit: setattr(repository, 'main', commit), 110
    )
    return (
        repository,
        desk,
        lambda: assemble(
            desk, repository, Rehearsed(repository, seed), plan=None, say=lambda words: None
        ),
    )


def test_a_researcher_that_is_killed_goes_on_from_commits_and_jobs():
    repository, desk, born = world(3)
    researcher = born()
    reason = ''
    for step in range(3000):
        if step % 7 == 0:
            researcher = born()
        reason = researcher.step(wait=1.0)
        if reason:
            break
    assert reason
    assert desk.used <= 110
    assert len({made.commit for made in repository.ideas()}) == len(repository.ideas())
    tested = [job.arms[0].commit for job in desk.jobs() if job.kind == 'test']
    assert {made.commit for made in repository.ideas()} <= set(tested)
    assert 'aim-by-eye' in ' '.join(repository.lineage(desk.main))


def test_a_start_that_was_lucky_at_first_is_tested_again():
    repository, desk, born = world(3, lucky=6)
    researcher = born()
    while not researcher.step(wait=1.0):
        pass
    assert desk.jobs()[0].arms[0].successes == 6
    assert ['aim-by-eye' in ' '.join(repository.lineage(one)) for one in desk.published] == [True]


def test_the_queue_holds_the_next_job_before_the_last_one_ends():
    _, desk, born = world(4)
    researcher, waits, idle = born(), 0, 0
    for _ in range(120):
        before = desk.used
        if researcher.step(wait=1.0):
            break
        waits += desk.used > before
        idle += desk.used > before and not any(not job.ended for job in desk.jobs())
    assert waits > 40
    assert idle <= 3


def test_a_certified_campaign_is_left_at_once():
    _, desk, born = world(5)
    desk.status = lambda: {'state': 'running', 'certified': True}
    assert born().step() == 'the target is certified'
    assert desk.jobs() == []
