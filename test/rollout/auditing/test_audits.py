"""What the entries of a book add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trial_support import attempt, ended, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.alarm import AlarmRule, CANARY, PERSON, SECOND, TRUTH
from enpire_nodes.rollout.auditing.book import ALARM, AuditBook
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.doubt import Doubt
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord
from enpire_nodes.rollout.records import VerdictOutcome as V

RULE = AlarmRule()


def trial(number: int, *verdicts: V, **fields: object) -> TrialRecord:
    """Return a closed trial whose attempts were judged so."""
    attempts = tuple(attempt(index + 1, verdict) for index, verdict in enumerate(verdicts))
    fields = {'environment_digest': 'one', **fields}
    return replace(ended(open_trial(f'trial_{number:04d}', **fields)), attempts=attempts)


def canary(number: int, kind: str, verdict: V) -> TrialRecord:
    return trial(number, verdict, requester='canary', idea=kind)


def waiting(desk: AuditDesk) -> list[str]:
    return [item.trial_id for item in desk.audits.waiting()]


@pytest.fixture
def desk(tmp_path) -> AuditDesk:
    return AuditDesk(tmp_path, Sampler(b'key', 1.0), RULE)


def test_every_auditor_has_its_own_tally(desk):
    desk.hear(trial(1, V.FAILURE, V.SUCCESS), {1: False, 2: False})
    desk.find(SECOND, 'trial_0001', 2, V.SUCCESS)
    desk.label('trial_0001', 1, V.FAILURE, labeller='Ada', seconds=3.0)
    desk.label('trial_0001', 2, V.SUCCESS, labeller='Ada', seconds=4.0)
    tallies = desk.audits.whole.tallies
    assert (tallies[TRUTH].true_failures, tallies[TRUTH].false_successes) == (1, 1)
    assert tallies[SECOND].true_successes == 1
    assert (tallies[PERSON].true_failures, tallies[PERSON].true_successes) == (1, 1)
    assert desk.audits.human_seconds == {'label': 7.0}


def test_a_trial_is_heard_once_and_a_word_taken_back_does_not_count(desk):
    for _ in range(2):
        desk.hear(trial(1, V.SUCCESS), {1: True})
    desk.label('trial_0001', 1, V.FAILURE, labeller='Ada', seconds=1.0)
    desk.label('trial_0001', 0, V.SUCCESS, labeller='Bob', seconds=1.0)
    tallies = desk.audits.whole.tallies
    assert tallies[TRUTH].true_successes == 1
    assert (tallies[PERSON].true_successes, tallies[PERSON].false_successes) == (1, 0)


def test_a_person_counts_once_every_attempt_of_a_drawn_trial_is_labelled(desk):
    desk.hear(trial(1, V.FAILURE, V.SUCCESS))
    assert waiting(desk) == ['trial_0001']
    desk.label('trial_0001', 2, V.SUCCESS, labeller='Ada', seconds=1.0)
    assert PERSON not in desk.audits.whole.tallies
    assert desk.audits.waiting()
    desk.label('trial_0001', 1, V.FAILURE, labeller='Ada', seconds=1.0)
    assert desk.audits.whole.tallies[PERSON].true_failures == 1
    assert not desk.audits.waiting()


def test_what_was_not_drawn_waits_only_when_it_is_odd_and_enters_no_rate(tmp_path):
    desk = AuditDesk(tmp_path, Sampler(b'key', 0.0), RULE)
    desk.hear(trial(1, V.SUCCESS), {1: True})
    desk.hear(trial(2, V.UNCERTAIN))
    desk.hear(trial(3, V.SUCCESS))
    desk.find(SECOND, 'trial_0003', 1, V.FAILURE, 'no pin')
    assert waiting(desk) == ['trial_0002', 'trial_0003']
    desk.label('trial_0003', 1, V.FAILURE, labeller='Ada', seconds=1.0)
    assert PERSON not in desk.audits.whole.tallies
    assert waiting(desk) == ['trial_0002']


def test_a_contradiction_that_was_taken_back_is_none(tmp_path):
    desk = AuditDesk(tmp_path, Sampler(b'key', 0.0), RULE)
    desk.hear(trial(1, V.FAILURE, V.SUCCESS))
    desk.find(SECOND, 'trial_0001', 1, V.SUCCESS)
    desk.find(SECOND, 'trial_0001', 2, V.SUCCESS)
    assert waiting(desk) == desk.audits.fresh.suspects == ['trial_0001']
    desk.find(SECOND, 'trial_0001', 1, V.FAILURE)
    assert waiting(desk) == desk.audits.fresh.suspects == []


def test_what_an_auditor_has_not_seen_is_told_attempt_by_attempt(desk):
    desk.hear(trial(1, V.FAILURE, V.UNSET, V.SUCCESS))
    desk.find(SECOND, 'trial_0001', 3, V.UNCERTAIN)
    heard = desk.audits.trials['trial_0001']
    assert heard.unseen_by(SECOND) == {1}
    assert heard.unseen_by(TRUTH) == {1, 3}


def test_another_environment_starts_new_tallies(desk):
    desk.hear(trial(1, V.FAILURE), {1: False})
    desk.hear(trial(2, V.FAILURE, environment_digest='two'), {1: False})
    assert desk.audits.whole.tallies[TRUTH].true_failures == 1
    desk.find(SECOND, 'trial_0001', 1, V.FAILURE)
    assert SECOND not in desk.audits.whole.tallies


def test_a_false_success_too_many_is_an_alarm_that_only_a_person_ends(desk, tmp_path):
    for number in range(2):
        desk.hear(trial(number, V.SUCCESS), {1: False})
    alarm = desk.audits.alarm
    assert 'truth calls 2 of 2 failures judged successes' in alarm
    assert 'trial_0000, trial_0001' in alarm
    assert 'enpire audit clear' in alarm
    desk.hear(trial(3, V.FAILURE), {1: False})
    assert desk.audits.alarm == alarm
    again = AuditDesk(tmp_path, Sampler(b'key', 1.0), RULE)
    assert again.audits.alarm == alarm
    with pytest.raises(StationError, match='without a name'):
        again.clear(who=' ')
    assert again.clear(who='Ada', seconds=60.0, reason='camera moved') == alarm
    assert desk.refresh()
    assert (desk.audits.alarm, desk.audits.human_seconds['review']) == ('', 60.0)
    assert desk.audits.whole.tallies[TRUTH].false_successes == 2
    desk.hear(trial(4, V.SUCCESS), {1: False})
    assert desk.audits.alarm == ''
    desk.hear(trial(5, V.SUCCESS), {1: False})
    assert 'truth calls 2 of 2' in desk.audits.alarm


def test_what_is_said_after_the_clearing_of_trials_before_it_raises_no_alarm_again(desk):
    for number in range(4):
        desk.hear(trial(number, V.SUCCESS), {1: False} if number < 2 else {})
    assert desk.audits.alarm
    desk.clear(who='Ada', reason='camera put back')
    for number in range(4):
        desk.find(SECOND, f'trial_{number:04d}', 1, V.FAILURE)
        desk.label(f'trial_{number:04d}', 1, V.FAILURE, labeller='Ada', seconds=1.0)
    assert desk.audits.alarm == ''
    assert desk.audits.whole.tallies[SECOND].false_successes == 4
    assert desk.audits.whole.tallies[PERSON].false_successes == 4
    for number in range(4, 7):
        desk.hear(trial(number, V.SUCCESS))
        desk.label(f'trial_{number:04d}', 1, V.FAILURE, labeller='Ada', seconds=1.0)
    assert 'person calls' in desk.audits.alarm
    assert 'trial_0003' not in desk.audits.alarm


def test_a_canary_that_nobody_had_heard_of_when_it_was_cleared_raises_no_alarm_again(tmp_path):
    failed = canary(1, 'known_failure', V.SUCCESS)
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        ledger.start_trial(replace(failed, outcome=TrialOutcome.UNSET))
        ledger.close_trial(failed)
        with pytest.raises(StationError):
            Doubt(tmp_path).raise_alarm('it failed', [failed.trial_id])
        AuditDesk(tmp_path, Sampler(b'', 0.0)).clear(who='Ada')
        auditor = AuditDesk(tmp_path, Sampler(b'key', 0.0), RULE)  # was down all the time
        auditor.hear(failed)
        assert (auditor.audits.canaries_failed, auditor.audits.alarm) == (1, '')
        auditor.hear(canary(2, 'known_failure', V.SUCCESS))
        assert auditor.audits.alarm


def test_an_alarm_that_was_drawn_from_what_is_cleared_meanwhile_is_none(desk, tmp_path):
    book = AuditBook(tmp_path)
    book.append(ALARM, {'message': 'first'})
    desk.clear(who='Ada')
    book.append(ALARM, {'message': 'drawn before', 'seen': 1})
    desk.refresh()
    assert desk.audits.alarm == ''
    book.append(ALARM, {'message': 'drawn after', 'seen': 3})
    desk.refresh()
    assert desk.audits.alarm == 'drawn after'


def test_a_desk_without_a_rule_raises_no_alarm_but_tells_of_it(desk, tmp_path):
    other = AuditDesk(tmp_path, Sampler(b'key', 1.0))
    for number in range(3):
        other.hear(trial(number, V.SUCCESS), {1: False})
    assert other.audits.alarm == ''
    assert desk.refresh()
    assert desk.audits.alarm
    other.refresh()
    assert other.audits.alarm == desk.audits.alarm


def test_canaries_are_counted_apart(desk):
    desk.hear(canary(1, 'known_failure', V.FAILURE), {1: False})
    desk.hear(canary(2, 'onset', V.UNCERTAIN))
    desk.hear(canary(3, 'replayed_success', V.SUCCESS))
    audits = desk.audits
    assert (audits.canaries, audits.canaries_failed, audits.alarm) == (3, 0, '')
    assert waiting(desk) == []  # it is known what they are, although one is uncertain
    assert not audits.sampled
    assert TRUTH not in audits.whole.tallies
    desk.hear(canary(4, 'replayed_success', V.UNCERTAIN))
    assert (audits.canaries, audits.canaries_failed) == (4, 1)
    assert 'known successes were not judged so' in audits.alarm
    assert audits.whole.tallies[CANARY].uncertain == 2


def test_a_canary_that_came_to_nothing_is_none(desk):
    desk.hear(trial(1, V.UNSET, requester='canary', idea='known_failure'))
    assert desk.audits.canaries == 0


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('nonsense', 1, V.SUCCESS), 'no audited trial'),
        (('trial_0001', 3, V.SUCCESS), 'judged: 1, 2'),
        (('trial_0002', 0, V.SUCCESS), 'never judged'),
        (('trial_0001', 1, V.UNSET), 'a label is'),
    ],
)
def test_a_label_of_nothing_is_refused(desk, arguments, words):
    desk.hear(trial(1, V.FAILURE, V.SUCCESS))
    desk.hear(trial(2))
    with pytest.raises(StationError, match=words) as caught:
        desk.label(*arguments, labeller='Ada', seconds=1.0)
    assert caught.value.code is ErrorCode.RUNNER_BAD_REQUEST


@pytest.mark.parametrize(('who', 'seconds'), [('', 1.0), ('Ada', -1.0), ('Ada', float('nan'))])
def test_a_label_says_who_and_how_long(desk, who, seconds):
    desk.hear(trial(1, V.FAILURE))
    with pytest.raises(StationError):
        desk.label('trial_0001', 1, V.FAILURE, labeller=who, seconds=seconds)
    assert desk.audits.human_seconds == {}


def test_without_an_alarm_there_is_nothing_to_clear(desk):
    with pytest.raises(StationError, match='no alarm'):
        desk.clear(who='Ada')
