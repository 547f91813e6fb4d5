"""What an agent may ask of a campaign, and what it is told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.campaign.desk import CampaignDesk
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.records import Budgets
from enpire_nodes.rollout.run_directory import RunDirectory

SENTENCE = 'A wider spiral finds the hole more often'


def weights(value: float) -> bytes:
    return save({'w': np.full(2, value, np.float32)}, {'about': json.dumps({})})


def recipes(bench, job_id: str) -> list[tuple[str, str]]:
    return [(arm.commit, arm.weights) for arm in bench.campaign.job(job_id).arms]


def seeds(bench, job_id: str) -> list[int]:
    arm = bench.campaign.job(job_id).arms[0]
    return [trial.seed for trial in bench.campaign.evidence.of(arm.request_id)]


# -- trials -----------------------------------------------------------------------------------


def test_exploring_trials_compare_with_nothing(bench):
    desk = bench.begin()
    with pytest.raises(StationError, match='no grade') as refusal:
        desk.submit(TrialAsk('main', trials=2, explore=True, against='main'))
    assert refusal.value.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    assert desk.jobs() == []


def test_a_job_is_run_again_on_the_seeds_of_another(bench):
    desk = bench.begin()
    first = desk.submit(TrialAsk('main', trials=3))  # the runner draws its seeds
    bench.work()
    again = desk.submit(TrialAsk('main', trials=10, seeds_of=first.job_id))
    assert again.trials == 3  # as many as there are seeds, whatever was asked for
    bench.work()
    assert seeds(bench, again.job_id) == seeds(bench, first.job_id)
    third = desk.submit(TrialAsk('main', seeds_of=again.job_id, against='main'))
    bench.work()
    assert seeds(bench, third.job_id) == seeds(bench, first.job_id)


def test_a_job_without_a_trial_has_no_seeds_to_give(bench):
    desk = bench.begin()
    first = desk.submit(TrialAsk('main', trials=3))
    with pytest.raises(StationError, match='no trials yet') as refusal:
        desk.submit(TrialAsk('main', seeds_of=first.job_id))
    assert refusal.value.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    bench.work(most=1)
    assert desk.submit(TrialAsk('main', seeds_of=first.job_id)).trials == 1


def test_an_opponent_has_the_weights_that_it_was_last_tested_with(bench):
    desk = bench.begin()
    good, other = bench.idea('The good one', 1.0), bench.idea('The other one', 0.0)
    first, second, third = (desk.store(weights(value)) for value in (1.0, 2.0, 3.0))
    for tested in (first, second, first):
        desk.submit(TrialAsk(other, weights=tested, trials=1))
    desk.submit(TrialAsk(other, weights=third, trials=1, explore=True))  # no test
    job = desk.submit(TrialAsk(good, trials=1, against=other))
    assert recipes(bench, job.job_id) == [(good, ''), (other, first)]
    views = {view.commit: view.weights for view in desk.history().ideas}
    assert views == {good: '', other: first}
    named = desk.submit(TrialAsk(good, trials=1, against=other, against_weights=second))
    assert recipes(bench, named.job_id)[1] == (other, second)


@pytest.mark.parametrize('by_name', [True, False])
def test_main_as_an_opponent_has_its_own_weights_or_those_that_are_named(bench, by_name):
    desk = bench.begin()
    good, better = bench.idea('The good one', 1.0), bench.idea('The better one', 1.0)
    own, later = desk.store(weights(1.0)), desk.store(weights(2.0))
    desk.publish(good, own)
    bench.work()
    assert bench.campaign.book.incumbent() == (good, own)
    desk.submit(TrialAsk(good, weights=later, trials=1))
    against = 'main' if by_name else good[:12]
    job = desk.submit(TrialAsk(better, trials=1, against=against))
    assert recipes(bench, job.job_id)[1] == (good, own)
    job = desk.submit(TrialAsk(better, trials=1, against=against, against_weights=later))
    assert recipes(bench, job.job_id)[1] == (good, later)


def test_jobs_are_told_oldest_first(bench):
    desk = bench.begin()
    wanted = [desk.submit(TrialAsk('main', trials=n)).job_id for n in (1, 2, 3)]
    desk.cancel(wanted[1])
    bench.work()
    assert [(job.job_id, job.state) for job in desk.jobs()] == list(
        zip(wanted, ['done', 'canceled', 'done'], strict=True)
    )


def test_what_is_no_job_is_not_found(bench):
    desk = bench.begin()
    for ask in (desk.job, desk.cancel):
        with pytest.raises(StationError, match='enpire status') as refusal:
            ask('test-0099')
        assert refusal.value.code is ErrorCode.SUPERVISOR_JOB_UNKNOWN


def test_a_trial_is_shown_once_it_is_closed(bench):
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=1))
    bench.work()
    (trial_id,) = desk.job(job.job_id).arms[0].trial_ids
    assert desk.trial(trial_id).trial_id == trial_id
    assert desk.bag(trial_id) == RunDirectory(bench.run).bag(trial_id)


@pytest.mark.parametrize('trial_id', ['trial-99999', '', '../../keys'])
def test_a_trial_that_is_not_of_this_campaign_is_not_shown(bench, trial_id):
    desk = bench.begin()
    desk.submit(TrialAsk('main', trials=1))
    bench.work()
    for ask in (desk.trial, desk.bag):
        with pytest.raises(StationError, match='enpire trial result') as refusal:
            ask(trial_id)
        assert refusal.value.code is ErrorCode.SUPERVISOR_JOB_UNKNOWN


# -- ideas and peers --------------------------------------------------------------------------


def test_an_idea_that_another_station_has_claimed_is_not_given_away(bench):
    desk = bench.begin()
    mine = desk.idea(SENTENCE)
    assert mine['claimed']
    assert f'`Idea: {mine["key"]}`' in mine['message']
    bench.hub.release(mine['key'], 'station_1')
    assert bench.hub.claim(mine['key'], 'station_2', for_seconds=600.0)
    answer = desk.idea(SENTENCE.upper() + '!')  # another spelling of the same
    assert not answer['claimed']
    assert answer['key'] == mine['key']
    assert 'enpire peers' in answer['message']
    assert [claim.station for claim in bench.hub.claims()] == ['station_2']


def test_ideas_of_any_script_are_told_apart(bench):
    desk = bench.begin()
    first, second = (
        desk.idea('Спираль шире находит отверстие'),
        desk.idea('推得更久就能找到孔的位置了'),
    )
    assert first['key']
    assert first['key'] != second['key']
    assert len(bench.hub.claims()) == 2


@pytest.mark.parametrize('sentence', ['too short', 'x' * 301, ' ' * 40, '?!' * 20])
def test_what_is_no_sentence_is_no_idea(bench, sentence):
    desk = bench.begin()
    with pytest.raises(StationError, match='sentence') as refusal:
        desk.idea(sentence)
    assert refusal.value.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    assert bench.hub.claims() == []


def test_peers_are_what_the_node_says_of_them(bench):
    desk = bench.begin()
    assert 'alone' in desk.peers()
    assert CampaignDesk(desk.campaign, lambda: 'station_2 found a spiral').peers() == (
        'station_2 found a spiral'
    )


# -- status -----------------------------------------------------------------------------------


def test_status_says_what_to_do_next(bench):
    desk = bench.begin()
    assert desk.status()['state'] == 'running'
    assert 'waits for you' in desk.status()['next']
    desk.submit(TrialAsk('main', trials=2))
    assert 'prepare the next idea' in desk.status()['next']
    bench.work(most=1)
    (queued,) = desk.status()['queue']
    assert (queued['kind'], queued['state'], queued['left']) == ('test', 'running', 1)
    bench.work()
    assert 'waits for you' in desk.status()['next']
    assert desk.status()['queue'] == []


def test_status_says_that_a_budget_is_used(bench):
    desk = bench.begin(budgets=Budgets(trials=2))
    desk.submit(TrialAsk('main', trials=2))
    bench.work()
    status = desk.status()
    assert status['state'] == 'stopping'
    assert status['next'].startswith('stop now: ')
    assert bench.campaign.stopping in status['next']
    (line,) = status['budgets']
    assert (line['name'], line['used'], line['limit']) == ('trials', 2.0, 2.0)


def test_status_says_that_the_target_is_reached(bench):
    desk = bench.begin()
    good = bench.idea('Spiralling finds the hole', 1.0)
    desk.publish(good, '')
    bench.work()
    status = desk.status()
    assert status['certified']
    assert status['next'] == 'stop now: certified'
    main = status['incumbent']
    assert (main['commit'], main['subject']) == (good, 'Spiralling finds the hole')
    assert (main['trials'], main['successes']) == (32, 32)  # re-test and block
    assert main['confirmed_lower'] == bench.campaign.book.promotions[0].lower


def test_status_says_that_the_campaign_is_over(bench):
    desk = bench.begin()
    bench.campaign.certified = True  # over comes before it
    bench.campaign.finish('CANCELED', 'stopped on request')
    assert desk.status()['state'] == 'over'
    assert desk.status()['next'] == 'the campaign is over: stopped on request'
