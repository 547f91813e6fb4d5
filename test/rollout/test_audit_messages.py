"""What the audits say, as messages."""

from __future__ import annotations

from dataclasses import replace
import math

from builtin_interfaces.msg import Time
import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout.audit_messages import status_message, tally_message
from enpire_nodes.rollout.auditing.alarm import AlarmRule
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.records import VerdictOutcome as V

pytestmark = pytest.mark.ros


def test_a_tally_keeps_counts_and_bounds():
    tally = Tally(true_successes=9, false_successes=1, true_failures=4, missed=2, uncertain=3)
    message = tally_message('person', tally)
    assert (message.auditor, message.true_successes, message.uncertain) == ('person', 9, 3)
    assert message.false_positive_rate == 1 / 5
    assert message.recall == 9 / 11
    assert message.recall_lower == tally.recall_lower
    assert math.isnan(tally_message('truth', Tally()).precision)


def test_the_status_says_where_the_audits_stand(tmp_path):
    desk = AuditDesk(tmp_path, Sampler(b'key', 1.0), AlarmRule())

    def hear(name: str, verdict: V, truths=None, **fields) -> None:
        trial = ended(open_trial(name, environment_digest='digest', **fields))
        desk.hear(replace(trial, attempts=(attempt(1, verdict),)), truths)

    def status():
        return status_message(desk.audits, task='pin', accepted=0.002, stamp=Time(sec=7))

    hear('t1', V.SUCCESS, {1: True})
    hear('t2', V.SUCCESS)
    hear('c1', V.FAILURE, requester='canary', idea='onset')
    desk.label('t2', 1, V.SUCCESS, labeller='Ada', seconds=1.0)
    message = status()
    assert (message.task, message.environment_digest, message.header.stamp.sec) == (
        'pin', 'digest', 7,
    )  # fmt: skip
    assert (message.trials, message.sampled, message.waiting) == (3, 2, 1)
    assert (message.canaries, message.canaries_failed) == (1, 0)
    assert (message.alarm, message.error_code) == (False, ErrorCode.NONE)
    assert message.accepted_disagreement == 0.002
    assert [tally.auditor for tally in message.tallies] == ['truth', 'person', 'canary']
    hear('c2', V.SUCCESS, requester='canary', idea='onset')
    message = status()
    assert (message.alarm, message.canaries_failed) == (True, 1)
    assert message.error_code == ErrorCode.RUNNER_JUDGE_DOUBTED
    assert message.message == desk.audits.alarm
