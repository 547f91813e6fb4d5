"""The plain records against the messages that they mirror."""

from dataclasses import fields, replace
import re

import pytest
from trial_support import attempt, ended, open_trial

from enpire_msgs.action import ExecutePolicy
from enpire_msgs.msg import Attempt, StationState, Trial, Verdict, Vote
from enpire_nodes.rollout.records import (
    Activity,
    AttemptRecord,
    Execution,
    TrialOutcome,
    TrialRecord,
    VerdictOutcome,
    VerdictRecord,
    VoteRecord,
)


@pytest.mark.parametrize(
    ('plain', 'message'),
    [
        (TrialOutcome, Trial),
        (VerdictOutcome, Verdict),
        (VerdictOutcome, Vote),
        (Activity, StationState),
        (Execution, ExecutePolicy.Result),
    ],
)
def test_enums_have_the_numbers_of_the_messages(plain, message):
    constants = {
        name: getattr(message, name)
        for name in dir(type(message))
        if re.fullmatch(r'[A-Z]\w*', name)
    }
    assert {item.name: item.value for item in plain} == constants


@pytest.mark.parametrize(
    ('record', 'message', 'derived'),
    [
        (VoteRecord, Vote, set()),
        (VerdictRecord, Verdict, {'header', 'trial_id', 'attempt', 'outcome_name'}),
        (AttemptRecord, Attempt, set()),
        (
            TrialRecord,
            Trial,
            {'header', 'outcome_name', 'success', 'first_attempt_success', 'robot_seconds'},
        ),
    ],
)
def test_records_have_the_fields_of_the_messages(record, message, derived):
    plain = {item.name.removesuffix('_ns') for item in fields(record)} - {'stamp'}
    assert plain == set(message.get_fields_and_field_types()) - derived


def test_a_success_at_the_second_attempt_is_pass_at_k_alone():
    trial = ended(open_trial())
    assert trial.success
    assert not trial.first_attempt_success
    assert replace(trial, attempts=(attempt(1, VerdictOutcome.SUCCESS),)).first_attempt_success


def test_only_a_proven_infrastructure_cause_leaves_the_denominator():
    for outcome in TrialOutcome:
        trial = ended(open_trial(), outcome)
        assert trial.counted == (outcome is not TrialOutcome.UNSET)
        assert not replace(trial, infrastructure=True).counted


def test_robot_seconds_are_reset_execute_and_verify():
    assert ended(open_trial()).robot_seconds == pytest.approx(15.0)


def test_an_attempt_without_a_verdict_was_not_judged():
    said = (VerdictOutcome.FAILURE, VerdictOutcome.UNSET, VerdictOutcome.UNCERTAIN)
    attempts = tuple(attempt(index + 1, verdict) for index, verdict in enumerate(said))
    judged = replace(ended(open_trial()), attempts=attempts).judged
    assert [item.index for item in judged] == [1, 3]
