"""What the robot does while the agent thinks."""

from __future__ import annotations

import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.evolution.campaign.background import Background, Wish
from enpire_nodes.evolution.campaign.schedule import STATION
from enpire_nodes.evolution.campaign.settings import CampaignSettings
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.records import Budgets, JobKind


def wish(bench, budgets: Budgets | None = None, **settings) -> Wish | None:
    """Return what the station would like to run after what the bench has run."""
    campaign = bench.campaign
    background = Background(campaign.book, campaign.evidence, CampaignSettings(**settings))
    return background.wish(budgets or Budgets())


def run(bench, desk, commit: str, trials: int, **asked) -> None:
    desk.submit(TrialAsk(commit, trials=trials, **asked))
    assert bench.work(most=trials) == trials
    bench.campaign.tick()


def own(bench, trials: int, kind: JobKind = JobKind.RETEST) -> None:
    """Run trials of main that nobody asked for."""
    bench.campaign.jobs.make(kind, STATION, [(bench.hub.main, '')], trials=trials)
    assert bench.work() == trials


def about_main(bench) -> Wish:
    return Wish(JobKind.RETEST, ((bench.hub.main, ''),), 2)


# -- what is most useful ----------------------------------------------------------------------


def test_what_was_never_run_is_not_run_for_the_first_time(bench):
    desk = bench.begin()
    good = bench.idea('The good one', 1.0)
    assert wish(bench) is None
    run(bench, desk, good, 5)
    assert wish(bench) is None  # a re-test would run main


def test_main_gets_more_evidence_until_there_is_enough(bench):
    desk = bench.begin()
    run(bench, desk, 'main', 39)
    assert wish(bench) == about_main(bench)
    run(bench, desk, 'main', 1)
    assert wish(bench) is None


def test_a_promising_idea_is_tested_against_main(bench):
    desk = bench.begin()
    run(bench, desk, 'main', 3)
    good = bench.idea('The good one', 1.0)
    run(bench, desk, good, 2)
    assert wish(bench) == about_main(bench)  # two trials are luck
    run(bench, desk, good, 1)
    both = ((good, ''), (bench.hub.main, ''))
    assert wish(bench, background_pairs=7) == Wish(JobKind.RETEST, both, 7)
    run(bench, desk, good, 37)
    assert wish(bench) == about_main(bench)  # 40 are enough


def test_an_idea_that_does_not_look_better_than_main_is_left_alone(bench):
    desk = bench.begin()
    bench.rates[bench.hub.main] = 1.0
    run(bench, desk, 'main', 5)
    run(bench, desk, bench.idea('As good as main', 1.0), 5)
    run(bench, desk, bench.idea('The bad one', 0.0), 5)
    assert wish(bench) == about_main(bench)


def test_the_most_promising_is_the_one_with_more_behind_it(bench):
    desk = bench.begin()
    run(bench, desk, 'main', 3)
    known, fresh = bench.idea('9 of 10', 0.9), bench.idea('3 of 3', 1.0)
    run(bench, desk, known, 10)
    run(bench, desk, fresh, 3)
    summary = bench.campaign.evidence.summary(bench.campaign.book.graded_requests((known, '')))
    assert summary.first_attempt_successes == 9
    assert wish(bench).recipes[0] == (known, '')


def test_a_learner_gets_more_experience_before_main_does(bench):
    desk = bench.begin()
    run(bench, desk, 'main', 3)
    older, newer = bench.idea('The older one', 0.0), bench.idea('The newer one', 0.0)
    run(bench, desk, older, 1, explore=True)
    assert wish(bench) == Wish(JobKind.EXPLORE, ((older, ''),), 2)
    job = desk.submit(TrialAsk(newer, trials=2, explore=True))
    bench.work(most=1)
    assert wish(bench).recipes == ((older, ''),)
    bench.work()
    assert desk.job(job.job_id).state == 'done'
    assert wish(bench).recipes == ((newer, ''),)


def test_a_promising_idea_comes_before_experience(bench):
    desk = bench.begin()
    run(bench, desk, 'main', 3)
    good = bench.idea('The good one', 1.0)
    run(bench, desk, good, 2, explore=True)
    run(bench, desk, good, 3)
    assert wish(bench).kind is JobKind.RETEST


def test_what_the_station_explored_for_itself_nobody_has_asked_for(bench):
    bench.begin()
    own(bench, 1)
    own(bench, 2, JobKind.EXPLORE)
    assert wish(bench) == about_main(bench)


def test_what_cannot_be_run_is_not_tried_again_and_again(bench):
    """A refused policy uses no trial, so that no budget would ever end it."""
    desk = bench.begin(background_share=0.3, budgets=Budgets(trials=100))
    desk.submit(TrialAsk('main', trials=1, explore=True))
    bench.work(most=1)
    bench.station.refusals = [(ErrorCode.POLICY_BAD_PARAMETER, 'no such file')] * 9
    assert bench.work(most=9) == 1
    _, tried = bench.campaign.book.jobs.values()
    assert (tried.kind, tried.requester) == (JobKind.EXPLORE, STATION)
    bench.station.refusals = []
    run(bench, desk, 'main', 1)
    assert wish(bench) == about_main(bench)  # what is next in order goes on


# -- at whose expense -------------------------------------------------------------------------


def test_a_share_of_nothing_runs_nothing(bench):
    desk = bench.begin()
    run(bench, desk, 'main', 1)
    assert wish(bench, background_share=0.0) is None
    assert wish(bench, background_share=0.1) is not None


@pytest.mark.parametrize(
    'budgets', [Budgets(trials=20), Budgets(robot_time=20 * 12.0)], ids=['trials', 'robot time']
)
def test_the_station_uses_no_more_than_its_share(bench, budgets):
    """A trial of the station on paper takes 12 s of the robot's time."""
    desk = bench.begin()
    run(bench, desk, 'main', 8)  # the agent's are not the station's
    assert wish(bench, budgets, background_share=0.2) is not None
    own(bench, 3)
    assert wish(bench, budgets, background_share=0.2) is not None
    own(bench, 1)
    assert wish(bench, budgets, background_share=0.2) is None
    assert wish(bench, budgets, background_share=0.5) is not None
    assert wish(bench, background_share=0.2) is not None  # of no limit
