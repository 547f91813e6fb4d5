"""What follows when a job is over: judged by the ledger alone."""

from __future__ import annotations

from dataclasses import replace

import paper_station
import pytest

from enpire_nodes.common.bounds import lower_bound
from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.campaign.proposals import BLOCKS
from enpire_nodes.evolution.campaign.schedule import AGENT, STATION
from enpire_nodes.evolution.records import Job, JobKind, Promotion


@pytest.fixture
def desk(bench):
    return bench.begin()


def job(bench, kind: JobKind, *commits: str, trials: int = 6, who: str = AGENT) -> Job:
    recipes = [(commit, '') for commit in commits]
    return bench.campaign.jobs.make(kind, who, recipes, trials=trials)


def run(bench, wanted: Job, most: int = 1000) -> Job:
    """Run trials of a job and take them in; what follows from it is left to the test."""
    for _ in range(min(most, bench.campaign.schedule.left(wanted))):
        assert bench.station.run(bench.campaign.schedule.next())[1] == ''
        bench.campaign.evidence.read()
    return wanted


def said(bench, wanted: Job):
    return bench.campaign.proposals.ending(wanted)


# -- re-tests and tests -----------------------------------------------------------------------


def test_a_re_test_of_the_agents_that_holds_is_followed_by_a_block(bench, desk):
    good = bench.idea('The good one', 1.0)
    ending = said(bench, run(bench, job(bench, JobKind.RETEST, good, bench.hub.main)))
    assert ending.confirm
    assert ending.promotion is None
    assert '6 of 6 against 0 of 6' in ending.words


def test_a_re_test_that_does_not_hold_is_followed_by_nothing(bench, desk):
    same = bench.idea('The same again', 0.0)
    ending = said(bench, run(bench, job(bench, JobKind.RETEST, same, bench.hub.main)))
    assert (ending.confirm, ending.promotion, ending.certified) == (False, None, False)
    assert ending.words.startswith('it did not hold')


@pytest.mark.parametrize(('kind', 'who'), [(JobKind.RETEST, STATION), (JobKind.TEST, AGENT)])
def test_what_nobody_proposed_is_not_confirmed_however_good(bench, desk, kind, who):
    good = bench.idea('The good one', 1.0)
    ending = said(bench, run(bench, job(bench, kind, good, bench.hub.main, who=who)))
    assert not ending.confirm
    assert '6 of 6 against 0 of 6' in ending.words


def test_a_lone_test_ends_with_its_count(bench, desk):
    good = bench.idea('Mostly', 0.9)
    ending = said(bench, run(bench, job(bench, JobKind.TEST, good)))
    assert ending.words == '5 of 6 succeeded, 5 at the first attempt'
    assert not ending.confirm


# -- blocks -----------------------------------------------------------------------------------


def test_a_block_that_reaches_the_target_certifies(bench, desk):
    good = bench.idea('The good one', 1.0)
    block = run(bench, job(bench, JobKind.CONFIRM, good, trials=20))
    ending = said(bench, block)
    assert ending.certified
    request = block.arms[0].request_id
    assert ending.promotion == Promotion(good, request, 20, 20, lower_bound(20, 20))


def test_a_block_below_the_target_moves_main_and_certifies_nothing(bench, desk):
    good = bench.idea('Mostly', 0.9)
    ending = said(bench, run(bench, job(bench, JobKind.CONFIRM, good, trials=20)))
    assert (ending.promotion.successes, ending.promotion.lower) == (18, lower_bound(18, 20))
    assert not ending.certified
    assert 'needs more' in ending.words


def test_a_block_that_shows_no_more_than_is_known_moves_nothing(bench, desk):
    good = bench.idea('Mostly', 0.9)
    block = run(bench, job(bench, JobKind.CONFIRM, good, trials=20))
    known = Promotion('c' * 40, 'r', 18, 20, lower_bound(18, 20))
    bench.campaign.book.write(known)
    ending = said(bench, block)
    assert ending.promotion is None
    assert 'main, which stays' in ending.words


def spoil(monkeypatch, *numbers: int) -> None:
    """Let some trials, counted from 1, fail by a fault of the station's."""
    whole, count = paper_station.closed, []

    def maybe_spoilt(trial, success):
        count.append(trial)
        broken = not numbers or len(count) in numbers
        return replace(whole(trial, success), infrastructure=broken, message='no picture came')

    monkeypatch.setattr(paper_station, 'closed', maybe_spoilt)


def test_a_block_that_a_trial_was_left_out_of_confirms_nothing(bench, desk, monkeypatch):
    spoil(monkeypatch, 5)
    good = bench.idea('The good one', 1.0)
    ending = said(bench, run(bench, job(bench, JobKind.CONFIRM, good, trials=20)))
    assert (ending.promotion, ending.certified) == (None, False)
    assert ending.words.startswith('the block confirms nothing: ')
    assert 'does not count: no picture came' in ending.words


def test_a_spoilt_block_ends_at_once_and_another_follows(bench, monkeypatch):
    bench.begin()
    spoil(monkeypatch, 5)
    good = bench.idea('The good one', 1.0)
    job(bench, JobKind.CONFIRM, good, trials=20)
    assert bench.work() == 5 + 20
    assert bench.campaign.certified
    assert bench.hub.main == good


def test_a_station_that_spoils_every_block_is_not_asked_for_ever(bench, monkeypatch):
    bench.begin()
    spoil(monkeypatch)
    job(bench, JobKind.CONFIRM, bench.idea('The good one', 1.0), trials=20)
    assert bench.work() == BLOCKS
    assert not bench.campaign.certified
    assert any('mend the station' in words for words in bench.said)


def test_a_block_with_failures_is_not_begun_again(bench):
    bench.begin()
    job(bench, JobKind.CONFIRM, bench.idea('The bad one', 0.0), trials=20)
    bench.work()
    assert len(bench.campaign.book.of_kind(JobKind.CONFIRM)) == 1


# -- what a block must exceed -----------------------------------------------------------------


def test_before_the_first_block_main_is_known_by_its_first_attempts(bench, desk):
    proposals = bench.campaign.proposals
    assert proposals.confirmed_lower() == 0.0
    bench.rates[bench.hub.main] = 0.9
    run(bench, job(bench, JobKind.TEST, bench.hub.main, trials=10))
    assert proposals.confirmed_lower() == lower_bound(9, 10)
    run(bench, job(bench, JobKind.EXPLORE, bench.hub.main, trials=10))
    assert proposals.confirmed_lower() == lower_bound(9, 10)  # exploring is no grade


def test_after_a_block_main_is_known_by_the_last_one(bench, desk):
    for lower in (0.7, 0.4):
        bench.campaign.book.write(Promotion('c' * 40, 'r', 1, 2, lower))
    assert bench.campaign.proposals.confirmed_lower() == 0.4


# -- giving up --------------------------------------------------------------------------------


def test_a_re_test_is_pointless_once_it_cannot_hold(bench, desk):
    bench.rates[bench.hub.main] = 1.0
    bad = bench.idea('The bad one', 0.0)
    pointless = bench.campaign.proposals.pointless
    wanted = job(bench, JobKind.RETEST, bad, bench.hub.main, trials=4)
    assert pointless(wanted) == ''  # nothing was seen
    run(bench, wanted, most=6)
    assert '0 of 3 against 3 of 3' in pointless(wanted)
    run(bench, wanted)
    assert pointless(wanted) == ''  # it is over: it is judged, not given up


def test_what_the_agent_asked_for_is_run_to_its_end(bench, desk):
    bench.rates[bench.hub.main] = 1.0
    bad = bench.idea('The bad one', 0.0)
    wanted = run(bench, job(bench, JobKind.TEST, bad, bench.hub.main, trials=8), most=14)
    assert bench.campaign.proposals.pointless(wanted) == ''


def test_a_block_is_pointless_once_it_cannot_show_more_than_main_did(bench, desk):
    bench.campaign.book.write(Promotion('c' * 40, 'r', 19, 20, lower_bound(19, 20)))
    block = job(bench, JobKind.CONFIRM, bench.idea('The bad one', 0.0), trials=20)
    pointless = bench.campaign.proposals.pointless
    assert pointless(block) == ''
    run(bench, block, most=1)
    assert 'stopped early after 0 of 1' in pointless(block)  # 19 of 20 at best, and so is main


def test_a_block_is_not_pointless_while_it_may_still_show_more(bench, desk):
    bench.campaign.book.write(Promotion('c' * 40, 'r', 18, 20, lower_bound(18, 20)))
    block = job(bench, JobKind.CONFIRM, bench.idea('Unlucky at first', 0.0), trials=20)
    run(bench, block, most=1)
    assert bench.campaign.proposals.pointless(block) == ''
    run(bench, block, most=1)
    assert bench.campaign.proposals.pointless(block)


def test_a_proposal_that_the_station_re_tests_for_its_own_pastime_is_taken(bench, desk):
    good = bench.idea('The good one', 1.0)
    job(bench, JobKind.RETEST, good, bench.hub.main, who=STATION)
    assert desk.publish(good, '').kind == 'retest'
    with pytest.raises(StationError, match='being tested already'):
        desk.publish(good, '')
