"""Records to messages and back."""

from dataclasses import replace

from rclpy.serialization import deserialize_message, serialize_message
from trial_support import attempt, ended, open_trial, START_NS

from enpire_msgs.msg import Trial
from enpire_nodes.rollout.messages import (
    attempt_record,
    nanoseconds,
    parameter_messages,
    parameter_values,
    time_message,
    trial_message,
)
from enpire_nodes.rollout.records import TrialOutcome, VerdictRecord


def test_a_trial_message_says_what_the_record_says():
    record = replace(ended(open_trial()), ledger_digest='abc', bag='trials/trial_1/bag')
    message = deserialize_message(serialize_message(trial_message(record)), Trial)
    assert message.trial_id == 'trial_1'
    assert message.seed == record.seed
    assert message.outcome == Trial.SUCCESS
    assert message.outcome_name == 'SUCCESS'
    assert message.success
    assert not message.first_attempt_success
    assert message.robot_seconds == record.robot_seconds
    assert nanoseconds(message.end) == record.end_ns
    assert nanoseconds(message.header.stamp) == record.stamp_ns
    assert list(message.reset_recoveries) == ['slipped']
    assert message.attempts[1].verdict.attempt == 2
    assert message.attempts[1].verdict.trial_id == 'trial_1'
    assert message.ledger_digest == 'abc'


def test_attempts_come_back_as_they_went():
    record = ended(open_trial())
    message = trial_message(record)
    assert tuple(attempt_record(item) for item in message.attempts) == record.attempts


def test_an_open_trial_is_never_a_success():
    message = trial_message(open_trial())
    assert message.outcome == Trial.UNSET
    assert not message.success


def test_an_attempt_that_was_not_judged_has_an_unset_verdict():
    judged = ended(open_trial(), TrialOutcome.FAULTED)
    record = replace(judged, attempts=(replace(attempt(1, 2), verdict=VerdictRecord()),))
    assert trial_message(record).attempts[0].verdict.outcome == 0


def test_parameters_keep_their_kinds():
    values = {'a': True, 'b': 3, 'c': 0.5, 'd': 'x', 'e': [1.0, 2.0], 'f': [1, 2], 'g': ['y']}
    back = parameter_values(parameter_messages(values))
    assert back == values
    assert {name: type(value) for name, value in back.items()} == {
        name: type(value) for name, value in values.items()
    }


def test_instants_are_exact():
    assert nanoseconds(time_message(START_NS + 123456789)) == START_NS + 123456789
