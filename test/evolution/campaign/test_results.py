"""What was measured of an idea, as the station signs it."""

from __future__ import annotations

from dataclasses import replace

from trial_support import ended, open_trial

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.evolution.campaign.evidence import Evidence
from enpire_nodes.evolution.campaign.results import results_of
from enpire_nodes.evolution.desk.views import TrialAsk
from enpire_nodes.evolution.journal import RESULT
from enpire_nodes.evolution.records import Arm, Job, JobKind
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord


def trial(request: str, seed: int, success: bool = True, **fields) -> TrialRecord:
    """Return a trial as the ledger would give it back; a success comes at the second attempt."""
    outcome = TrialOutcome.SUCCESS if success else TrialOutcome.FAILURE
    closed = ended(open_trial(f'{request}-{seed}', request_id=request, seed=seed), outcome)
    digests = {'ledger_digest': f'l-{request}{seed}', 'bag_digest': f'b-{request}{seed}'}
    return replace(closed, environment_digest='e', **digests, **fields)


def evidence(*trials: TrialRecord) -> Evidence:
    found = Evidence(ledger=None)
    for each in trials:
        found.trials.setdefault(each.request_id, []).append(each)
    return found


def test_each_arm_has_a_result_that_can_be_recomputed():
    won, lost = (True, True, True, False), (False, True, False, False)
    ran = [trial('b', seed, success) for seed, success in enumerate(lost)]
    ran.append(trial('b', 9, infrastructure=True))
    seen = evidence(*(trial('a', seed, success) for seed, success in enumerate(won)), *ran)
    job = Job('test-0001', JobKind.TEST, 'agent', (Arm('a', 'c1', 'w1'), Arm('b', 'c2')), 4, 8)
    first, second = results_of(job, seen, stamp_ns=7)
    assert second['commit'] == 'c2'
    assert (second['job'], second['kind'], second['request']) == ('test-0001', 'TEST', 'b')
    assert (second['trials'], second['excluded'], second['successes']) == (4, 1, 1)
    assert second['first_attempt_successes'] == 0
    assert second['lower'] == lower_bound(1, 4)
    assert second['upper'] == upper_bound(1, 4)
    assert (second['max_attempts'], second['environment'], second['stamp_ns']) == (8, 'e', 7)
    assert second['robot_seconds'] == round(sum(each.robot_seconds for each in ran), 3)
    assert second['trial_digests'] == ['l-b0', 'l-b1', 'l-b2', 'l-b3', 'l-b9']
    assert second['bag_digests'] == ['b-b0', 'b-b1', 'b-b2', 'b-b3', 'b-b9']
    assert first['weights'] == 'w1'
    assert first['against']['commit'] == 'c2'
    assert (second['against']['commit'], second['against']['weights']) == ('c1', 'w1')


def test_a_comparison_is_told_from_both_sides(bench):
    desk = bench.begin()
    bench.rates[bench.hub.main] = 0.0
    good = bench.idea('A longer push reaches the hole', 1.0)
    desk.submit(TrialAsk(good, trials=6, against='main'))
    bench.work()
    signed = [e.data['result'] for e in bench.campaign.book.entries if e.kind == RESULT]
    against = {result['commit']: result['against'] for result in signed}
    winner, loser = against[good], against[bench.hub.main]
    assert (winner['pairs'], winner['wins'], winner['losses']) == (6, 6, 0)
    assert (loser['pairs'], loser['wins'], loser['losses']) == (6, 0, 6)
    assert winner['p_value'] < 0.05 < loser['p_value']


def test_a_lone_arm_is_compared_with_nothing():
    job = Job('test-0001', JobKind.TEST, 'agent', (Arm('a', 'c1'),), 4)
    (result,) = results_of(job, evidence(trial('a', 1)), stamp_ns=7)
    assert 'against' not in result


def test_what_was_not_run_or_is_no_commit_has_no_result():
    arms = (Arm('shipped', ''), Arm('never', 'c2'))
    job = Job('test-0001', JobKind.TEST, 'agent', arms, 4)
    assert results_of(job, evidence(trial('shipped', 1)), stamp_ns=7) == []
