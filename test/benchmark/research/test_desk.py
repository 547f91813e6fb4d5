"""The desk in one process: its queue, its budget, and what becomes of a proposal."""

import pytest

from enpire_nodes.benchmark.research.desk import BareDesk
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import TrialAsk


class Bench:
    """A desk whose commits succeed as the test says, and what was run at it."""

    def __init__(self, good=('new',), **settings):
        self.good, self.ran, self.moved = good, [], []
        self.desk = BareDesk(self.run, 'old', self.moved.append, **settings)

    def run(self, commit, seed):
        self.ran.append((commit, seed))
        return commit in self.good

    def work(self, job):
        """Look at a job until it has ended."""
        while not self.desk.job(job.job_id).ended:
            self.desk.job(job.job_id, wait=1.0)
        return self.desk.job(job.job_id)


def test_a_look_without_a_wait_runs_nothing():
    bench = Bench()
    job = bench.desk.submit(TrialAsk('new', trials=3))
    assert bench.desk.job(job.job_id).state == 'queued'
    assert bench.ran == []


def test_arms_take_turns_on_the_same_seeds():
    bench = Bench()
    done = bench.work(bench.desk.submit(TrialAsk('new', trials=3, against='old')))
    assert [commit for commit, _ in bench.ran] == ['new', 'old'] * 3
    seeds = [seed for _, seed in bench.ran]
    assert seeds[::2] == seeds[1::2]
    assert len(set(seeds)) == 3
    assert [(arm.first_attempt_successes, arm.trials) for arm in done.arms] == [(3, 3), (0, 3)]


def test_what_the_agent_asks_for_goes_before_a_retest():
    bench = Bench()
    proposal = bench.desk.publish('new')
    asked = bench.desk.submit(TrialAsk('other', trials=1))
    bench.desk.job(proposal.job_id, wait=1.0)
    assert [commit for commit, _ in bench.ran] == ['other']
    assert bench.desk.job(asked.job_id).ended


def test_a_better_one_is_confirmed_and_moves_main():
    bench = Bench(retest=8, confirm=6)
    bench.work(bench.desk.publish('new'))
    assert bench.desk.main == 'old'
    bench.work(bench.desk.jobs()[-1])
    assert bench.desk.retests == [((8, 8), (0, 8))]
    assert bench.desk.blocks == [(6, 6)]
    assert (bench.desk.main, bench.moved) == ('new', ['new'])
    assert bench.desk.status() == {'state': 'over', 'incumbent': {'commit': 'new'}}


def test_one_that_is_no_better_is_not_confirmed():
    bench = Bench(good=('new', 'old'), retest=8)
    done = bench.work(bench.desk.publish('new'))
    assert done.p_value > 0.05
    assert [job.kind for job in bench.desk.jobs()] == ['retest']
    assert bench.moved == []


def test_a_block_that_falls_short_moves_nothing():
    bench = Bench(retest=8, confirm=6)
    bench.work(bench.desk.publish('new'))
    bench.good = ()
    bench.work(bench.desk.jobs()[-1])
    assert bench.desk.blocks == [(0, 6)]
    assert (bench.desk.main, bench.moved) == ('old', [])


def test_a_canceled_job_runs_no_more_trials():
    bench = Bench()
    job = bench.desk.submit(TrialAsk('new', trials=3))
    bench.desk.job(job.job_id, wait=1.0)
    assert bench.desk.cancel(job.job_id).state == 'canceled'
    bench.desk.job(job.job_id, wait=1.0)
    assert len(bench.ran) == 1


def test_the_budget_is_the_end():
    bench = Bench(budget_trials=2)
    job = bench.desk.submit(TrialAsk('new', trials=5))
    for _ in range(5):
        bench.desk.job(job.job_id, wait=1.0)
    assert len(bench.ran) == 2
    (line,) = bench.desk.budget()
    assert (line.used, line.limit) == (2, 2)
    with pytest.raises(StationError) as caught:
        bench.desk.submit(TrialAsk('new'))
    assert caught.value.code is ErrorCode.SUPERVISOR_BUDGET_USED
