"""A frozen station ends trials and requests once anything is not as it was frozen."""

from __future__ import annotations

from dataclasses import replace

from contract_support import Bench, TOLD
import pytest
from scripted_station import ScriptedStation, verdict
from trial_support import ended, open_trial

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.frozen import (
    ENVIRONMENT,
    Environment,
    require_own_run,
    unfrozen_digest,
)
from enpire_nodes.rollout.ledger import Ledger
from enpire_nodes.rollout.records import RequestRecord, TrialOutcome, VerdictOutcome
from enpire_nodes.rollout.trial.requests import Identity, RequestOutcome, RequestRunner
from enpire_nodes.rollout.trial.timeline import Timeline

REQUEST = RequestRecord('r1', 'test', trials=3, max_attempts=2, seeds=(1, 2, 3))
JUDGED = replace(verdict(VerdictOutcome.SUCCESS), digest=TOLD['verifier'])


class Witnesses:
    """Say what the test says that nodes say."""

    def __init__(self, bench: Bench) -> None:
        self.limits_digest = TOLD['limits']
        self.asked: list[str] = []
        self.wrong: dict[str, dict] = {}
        self._bench = bench

    def tell(self, node: str, names: tuple[str, ...]) -> dict:
        self.asked.append(node)
        told = self._bench.told(node, **self.wrong.get(node, {}))
        return {name: told.get(name) for name in names}


class Frozen:
    """A scripted station that is held to a bench's manifest."""

    def __init__(self, tmp_path) -> None:
        (tmp_path / 'bench').mkdir()
        self.bench = Bench(tmp_path / 'bench')
        self.digest = self.bench.freeze().digest
        self.station, self.witnesses = ScriptedStation(), Witnesses(self.bench)
        self.station.verdicts = [JUDGED] * 9
        self.environment = Environment(self.bench.guard(), lambda: '')
        self.ledger = Ledger(tmp_path / 'run', station='s', owner='test')
        self.runner = RequestRunner(
            station=self.environment.held(self.station, self.witnesses),
            ledger=self.ledger,
            timeline=Timeline(self.ledger.add_interval),
            identity=lambda: Identity('s', 'pin_insertion', self.environment.digest),
            draw_seed=lambda index: index,
        )

    def run(self):
        return self.runner.run(REQUEST)

    def rows(self) -> list[TrialOutcome]:
        return [trial.outcome for trial in self.ledger.trials()]


@pytest.fixture
def frozen(tmp_path):
    frozen = Frozen(tmp_path)
    yield frozen
    frozen.ledger.close()


def test_every_trial_carries_the_digest_of_the_manifest(frozen):
    assert frozen.run().outcome is RequestOutcome.COMPLETED
    trials = frozen.ledger.trials()
    assert [trial.environment_digest for trial in trials] == [frozen.digest] * 3
    before = ['driver', 'safety_gate', 'scene_reset', 'reward_classifier']
    assert frozen.witnesses.asked == [*before, 'driver', 'reward_classifier'] * 3


def test_a_change_between_trials_stops_the_request_before_the_next_one(frozen):
    def tamper(stage: str) -> None:
        if stage == 'stop' and len(frozen.rows()) == 2:
            frozen.bench.path('bench/reward.py').write_text('THRESHOLD = 0.0\n')

    frozen.station.during = tamper
    result = frozen.run()
    assert (result.outcome, result.error_code) == (
        RequestOutcome.STOPPED,
        ErrorCode.ENVIRONMENT_CHANGED,
    )
    assert 'bench/reward.py was changed' in result.message
    assert frozen.rows() == [TrialOutcome.SUCCESS] * 2
    assert frozen.run().error_code is ErrorCode.ENVIRONMENT_CHANGED  # and it stays so


@pytest.mark.parametrize('stage', ['record', 'reset', 'execute 1', 'judge 1'])
def test_a_change_within_a_trial_leaves_it_without_success(frozen, stage):
    def tamper(now: str) -> None:
        if now == stage:
            frozen.bench.path('settings/task.yaml').write_text('depth: 0.0\n')

    frozen.station.during = tamper
    result = frozen.run()
    assert result.error_code is ErrorCode.ENVIRONMENT_CHANGED
    (trial,) = frozen.ledger.trials()
    assert trial.outcome is TrialOutcome.FAULTED
    assert trial.error_code is ErrorCode.ENVIRONMENT_CHANGED
    assert 'settings/task was changed' in trial.message
    assert not trial.success
    assert trial.counted  # a policy that ran is not forgiven for it


def test_a_verdict_of_another_judge_is_no_success(frozen):
    frozen.station.verdicts = [replace(JUDGED, digest='0' * 64)]
    result = frozen.run()
    assert result.error_code is ErrorCode.ENVIRONMENT_CHANGED
    (trial,) = frozen.ledger.trials()
    assert trial.outcome is TrialOutcome.FAULTED
    assert 'reward_classifier works with another judge' in trial.message


@pytest.mark.parametrize(
    ('node', 'told', 'words'),
    [
        ('reward_classifier', {'min_frames': 1}, 'min_frames = 1, frozen was 3'),
        ('driver', {'noise.pose_sd': 0.0}, 'noise.pose_sd = 0.0, frozen was 0.001'),
    ],
)
def test_a_node_that_was_given_other_parameters_within_a_trial_is_named(frozen, node, told, words):
    def bribe(stage: str) -> None:
        if stage == 'execute 1':
            frozen.witnesses.wrong[node] = told

    frozen.station.during = bribe
    result = frozen.run()
    assert result.error_code is ErrorCode.ENVIRONMENT_CHANGED
    (trial,) = frozen.ledger.trials()
    assert trial.outcome is TrialOutcome.FAULTED
    assert f'{node} runs with {words}' in trial.message


def test_a_driver_of_a_robot_is_asked_nothing(frozen):
    """It is no node of ours, and has no parameters of noise."""
    manifest = frozen.bench.guard().manifest
    without = {node: v for node, v in manifest.parameters.items() if node != 'driver'}
    guard = frozen.bench.guard()
    guard.manifest = replace(manifest, parameters=without)
    station = Environment(guard, lambda: '').held(frozen.station, frozen.witnesses)
    station.prepare('', {})
    assert frozen.witnesses.asked == ['safety_gate', 'scene_reset', 'reward_classifier']


@pytest.mark.parametrize('outcome', [VerdictOutcome.SUCCESS, VerdictOutcome.FAILURE])
def test_a_verdict_that_does_not_say_whose_it_is_does_not_count(frozen, outcome):
    frozen.station.verdicts = [verdict(outcome)]
    frozen.run()
    assert frozen.ledger.trials()[0].error_code is ErrorCode.ENVIRONMENT_CHANGED


def test_a_judge_that_could_not_work_is_not_suspected(frozen):
    unable = replace(verdict(VerdictOutcome.UNCERTAIN), error_code=ErrorCode.REWARD_CAMERA_MISSING)
    frozen.station.verdicts = [unable, unable, *[JUDGED] * 4]
    assert frozen.run().outcome is RequestOutcome.COMPLETED
    assert frozen.rows()[0] is TrialOutcome.UNCERTAIN


def test_a_gate_with_other_limits_is_named_before_anything_moves(frozen):
    frozen.witnesses.limits_digest = '0' * 64
    result = frozen.run()
    assert result.error_code is ErrorCode.ENVIRONMENT_CHANGED
    assert 'safety_gate works with another limits file' in result.message
    assert frozen.rows() == []
    assert 'reset' not in frozen.station.log


def test_a_gate_that_was_not_heard_yet_is_waited_for_and_not_suspected(frozen):
    """As by stored evidence that is judged right after a start of the runner."""
    frozen.witnesses.limits_digest = ''
    station = frozen.environment.held(frozen.station, frozen.witnesses)
    station.check()
    with pytest.raises(StationError, match=r'safety_gate.*does not say which'):
        station.prepare('', {})


def test_a_gate_that_comes_back_with_other_limits_ends_the_trial(frozen):
    def restart(stage: str) -> None:
        if stage == 'reset':
            frozen.witnesses.limits_digest = '0' * 64

    frozen.station.during = restart
    frozen.run()
    assert frozen.station.log.count('execute 1') == 0
    assert 'safety_gate' in frozen.ledger.trials()[0].message


@pytest.mark.parametrize('node', ['safety_gate', 'scene_reset', 'reward_classifier'])
def test_a_node_with_other_code_is_named_before_anything_moves(frozen, node):
    frozen.witnesses.wrong[node] = {'code_digest': '0' * 64}
    result = frozen.run()
    assert result.error_code is ErrorCode.ENVIRONMENT_CHANGED
    assert f'{node} works with another code' in result.message
    assert frozen.rows() == []


def test_where_nothing_is_frozen_nothing_is_held_and_trials_say_so():
    station = ScriptedStation()
    environment = Environment(None, lambda: unfrozen_digest('task', 'limits'))
    assert environment.held(station, None) is station
    assert environment.digest.startswith('unfrozen:')
    assert len(environment.digest) == len('unfrozen:') + 64
    assert environment.digest != unfrozen_digest('task', 'other limits')
    assert environment.manifest_digest == ''
    assert environment.words.startswith('unfrozen')


def test_what_is_frozen_is_said(frozen):
    assert frozen.environment.words.startswith(f'frozen {frozen.digest[:12]} (20')


def run_with(tmp_path, *, note: str | None = None, mark: str | None = None) -> Ledger:
    ledger = Ledger(tmp_path / 'run', station='s', owner='test')
    if note is not None:
        ledger.add_note({'campaign_seed': 1, ENVIRONMENT: note})
    if mark is not None:
        ledger.start_trial(open_trial('t1', environment_digest=mark))
        ledger.close_trial(ended(open_trial('t1', environment_digest=mark)))
    return ledger


@pytest.mark.parametrize(
    ('note', 'mark', 'digest'),
    [
        (None, None, 'a' * 64),
        ('', None, 'a' * 64),
        ('a' * 64, 'a' * 64, 'a' * 64),
        ('', 'unfrozen:b', ''),
        (None, 'written before there were manifests', ''),
    ],
)
def test_a_run_goes_on_in_its_own_environment(tmp_path, note, mark, digest):
    with run_with(tmp_path, note=note, mark=mark) as ledger:
        require_own_run(ledger, digest)


@pytest.mark.parametrize(
    ('note', 'mark', 'digest'),
    [
        ('a' * 64, None, 'b' * 64),
        ('a' * 64, 'a' * 64, 'b' * 64),
        (None, 'a' * 64, 'b' * 64),
        ('a' * 64, 'a' * 64, ''),
        ('', 'unfrozen:c', 'b' * 64),
    ],
)
def test_a_run_of_another_environment_is_refused_with_what_to_do(tmp_path, note, mark, digest):
    with run_with(tmp_path, note=note, mark=mark) as ledger:
        with pytest.raises(StationError, match='a new freeze is a new campaign') as caught:
            require_own_run(ledger, digest)
    assert caught.value.code is ErrorCode.ENVIRONMENT_CHANGED
    assert 'enpire up --run' in caught.value.message
