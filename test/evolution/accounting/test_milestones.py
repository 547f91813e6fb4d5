"""What it took to the target: up to the last trial of the block that certifies, and no further."""

from dataclasses import replace
import math

import pytest
from research_run import ResearchRun, S

from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.milestones import (
    block_end,
    certifying_block,
    cost_until,
    people,
    to_target,
)
from enpire_nodes.evolution.accounting.run_log import Head, LedgerUntil, RunLog
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import CANARY


@pytest.fixture(scope='module')
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    return RunLog.read(
        ResearchRun(folder / 'run', folder / 'keys', ideas=5, trials=6, bags=0).write()
    )


def test_everything_is_counted_at_the_end(log):
    cost = cost_until(log, log.end_ns)
    assert cost.tokens == tokens.total(log.calls)
    assert cost.price == pytest.approx(sum(call.price for call in log.calls))
    assert cost.robot_seconds == pytest.approx(sum(t.robot_seconds for t in log.trials))
    assert cost.seconds == (log.end_ns - log.start_ns) / 1e9
    assert (cost.unpriced, cost.uncounted) == (0, 0)


def test_the_target_is_reached_when_the_block_ends(log):
    block = certifying_block(log)
    assert block.summary.lower >= log.campaign.target
    reached = to_target(log)
    assert reached.seconds == (block_end(log, block) - log.start_ns) / 1e9
    assert reached.seconds < cost_until(log, log.end_ns).seconds


def test_a_block_below_the_target_certifies_nothing(log):
    other = replace(log, confirmations=[replace(log.confirmations[0], problems=('cut short',))])
    assert certifying_block(other) is None
    assert to_target(other) is None


def test_before_the_campaign_nothing_was_spent(log):
    cost = cost_until(log, log.start_ns)
    assert (cost.seconds, cost.robot_seconds, cost.tokens.total) == (0.0, 0.0, 0)


def test_people_are_counted_from_the_journal(log):
    assert people(log) == {'review': 40.0}


def test_a_reading_stops_where_it_is_told(log):
    middle = log.ledger[len(log.ledger) // 2]
    ends = {**log.ends, 'ledger': Head(middle.sequence, middle.digest)}
    part = RunLog.read(log.run, ends)
    assert part.ends == ends
    assert len(part.trials) < len(log.trials)
    assert part.confirmations == []


def test_a_block_is_read_as_it_was_then(log):
    (block,) = log.confirmations
    own = [e for e in log.ledger if e.request_id == block.request.request_id]
    middle = own[len(own) // 2]
    ends = {**log.ends, 'ledger': Head(middle.sequence, middle.digest)}
    (part,) = RunLog.read(log.run, ends).confirmations
    assert 0 < part.summary.counted < block.summary.counted
    assert 'declared trials are closed' in part.problems[0]


def test_what_grades_no_recipe_is_left_out(log):
    (at, trial) = log.graded[0]
    learning = replace(trial, trial_id='x', controller_parameters={'learned.explore': True})
    canary = replace(trial, trial_id='y', requester=CANARY)
    other = replace(log)
    other.__dict__['closed'] = {'x': (at, learning), 'y': (at, canary), 'z': (at + S, trial)}
    assert [found.trial_id for _, found in other.graded] == [trial.trial_id]


def test_one_reading_sees_no_entry_that_came_after_it_began(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        ledger.add_note({'number': 1})
        with LedgerUntil(tmp_path, None) as reading:
            before = [entry.sequence for entry in reading.entries()]
            ledger.add_note({'number': 2})
            assert [entry.sequence for entry in reading.entries()] == before
            assert [e.data['number'] for e in reading.entries('note')] == [1]
            assert list(reading.entries(after=before[-1])) == []


def test_a_campaign_begins_when_the_newest_one_did(log):
    begun = next(e for e in log.journal if e.kind == 'campaign')
    again = replace(begun, sequence=len(log.journal) + 1, wall_ns=log.end_ns + S)
    same = replace(log, journal=[*log.journal, again])
    assert same.start_ns == log.start_ns
    content = begun.content.replace('"night"', '"day"')
    other = replace(log, journal=[*log.journal, replace(again, content=content)])
    assert (other.start_ns, other.calls, other.trials) == (again.wall_ns, [], [])
    assert other.finished == {}


def test_answers_without_a_price_or_a_count_are_told(log):
    other = replace(log)
    silent = replace(log.calls[0], price=math.nan, counted=False)
    other.__dict__['calls'] = [silent, replace(silent, status=402)]
    cost = cost_until(other, log.end_ns)
    assert (cost.price, cost.unpriced, cost.uncounted) == (0.0, 1, 1)
