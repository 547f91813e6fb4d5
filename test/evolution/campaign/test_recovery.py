"""A supervisor that was killed between a job's end and what follows from it."""

from __future__ import annotations

from dataclasses import replace

import paper_station
import pytest

from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.records import JobKind


class KilledError(Exception):
    """Stands for the end of the process."""


def kill(*given, **named):
    raise KilledError


def proposed(bench) -> str:
    """Propose a good idea; main is a bad one."""
    desk = bench.begin()
    commit = bench.idea('a good one', 1.0)
    desk.submit(TrialAsk('main', trials=2))
    bench.work()
    desk.publish(commit, '')
    return commit


def kinds(bench) -> list[str]:
    return [job.kind.name for job in bench.campaign.book.jobs.values()]


def test_a_re_test_that_held_is_followed_by_its_block_all_the_same(bench, monkeypatch):
    commit = proposed(bench)
    monkeypatch.setattr(type(bench.campaign), '_follow', kill)
    with pytest.raises(KilledError):
        bench.work()
    monkeypatch.undo()
    bench.begin()
    bench.work()
    assert kinds(bench)[-2:] == ['RETEST', 'CONFIRM']
    assert bench.campaign.certified
    assert bench.hub.main == commit


def test_a_spoilt_block_is_followed_by_another_all_the_same_and_once(bench, monkeypatch):
    commit = proposed(bench)
    campaign, whole = type(bench.campaign), paper_station.closed
    monkeypatch.setattr(
        paper_station, 'closed',
        lambda trial, success: replace(
            whole(trial, success),
            infrastructure='CONFIRM' in kinds(bench),
        ),
    )  # fmt: skip
    follow = campaign._follow

    def die(self, job, ending):
        if job.kind is JobKind.CONFIRM:
            raise KilledError
        follow(self, job, ending)

    monkeypatch.setattr(campaign, '_follow', die)
    with pytest.raises(KilledError):
        bench.work()
    monkeypatch.setattr(campaign, '_follow', follow)
    monkeypatch.setattr(paper_station, 'closed', whole)
    bench.begin()
    bench.work()
    assert kinds(bench).count('CONFIRM') == 2
    assert bench.hub.main == commit


@pytest.mark.parametrize('moved', [False, True])
def test_a_block_that_confirmed_moves_main_all_the_same_and_once(bench, monkeypatch, moved):
    commit = proposed(bench)
    campaign = type(bench.campaign)
    follow = campaign._follow

    def die(self, job, ending):
        if ending.promotion is None:
            return follow(self, job, ending)
        if moved:
            self.hub.promote(ending.promotion, key=self._key)
        raise KilledError

    monkeypatch.setattr(campaign, '_follow', die)
    with pytest.raises(KilledError):
        bench.work()
    monkeypatch.setattr(campaign, '_follow', follow)
    assert (bench.hub.main == commit) is moved
    bench.begin()
    bench.work()
    assert bench.hub.main == commit
    assert [p.commit for p in bench.campaign.book.promotions] == [commit]
    assert kinds(bench).count('CONFIRM') == 1
    assert bench.campaign.certified


def test_a_certified_campaign_is_known_as_such_by_the_next_supervisor(bench):
    proposed(bench)
    bench.work()
    assert bench.campaign.certified
    bench.begin()
    assert bench.campaign.certified
    assert bench.work() == 0 or bench.campaign.certified


def test_nothing_follows_twice_from_what_came_to_nothing(bench):
    desk = bench.begin()
    bad = bench.idea('a bad one', 0.0)
    desk.submit(TrialAsk('main', trials=2))
    bench.work()
    desk.publish(bad, '')
    bench.work()
    before = kinds(bench)
    bench.begin()
    assert bench.work() == 0
    assert kinds(bench) == before
    assert JobKind.CONFIRM.name not in before
