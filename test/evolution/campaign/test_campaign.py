"""A campaign: from a request to a confirmed recipe, over budgets, holds and crashes."""

from __future__ import annotations

import threading

from git_support import git
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution import journal
from enpire_nodes.evolution.campaign.holds import PERSON, STATION
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.records import Budgets, JobKind, JobState, ModelCall, Tokens
from enpire_nodes.rollout.confirmation import read_block


def test_a_test_against_main_is_run_on_the_same_seeds(bench):
    desk = bench.begin()
    better = bench.idea('A longer push reaches the hole', 1.0)
    bench.rates[bench.hub.main] = 0.0
    job = desk.submit(TrialAsk(better, trials=6, against='main'))
    assert job.state == 'queued'
    assert bench.work() == 12
    job = desk.job(job.job_id)
    assert job.state == 'done'
    assert [(arm.first_attempt_successes, arm.trials) for arm in job.arms] == [(6, 6), (0, 6)]
    assert job.p_value < 0.01
    first, second = (bench.campaign.evidence.of(a.request_id) for a in
                     bench.campaign.job(job.job_id).arms)  # fmt: skip
    assert [t.seed for t in first] == [t.seed for t in second]
    assert bench.campaign.book.promotions == []


def test_a_proposal_that_holds_is_confirmed_and_main_moves(bench):
    desk = bench.begin()
    start = bench.hub.main
    bench.rates[start] = 0.2
    good = bench.idea('Spiralling finds the hole', 1.0)
    desk.publish(good, '')
    bench.work()
    campaign = bench.campaign
    assert bench.hub.main == good
    promotion = campaign.book.promotions[0]
    assert (promotion.successes, promotion.trials) == (20, 20)
    assert campaign.certified
    assert read_block(campaign.evidence.ledger, promotion.request_id).valid
    assert [job.kind for job in campaign.book.jobs.values()] == [JobKind.RETEST, JobKind.CONFIRM]
    results = bench.hub.results('station_1')
    assert {line.commit for line in results} == {start, good}
    assert all(line.verified for line in results)
    assert desk.history().ideas[0].state == 'confirmed'


def test_a_proposal_that_does_not_hold_leaves_main_where_it_is(bench):
    desk = bench.begin()
    start = bench.hub.main
    bench.rates[start] = 0.6
    same = bench.idea('This changes nothing', 0.6)
    job = desk.publish(same, '')
    bench.work()
    assert bench.hub.main == start
    assert 'hold' in desk.job(job.job_id).message
    assert bench.campaign.book.of_kind(JobKind.CONFIRM) == []
    assert not bench.campaign.certified


def test_a_worse_proposal_is_given_up_before_all_its_trials_are_run(bench):
    desk = bench.begin(retest_trials=40)
    bench.rates[bench.hub.main] = 1.0
    job = desk.publish(bench.idea('Pushing less is enough', 0.0), '')
    assert bench.work() < 40
    assert desk.job(job.job_id).state == 'done'


def test_a_block_that_cannot_reach_more_than_main_was_confirmed_with_is_ended(bench):
    desk = bench.begin()
    bench.rates[bench.hub.main] = 0.0
    good = bench.idea('First', 0.9)
    desk.publish(good, '')
    bench.work()
    lower = bench.campaign.book.promotions[0].lower
    bench.campaign.certified = False
    worse = bench.idea('Second', 0.0)
    bench.campaign._confirm((worse, ''))
    assert bench.work() < 20
    assert bench.campaign.proposals.confirmed_lower() == lower
    assert bench.hub.main == good


def test_a_block_that_shows_less_than_main_does_moves_nothing(bench):
    desk = bench.begin()
    start = bench.hub.main
    bench.rates[start] = 0.7
    desk.submit(TrialAsk('main', trials=30))
    bench.work()
    worse = bench.idea('Worse than it looked', 0.2)
    block = bench.campaign._confirm((worse, ''))
    assert bench.work() < 20  # and it is not even run to its end
    assert bench.campaign.book.state(block.job_id) is JobState.CANCELED
    assert bench.hub.main == start


def test_what_is_main_already_or_being_tested_is_not_proposed_again(bench):
    desk = bench.begin()
    with pytest.raises(StationError, match='main already'):
        desk.publish(bench.hub.main, '')
    good = bench.idea('Spiralling finds the hole', 1.0)
    desk.publish(good, '')
    with pytest.raises(StationError, match='already'):
        desk.publish(good, '')


def test_a_main_that_was_never_trained_cannot_be_compared_with(bench):
    desk = bench.begin()
    learns = bench.idea('Learn it', 1.0, recipe='algorithm: bc\n')
    with pytest.raises(StationError, match='train') as refusal:
        desk.submit(TrialAsk(learns, trials=3))
    assert refusal.value.code is ErrorCode.SUPERVISOR_JOB_REFUSED
    assert bench.campaign.book.jobs == {}


@pytest.mark.parametrize(
    ('ask', 'code'),
    [
        ({'commit': 'f' * 40}, ErrorCode.HUB_COMMIT_UNKNOWN),
        ({'commit': 'main', 'weights': 'a' * 64}, ErrorCode.HUB_ARTIFACT_UNKNOWN),
        ({'commit': 'main', 'weights': '../../key'}, ErrorCode.HUB_ARTIFACT_UNKNOWN),
        ({'commit': 'main', 'trials': 0}, ErrorCode.SUPERVISOR_JOB_REFUSED),
        ({'commit': 'main', 'attempts': 9}, ErrorCode.SUPERVISOR_JOB_REFUSED),
        ({'commit': 'main', 'trials': 201}, ErrorCode.SUPERVISOR_JOB_REFUSED),
        ({'commit': 'main', 'seeds_of': 'test-0099'}, ErrorCode.SUPERVISOR_JOB_UNKNOWN),
        ({'commit': '--upload-pack=touch'}, ErrorCode.HUB_COMMIT_UNKNOWN),
    ],
)
def test_a_request_that_cannot_be_run_is_refused_and_leaves_nothing(bench, ask, code):
    desk = bench.begin()
    with pytest.raises(StationError) as refusal:
        desk.submit(TrialAsk(**ask))
    assert refusal.value.code is code
    assert bench.campaign.book.jobs == {}
    assert bench.work() == 0


def test_the_seeds_of_a_block_are_not_given_out(bench):
    desk = bench.begin()
    job = bench.campaign._confirm((bench.hub.main, ''))
    with pytest.raises(StationError, match='once'):
        desk.submit(TrialAsk('main', seeds_of=job.job_id))


def test_a_budget_of_trials_ends_the_campaign_after_a_warning(bench):
    desk = bench.begin(budgets=Budgets(trials=10))
    desk.submit(TrialAsk('main', trials=50))
    assert bench.work() == 10
    assert 'trials' in bench.campaign.stopping
    told = [e.data for e in bench.campaign.book.entries if e.kind == journal.BUDGET]
    assert [(e['name'], e['event']) for e in told] == [('trials', 'warning'), ('trials', 'used')]
    with pytest.raises(StationError) as refusal:
        desk.submit(TrialAsk('main', trials=1))
    assert refusal.value.code is ErrorCode.SUPERVISOR_BUDGET_USED


def test_tokens_that_the_proxy_counted_end_it_too(bench):
    bench.begin(budgets=Budgets(tokens=100))
    bench.campaign.book.write(
        ModelCall(
            'c', 'messages', 'm', 1, 2, status=200, counted=True,
            tokens=Tokens(90, output=10), price=0.0,
        )
    )  # fmt: skip
    bench.campaign.tick()
    assert 'tokens' in bench.campaign.stopping


def test_a_new_campaign_object_goes_on_where_the_last_one_was(bench):
    desk = bench.begin()
    good = bench.idea('Spiralling finds the hole', 1.0)
    job = desk.submit(TrialAsk(good, trials=6))
    assert bench.work(most=2) == 2
    desk = bench.begin()
    assert desk.job(job.job_id).done == 2
    assert bench.work() == 4
    assert desk.job(job.job_id).state == 'done'
    assert desk.history().ideas[0].trials == 6


def test_a_run_holds_one_campaign(bench):
    bench.begin()
    record = bench.campaign.record
    from dataclasses import replace

    with pytest.raises(StationError, match='holds one'):
        bench.campaign.begin(replace(record, campaign='another'))
    bench.campaign.finish('CANCELED', 'stopped on request')
    with pytest.raises(StationError, match='over'):
        bench.campaign.begin(record)


def test_an_emergency_stop_holds_the_robot_until_a_person_goes_on(bench):
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=2))
    bench.station.refusals = [(ErrorCode.RUNNER_ESTOPPED, 'pressed')]
    assert bench.work() == 1
    assert bench.campaign.next_slice() is None
    assert 'pressed' in desk.status()['paused']
    bench.campaign.holds.release()
    assert bench.work() == 2
    assert desk.job(job.job_id).state == 'done'


def test_a_policy_that_cannot_be_run_fails_its_job_and_not_the_next(bench):
    desk = bench.begin()
    bad = desk.submit(TrialAsk('main', trials=5))
    good = desk.submit(TrialAsk('main', trials=1))
    bench.station.refusals = [(ErrorCode.POLICY_BAD_PARAMETER, 'no such file')]
    bench.work()
    assert desk.job(bad.job_id).state == 'failed'
    assert 'no such file' in desk.job(bad.job_id).message
    assert desk.job(good.job_id).state == 'done'


def test_an_environment_that_was_changed_breaks_the_campaign(bench):
    desk = bench.begin()
    desk.submit(TrialAsk('main', trials=5))
    bench.station.refusals = [(ErrorCode.ENVIRONMENT_CHANGED, 'verify.py is not as frozen')]
    bench.work()
    assert bench.campaign.broken.code is ErrorCode.ENVIRONMENT_CHANGED
    assert bench.campaign.next_slice() is None


def test_a_job_can_be_canceled_and_what_was_run_stays(bench):
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=9))
    bench.work(most=2)
    assert desk.cancel(job.job_id).state == 'canceled'
    assert bench.work() == 0
    assert desk.job(job.job_id).done == 2
    assert desk.cancel(job.job_id).state == 'canceled'


def test_whoever_waits_hears_of_the_end_at_once(bench):
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=2))
    heard = []
    waiter = threading.Thread(target=lambda: heard.append(desk.job(job.job_id, wait=30.0)))
    waiter.start()
    bench.work()
    waiter.join(20.0)
    assert heard[0].state == 'done'


def test_waiting_ends_after_its_slice(bench):
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=2))
    assert desk.job(job.job_id, wait=0.05).state == 'queued'


def test_the_robot_works_for_the_station_while_the_agent_thinks(bench):
    desk = bench.begin(background_share=0.5, background_pairs=3, budgets=Budgets(trials=60))
    bench.rates[bench.hub.main] = 0.3
    good = bench.idea('Spiralling finds the hole', 1.0)
    desk.submit(TrialAsk(good, trials=5, against='main'))
    bench.work()
    jobs = bench.campaign.book.jobs.values()
    own = [job for job in jobs if job.requester == 'station']
    assert own
    assert all(job.kind is JobKind.RETEST for job in own)
    assert own[0].arms[0].commit == good
    ran = sum(bench.campaign.evidence.done(arm.request_id) for job in own for arm in job.arms)
    assert 20 <= ran < 36  # half of the budget is the station's, and the job that gets there


def test_background_work_yields_to_the_agent_at_the_next_trial(bench):
    desk = bench.begin(background_share=0.5)
    desk.submit(TrialAsk('main', trials=1))
    bench.work(most=3)  # one of the agent's, then the station's own
    assert bench.station.order[-1].split('-')[1] == 'retest'
    job = desk.submit(TrialAsk('main', trials=1))
    bench.work(most=1)
    assert desk.job(job.job_id).state == 'done' or bench.station.order[-1].startswith('c1-test')


def test_exploring_trials_are_no_grade(bench):
    desk = bench.begin()
    good = bench.idea('Explore', 1.0)
    job = desk.submit(TrialAsk(good, trials=4, explore=True))
    bench.work()
    assert desk.job(job.job_id).kind == 'explore'
    assert desk.history().ideas[0].trials == 0
    assert bench.campaign.job(job.job_id).arms[0].settings['learned.explore'] is True


def test_the_exported_recipe_is_not_the_agents_to_change(bench):
    desk = bench.begin()
    desk.submit(TrialAsk('main', trials=1))
    arm = next(iter(bench.campaign.book.jobs.values())).arms[0]
    folder = bench.run / 'research' / 'recipes' / bench.hub.main
    assert arm.settings['learned.policy'] == str(folder / 'policy.py')
    assert not (folder / '.git').exists()


def test_a_dead_idea_is_told_to_who_has_it_again(bench):
    desk = bench.begin()
    bench.rates[bench.hub.main] = 1.0
    bad = bench.idea('A wider spiral finds the hole more often', 0.0)
    desk.submit(TrialAsk(bad, trials=6, against='main'))
    bench.work()
    answer = desk.idea('A wider spiral finds the hole more often than now')
    assert answer['claimed']
    assert answer['similar'][0]['commit'] == bad
    assert 'dead' in answer['similar'][0]['outcome']
    with pytest.raises(StationError, match='sentence'):
        desk.idea('short')


def test_a_journal_that_was_changed_stops_everything(bench):
    desk = bench.begin()
    desk.submit(TrialAsk('main', trials=1))
    path = bench.run / 'research' / journal.FILE_NAME
    path.write_text(path.read_text().replace('"trials":1', '"trials":2'))
    with pytest.raises(StationError) as refusal:
        bench.begin()
    assert refusal.value.code is ErrorCode.RUNNER_LEDGER_FAILED


def test_a_result_that_the_hub_does_not_take_stays_in_the_journal(bench, monkeypatch):
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=1))

    def lost(*_, **__):
        raise StationError(ErrorCode.HUB_UNREACHABLE, 'gone')

    monkeypatch.setattr(type(bench.hub), 'add_result', lost)
    bench.work()
    assert bench.campaign.book.state(job.job_id) is JobState.DONE
    assert [e for e in bench.campaign.book.entries if e.kind == journal.RESULT]
    assert any('gone' in words for words in bench.said)
    monkeypatch.undo()
    monkeypatch.setenv('ENPIRE_KEYS', str(bench.folder / 'keys'))
    bench.begin()  # another supervisor, after a crash
    bench.campaign.deliver()
    assert [line.verified for line in bench.hub.results('station_1')] == [True]


def test_a_promotion_that_the_hub_could_not_take_is_made_up_for(bench, monkeypatch):
    desk = bench.begin()
    bench.rates[bench.hub.main] = 0.0
    good = bench.idea('Spiralling finds the hole', 1.0)
    desk.publish(good, '')
    real, tried = type(bench.hub).promote, []

    def locked_at_first(hub, promotion, *, key):
        tried.append(promotion.commit)
        if len(tried) == 1:
            raise StationError(ErrorCode.HUB_GIT_FAILED, 'main is locked')
        real(hub, promotion, key=key)

    monkeypatch.setattr(type(bench.hub), 'promote', locked_at_first)
    with pytest.raises(StationError, match='locked'):
        bench.work()
    assert bench.hub.main != good
    bench.campaign.tick()
    assert bench.hub.main == good
    assert bench.campaign.certified
    assert tried == [good, good]


def test_a_trial_that_was_run_ends_what_held_the_robot_for_a_moment(bench):
    desk = bench.begin()
    desk.submit(TrialAsk('main', trials=1))
    bench.campaign.holds.hold(STATION, 'not ready')
    bench.campaign.holds.hold(PERSON, 'lunch')
    piece = bench.campaign.schedule.next()
    bench.campaign.slice_ended(piece, *bench.station.run(piece))
    assert list(bench.campaign.holds.reasons) == [PERSON]


def test_three_trials_that_came_to_nothing_end_a_job(bench, monkeypatch):
    from dataclasses import replace

    import paper_station

    whole = paper_station.closed
    monkeypatch.setattr(
        paper_station, 'closed',
        lambda trial, success: replace(whole(trial, success), attempts=(), infrastructure=True),
    )  # fmt: skip
    desk = bench.begin()
    job = desk.submit(TrialAsk('main', trials=9))
    assert bench.work() == 3
    assert desk.job(job.job_id).state == 'canceled'


def test_git_shows_every_idea_dead_ones_too(bench):
    bench.begin()
    for number in range(3):
        bench.idea(f'Idea number {number} is this', 0.0)
    assert git(bench.hub.path, 'log', '--all', '--format=%s').count('Idea number') == 3
    assert len(bench.campaign.book.ideas) == 3
