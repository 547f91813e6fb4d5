"""What the ledger says of a campaign's trials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from trial_support import ended, open_trial

from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.rollout.ledger import Ledger, LedgerReader
from enpire_nodes.rollout.records import CANARY, TrialOutcome, TrialRecord


class Run:
    """A ledger, and the evidence that follows it."""

    def __init__(self, folder) -> None:
        self.ledger = Ledger(folder, station='station_1', owner='test')
        self.evidence = Evidence(LedgerReader(folder))
        self.count = 0

    def start(self, **fields) -> TrialRecord:
        self.count += 1
        trial = open_trial(f'trial_{self.count}', **fields)
        self.ledger.start_trial(trial)
        return trial

    def trial(self, success: bool = True, *, spoilt: bool = False, **fields) -> TrialRecord:
        outcome = TrialOutcome.SUCCESS if success else TrialOutcome.FAILURE
        closed = replace(ended(self.start(**fields), outcome), infrastructure=spoilt)
        self.ledger.close_trial(closed)
        return closed


@pytest.fixture
def run(tmp_path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.evidence.ledger.close()
    run.ledger.close()


def names(trials) -> list[str]:
    return [trial.trial_id for trial in trials]


def test_it_tells_what_was_closed_since_it_last_looked(run):
    assert run.evidence.read() == []
    run.trial()
    run.start()
    assert names(run.evidence.read()) == ['trial_1']
    assert run.evidence.read() == []
    run.trial(request_id='request_2')
    assert names(run.evidence.read()) == ['trial_3']
    assert (run.evidence.started, run.evidence.closed) == (3, 2)
    assert names(run.evidence.of('request_1')) == ['trial_1']
    assert run.evidence.done('request_2') == 1
    assert run.evidence.of('request_3') == []


def test_a_closed_trial_is_found_by_its_name_with_its_digest(run):
    run.trial()
    run.start()
    run.evidence.read()
    trial = run.evidence.trial('trial_1')
    assert trial.ledger_digest == run.ledger.trials()[0].ledger_digest != ''
    assert run.evidence.trial('trial_2') is None


def test_what_was_run_before_the_campaign_does_not_count(run):
    run.trial()
    (*_, last) = run.ledger.entries()
    run.evidence.since_ns = last.wall_ns + 1
    run.evidence.read()
    assert (run.evidence.started, run.evidence.closed) == (0, 0)
    assert run.evidence.trial('trial_1') is None
    assert run.evidence.robot_seconds == 0.0
    assert run.evidence.head == last.digest  # and yet it is read
    run.evidence.since_ns = 0
    run.trial()
    assert names(run.evidence.read()) == ['trial_2']


def test_canaries_cost_robot_time_and_are_no_trials(run):
    canary = run.trial(requester=CANARY)
    assert run.evidence.read() == []
    assert (run.evidence.started, run.evidence.closed) == (0, 0)
    assert run.evidence.of('request_1') == []
    assert run.evidence.robot_seconds == pytest.approx(canary.robot_seconds)
    assert canary.robot_seconds > 0.0
    assert run.evidence.trial('trial_1').requester == CANARY


def test_pairs_are_trials_on_the_same_seed_that_both_count(run):
    for seed in (1, 2, 3, 4):
        run.trial(request_id='a', seed=seed, spoilt=seed == 2)
    for seed in (5, 4, 3, 2, 1):
        run.trial(request_id='b', seed=seed, spoilt=seed == 3)
    run.evidence.read()
    found = run.evidence.pairs('a', 'b')
    assert [(first.seed, second.seed) for first, second in found] == [(1, 1), (4, 4)]
    assert {(first.request_id, second.request_id) for first, second in found} == {('a', 'b')}
    assert run.evidence.pairs('a', 'c') == []


def test_a_summary_is_of_all_requests_that_are_named(run):
    run.trial(True, request_id='a')
    run.trial(False, request_id='a')
    run.trial(True, request_id='b')
    run.trial(True, request_id='c')
    run.evidence.read()
    summary = run.evidence.summary(['a', 'b', 'none'])
    assert (summary.successes, summary.counted) == (2, 3)


def test_the_newest_trials_are_those_that_were_closed_last(run):
    for request in ('request_1', 'request_2', 'request_1'):
        run.trial(request_id=request)
    run.evidence.read()
    assert names(run.evidence.newest(2)) == ['trial_2', 'trial_3']
    assert len(run.evidence.newest(9)) == 3
