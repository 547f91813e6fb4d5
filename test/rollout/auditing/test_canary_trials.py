"""Canaries between the trials of a request, on a scripted station."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scripted_station import FIXTURE, ScriptedStation, verdict

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing import canary_trials
from enpire_nodes.rollout.auditing.audited import AuditedStation
from enpire_nodes.rollout.auditing.canaries import CANARY, StoredEvidence
from enpire_nodes.rollout.auditing.canary_trials import CanaryTrials
from enpire_nodes.rollout.auditing.desk import AuditDesk
from enpire_nodes.rollout.auditing.doubt import Doubt
from enpire_nodes.rollout.auditing.sample import Sampler
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import RequestRecord, TrialOutcome
from enpire_nodes.rollout.records import VerdictOutcome as V
from enpire_nodes.rollout.trial.port import ResetResult
from enpire_nodes.rollout.trial.requests import Identity, RequestOutcome, RequestRunner
from enpire_nodes.rollout.trial.timeline import Timeline
from enpire_nodes.tasks.api import OPERATOR_CODES

REQUEST = RequestRecord('r1', 'agent', trials=6, max_attempts=1, seeds=())
READY, SLIPPED = (
    ResetResult(FIXTURE),
    StationError(ErrorCode.RESET_GRASP_FAILED, 'the pin slipped'),
)
GOOD, BAD = StoredEvidence(Path('/a'), 'a', True), StoredEvidence(Path('/b'), 'b', False)


class Clocked(ScriptedStation):
    """A scripted station whose clock runs, with a controller and a judge of stored evidence."""

    def __init__(self) -> None:
        super().__init__()
        self.controller = 'spiral_search'
        self.controllers: list[str] = []
        self.stored: dict[str, object] = {'a': V.SUCCESS, 'b': V.FAILURE}

    def now_ns(self) -> int:
        self.clock += 10**7
        return self.clock

    def prepare(self, controller: str, parameters: dict) -> str:
        super().prepare(controller, parameters)
        self.controller = controller or self.controller
        self.controllers.append(self.controller)
        return self.controller

    def current_controller(self) -> str:
        return self.controller

    def judge_evidence(self, stored: StoredEvidence):
        self.log.append(f'stored {stored.digest}')
        answer = self.stored[stored.digest]
        if isinstance(answer, Exception):
            raise answer
        return verdict(answer)


@pytest.fixture
def station() -> Clocked:
    return Clocked()


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path, station='s', owner='test') as ledger:
        yield ledger


@pytest.fixture
def make(station, ledger):
    def make(every: int = 2, catalogue: tuple = ()) -> RequestRunner:
        shared = {
            'ledger': ledger,
            'timeline': Timeline(ledger.add_interval),
            'identity': lambda: Identity('s', 'pin_insertion', 'digest'),
            'draw_seed': lambda index: index % 2**32 + 7 * (index >= 2**32),
            'trial_closed': lambda trial: closed.append(trial.trial_id),
        }
        doubt = Doubt(ledger.run.path)
        canaries = CanaryTrials(
            station=station, calls=station, doubt=doubt, every=every, catalogue=catalogue, **shared
        )
        return RequestRunner(station=AuditedStation(station, doubt, canaries), **shared)

    closed = make.closed = []
    return make


def kinds(ledger) -> list[str]:
    return [trial.idea or '-' for trial in ledger.trials()]


def test_canaries_run_between_the_trials_and_count_for_nobody(make, ledger, station):
    station.verdicts = [verdict(V.SUCCESS)] * 2 + [verdict(V.FAILURE)]
    station.verdicts += [verdict(V.SUCCESS)] * 2 + [verdict(V.UNCERTAIN)]
    result = make().run(REQUEST)
    assert result.outcome is RequestOutcome.COMPLETED
    assert kinds(ledger) == ['-', '-', 'known_failure', '-', '-', 'onset', '-', '-']
    assert (result.summary.trials, result.summary.successes) == (6, 6)
    canaries = [trial for trial in ledger.trials() if trial.requester == CANARY]
    assert len({trial.request_id for trial in canaries} | {'r1'}) == 3
    assert all(ledger.request(trial.request_id).requester == CANARY for trial in canaries)
    assert make.closed == [trial.trial_id for trial in ledger.trials()]
    assert ledger.verify().whole
    assert ledger.trials_of_request('r1')[2].seed == 2


def test_the_policy_gets_its_controller_back(make, ledger, station):
    station.verdicts = [verdict(V.SUCCESS)] * 2 + [verdict(V.FAILURE)]
    make().run(replace(REQUEST, trials=3))
    assert station.controllers == ['spiral_search'] * 2 + ['hold', 'spiral_search'] * 1 + [
        'spiral_search'
    ]
    hold = next(trial for trial in ledger.trials() if trial.idea == 'known_failure')
    assert hold.max_attempts == 1


def test_a_controller_that_could_not_be_given_back_is_before_the_next_trial(make, ledger, station):
    station.verdicts = [verdict(V.SUCCESS)] * 2 + [verdict(V.FAILURE)]
    lost = StationError(ErrorCode.RUNNER_NODE_LOST, 'the executor was lost')
    station.preparations = ['', '', '', lost]
    assert make().run(replace(REQUEST, trials=3)).error_code is ErrorCode.RUNNER_NODE_LOST
    assert station.controller == 'hold'
    # another life of the runner, which knows the ledger alone
    assert make().run(replace(REQUEST, trials=3)).outcome is RequestOutcome.COMPLETED
    assert [trial.controller for trial in ledger.trials_of_request('r1')][2] == 'scripted'
    assert station.controllers[-2:] == ['spiral_search', 'spiral_search']


def test_at_the_onset_nothing_moves_but_the_judge_is_asked(make, ledger, station):
    make(every=2).run(replace(REQUEST, trials=2))
    station.verdicts = [verdict(V.FAILURE)]
    make(every=2).run(replace(REQUEST, request_id='r2', trials=2))
    station.verdicts = [verdict(V.FAILURE)]
    before = len(station.log)
    make(every=2).run(replace(REQUEST, request_id='r3', trials=1))
    assert station.log[before : before + 5] == ['prepare', 'record', 'reset', 'judge 1', 'stop']
    onset = next(trial for trial in ledger.trials() if trial.idea == 'onset')
    attempt = onset.attempts[0]
    assert attempt.end_ns - attempt.start_ns >= 0.5e9
    assert attempt.steps == 0
    assert not onset.infrastructure


@pytest.mark.parametrize(
    ('said', 'words'),
    [
        ([V.SUCCESS], 'the canary "known failure" was judged SUCCESS'),
        ([V.FAILURE] + [V.FAILURE] * 2 + [V.SUCCESS], 'the canary "onset" was judged SUCCESS'),
    ],
)
def test_a_failed_canary_ends_the_request_at_once_until_somebody_clears_it(
    make, ledger, station, said, words
):
    station.verdicts = [verdict(V.FAILURE)] * 2 + [verdict(item) for item in said]
    result = make().run(REQUEST)
    assert result.outcome is RequestOutcome.STOPPED
    assert result.error_code is ErrorCode.RUNNER_JUDGE_DOUBTED
    canary = ledger.trials()[-1]
    assert words in result.message
    assert canary.trial_id in result.message
    count = len(ledger.trials())
    # another life of the runner, and another request
    again = make().run(replace(REQUEST, request_id='r2'))
    assert again.error_code is ErrorCode.RUNNER_JUDGE_DOUBTED
    assert again.message == result.message
    assert len(ledger.trials()) == count
    AuditDesk(ledger.run.path, Sampler(b'', 0.0)).clear(who='Ada')
    station.verdicts = []
    assert make().run(replace(REQUEST, request_id='r3', trials=2)).error_code is ErrorCode.NONE


def test_stored_evidence_is_replayed_each_turn(make, ledger, station):
    station.verdicts = [verdict(V.FAILURE)] * 99
    result = make(2, (GOOD, BAD)).run(replace(REQUEST, trials=3))
    assert result.outcome is RequestOutcome.COMPLETED
    assert kinds(ledger) == [
        '-',
        '-',
        'replayed_success',
        'replayed_failure',
        'known_failure',
        '-',
    ]
    replayed = ledger.trials()[2]
    assert replayed.outcome is TrialOutcome.SUCCESS
    assert replayed.attempts[0].verdict.outcome is V.SUCCESS
    assert 'sha256 a' in replayed.message
    assert replayed.bag == ''
    assert make.closed == [trial.trial_id for trial in ledger.trials()]


@pytest.mark.parametrize(
    ('digest', 'said', 'words'),
    [
        ('a', V.UNCERTAIN, '"replayed success" was judged UNCERTAIN'),
        ('a', V.FAILURE, '"replayed success" was judged FAILURE'),
        ('b', V.SUCCESS, '"replayed failure" was judged SUCCESS'),
    ],
)
def test_stored_evidence_that_is_judged_otherwise_now_is_an_alarm(
    make, station, digest, said, words
):
    station.stored[digest] = said
    result = make(1, (GOOD, BAD)).run(REQUEST)
    assert result.error_code is ErrorCode.RUNNER_JUDGE_DOUBTED
    assert words in result.message


def test_a_replay_that_cannot_be_judged_is_closed_and_stops_the_request(make, ledger, station):
    code = ErrorCode.ENVIRONMENT_EVIDENCE_UNREADABLE
    station.stored['a'] = StationError(code, 'gone')
    result = make(1, (GOOD,)).run(REQUEST)
    assert (result.error_code, result.message) == (code, 'gone')
    last = ledger.trials()[-1]
    assert (last.outcome, last.infrastructure) == (TrialOutcome.FAULTED, True)
    assert not ledger.open_trials()


def test_a_canary_that_came_to_nothing_is_no_alarm(make, ledger, station):
    station.resets = [*[READY] * 2, SLIPPED]
    station.verdicts = [verdict(V.SUCCESS)] * 2 + [verdict(V.FAILURE)]
    result = make().run(replace(REQUEST, trials=3))
    assert result.outcome is RequestOutcome.COMPLETED
    assert ledger.trials()[2].outcome is TrialOutcome.FAULTED
    # it tested nobody, and was run again with another seed
    assert kinds(ledger) == ['-', '-', 'known_failure', 'known_failure', '-']
    first, again = ledger.trials()[2:4]
    assert (first.judged, len(again.judged)) == ((), 1)
    assert station.controllers[-1] == 'spiral_search'


def test_canaries_that_come_to_nothing_time_and_again_stop_the_request(make, ledger, station):
    station.resets = [*[READY] * 2, *[SLIPPED] * 3]
    result = make(2, (GOOD,)).run(replace(REQUEST, trials=3))
    assert result.error_code is ErrorCode.RESET_GRASP_FAILED
    assert 'the canary "known failure" came to no verdict 3 times in a row' in result.message
    assert 'the pin slipped' in result.message
    assert len(ledger.trials_of_request('r1')) == 2
    # still due, also for another life of the runner
    station.verdicts = [verdict(V.FAILURE)]
    again = make(2, (GOOD,)).run(replace(REQUEST, trials=3))
    assert again.outcome is RequestOutcome.COMPLETED
    assert kinds(ledger)[-3:] == ['replayed_success', 'known_failure', '-']


@pytest.mark.parametrize(
    ('code', 'expected'),
    [
        (ErrorCode.RUNNER_CANCELED, ErrorCode.RUNNER_CANCELED),
        (next(iter(OPERATOR_CODES)), ErrorCode.RUNNER_OPERATOR_NEEDED),
    ],
)
def test_a_canary_is_not_tried_again_when_somebody_cancels_or_is_needed(
    make, ledger, station, code, expected
):
    station.resets = [READY, READY, StationError(code, 'stop')]
    assert make().run(REQUEST).error_code is expected
    assert kinds(ledger) == ['-', '-', 'known_failure']


def test_a_failed_canary_is_an_alarm_although_the_policy_is_lost(make, ledger, station):
    station.verdicts = [verdict(V.FAILURE)] * 2 + [verdict(V.SUCCESS)]
    station.preparations = ['', '', '', StationError(ErrorCode.RUNNER_NODE_LOST, 'lost')]
    assert make().run(REQUEST).error_code is ErrorCode.RUNNER_NODE_LOST
    again = make().run(replace(REQUEST, request_id='r2'))
    assert again.error_code is ErrorCode.RUNNER_JUDGE_DOUBTED


def test_a_clock_that_stands_still_at_the_onset_is_said(monkeypatch):
    monkeypatch.setattr(canary_trials, '_PATIENCE', 0.05)
    with pytest.raises(StationError, match=r'0\.00 s of 0\.5 s') as caught:
        canary_trials._Onset(ScriptedStation()).execute('t', 1)
    assert caught.value.code is ErrorCode.RUNNER_STAGE_TIMEOUT


def test_every_file_of_the_catalogue_has_its_turn(make, station):
    more = tuple(replace(GOOD, digest=digest) for digest in 'cd')
    station.stored |= dict.fromkeys('cd', V.SUCCESS)
    station.verdicts = [verdict(V.FAILURE)] * 99
    make(1, (GOOD, *more, BAD)).run(replace(REQUEST, trials=3))
    replayed = [words[-1] for words in station.log if words.startswith('stored')]
    assert replayed == ['a', 'b', 'c', 'b']


def test_the_environment_is_looked_at_before_and_after_a_replay(make, ledger, station):
    make(2, (GOOD,)).run(replace(REQUEST, trials=2))
    changed = StationError(ErrorCode.ENVIRONMENT_CHANGED, 'verify.py was changed')
    station.log.clear()
    station.preparations = ['', changed]
    result = make(2, (GOOD,)).run(replace(REQUEST, request_id='r2'))
    assert (result.error_code, result.message) == (changed.code, changed.message)
    assert station.log == ['prepare', 'stored a', 'prepare']
    last = ledger.trials()[-1]
    assert (last.idea, last.outcome) == ('replayed_success', TrialOutcome.FAULTED)
    assert last.judged == ()


def test_the_ledger_is_read_on_and_not_again(make, ledger, monkeypatch):
    decoded = []
    from_json = canary_trials.from_json
    monkeypatch.setattr(
        canary_trials, 'from_json', lambda *some: decoded.append(1) or from_json(*some)
    )
    make(100).run(REQUEST)
    assert len(decoded) == 5  # none of the sixth trial, before which it looked last
    decoded.clear()
    make(0).run(replace(REQUEST, request_id='r2'))
    assert decoded == []


def test_none_are_run_unless_asked_for(make, ledger):
    make(0, (GOOD,)).run(REQUEST)
    assert kinds(ledger) == ['-'] * 6
