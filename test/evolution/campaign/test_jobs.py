"""Making jobs, and showing them to whoever asked."""

from __future__ import annotations

from dataclasses import replace
import math

import paper_station
import pytest

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.campaign.schedule import AGENT
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.records import JobKind


@pytest.fixture
def desk(bench):
    return bench.begin()


def make(bench, *recipes, kind=JobKind.TEST, trials=3, **wanted):
    chosen = recipes or [(bench.hub.main, '')]
    return bench.campaign.jobs.make(kind, AGENT, chosen, trials=trials, **wanted)


# -- making -----------------------------------------------------------------------------------


def test_a_job_is_written_down_and_queued(bench, desk):
    job = make(bench, attempts=4, words='why')
    again = make(bench, kind=JobKind.EXPLORE)
    assert [job.job_id, again.job_id] == ['test-0001', 'explore-0002']
    assert [arm.request_id for arm in job.arms] == ['c1-test-0001-a']
    assert (job.requester, job.trials, job.max_attempts, job.words) == ('agent', 3, 4, 'why')
    assert job.seeds == ()  # the runner draws them
    assert list(bench.campaign.schedule.jobs.values()) == [job, again]
    bench.begin()
    assert list(bench.campaign.book.jobs.values()) == [job, again]


def test_only_exploring_trials_explore(bench, desk):
    kinds = [JobKind.TEST, JobKind.EXPLORE]
    jobs = [make(bench, kind=kind) for kind in kinds]
    assert [job.arms[0].settings['learned.explore'] for job in jobs] == [False, True]


def test_two_arms_get_the_same_fresh_seeds(bench, desk):
    good = bench.idea('The good one', 1.0)
    both = (good, ''), (bench.hub.main, '')
    first, second = make(bench, *both), make(bench, *both)
    assert [arm.request_id[-1] for arm in first.arms] == ['a', 'b']
    assert [arm.commit for arm in first.arms] == [good, bench.hub.main]
    assert len(set(first.seeds)) == 3
    assert not set(first.seeds) & set(second.seeds)
    assert make(bench, *both, seeds=(5, 6, 7)).seeds == (5, 6, 7)


def test_nothing_is_queued_when_one_of_two_cannot_be_run(bench, desk):
    with pytest.raises(StationError) as refusal:
        make(bench, (bench.hub.main, ''), (bench.hub.main, 'f' * 64))
    assert refusal.value.code is ErrorCode.HUB_ARTIFACT_UNKNOWN
    assert bench.campaign.book.jobs == {}
    assert bench.campaign.schedule.jobs == {}


# -- showing ----------------------------------------------------------------------------------


def test_a_view_says_how_far_a_job_is_and_what_it_came_to(bench, desk):
    good = bench.idea('The good one', 0.9)
    job = desk.submit(TrialAsk(good, trials=4))
    bench.work(most=3)
    view = desk.job(job.job_id)
    assert (view.kind, view.state, view.requester) == ('test', 'running', 'agent')
    assert (view.trials, view.done) == (4, 3)
    (arm,) = view.arms
    assert (arm.commit, arm.idea) == (good, 'The good one')
    assert (arm.successes, arm.first_attempt_successes, arm.trials) == (2, 2, 3)
    assert (arm.lower, arm.upper) == (lower_bound(2, 3), upper_bound(2, 3))
    ran = bench.campaign.evidence.of('c1-test-0001-a')
    assert arm.trial_ids == [trial.trial_id for trial in ran]
    assert math.isnan(view.p_value)


def test_a_view_of_two_arms_counts_both_and_compares_them(bench, desk):
    bench.rates[bench.hub.main] = 0.0
    good = bench.idea('The good one', 1.0)
    job = desk.submit(TrialAsk(good, trials=6, against='main'))
    assert (job.trials, job.done) == (12, 0)
    bench.work()
    view = desk.job(job.job_id)
    assert (view.trials, view.done) == (12, 12)
    assert view.p_value < 0.05


def test_the_time_left_is_that_of_what_is_ahead_and_of_the_job(bench, desk):
    first, second = (
        desk.submit(TrialAsk('main', trials=4)),
        desk.submit(TrialAsk('main', trials=2)),
    )
    assert second.ahead == 4
    assert second.seconds_left == pytest.approx(6 * 15.0)  # before a trial was seen
    bench.work(most=1)
    second = desk.job(second.job_id)
    assert second.ahead == 3
    assert second.seconds_left == pytest.approx(5 * 12.0)
    desk.cancel(first.job_id)
    assert desk.job(first.job_id).seconds_left == 0.0
    assert desk.job(second.job_id).ahead == 0


def test_the_time_of_a_trial_is_that_of_the_last_ones(bench, desk, monkeypatch):
    jobs, whole = bench.campaign.jobs, paper_station.closed
    walls = iter([600.0] * 3 + [10.0] * 20)
    monkeypatch.setattr(
        paper_station, 'closed',
        lambda trial, success: replace(whole(trial, success), wall_seconds=next(walls)),
    )  # fmt: skip
    assert jobs.seconds_a_trial() == 15.0  # before a trial was seen
    desk.submit(TrialAsk('main', trials=23))
    assert bench.work() == 23
    assert jobs.seconds_a_trial() == 10.0


def test_a_view_says_what_to_do_next(bench, desk):
    lone = desk.submit(TrialAsk('main', trials=1))
    good = bench.idea('The good one', 1.0)
    pair = desk.submit(TrialAsk(good, trials=1, against='main'))
    explored = desk.submit(TrialAsk('main', trials=1, explore=True))
    assert lone.words == f'enpire trial wait {lone.job_id}'
    bench.work()
    assert f'enpire trial log {lone.job_id}' in desk.job(lone.job_id).words
    assert 'enpire publish' in desk.job(pair.job_id).words
    assert 'enpire status' in desk.job(explored.job_id).words
    failing = desk.submit(TrialAsk('main', trials=1))
    bench.station.refusals = [(ErrorCode.POLICY_BAD_PARAMETER, 'no such file')]
    bench.work()
    view = desk.job(failing.job_id)
    assert view.message == 'no such file'
    assert view.words.startswith('mend what the message says')


def test_a_view_says_why_a_job_is_there_until_it_says_how_it_went(bench, desk):
    job = desk.publish(bench.idea('The good one', 1.0), '')
    assert 're-tested against main' in job.message
    bench.work(1)
    running = desk.job(job.job_id)
    assert (running.state, running.message) == ('running', job.message)
    bench.work()
    assert 'it holds' in desk.job(job.job_id).message
