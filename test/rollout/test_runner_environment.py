"""The runner's node, held to a manifest, among partners that say what the test lets them say."""

from __future__ import annotations

from contract_support import Bench, TOLD
from goal_support import offer, result_of
import pytest
from station_doubles import Doubles

from enpire_msgs.action import RunTrials
from enpire_msgs.msg import Heartbeat, StationState, Verdict
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.rollout import runner_environment
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import NOTE
from enpire_nodes.rollout.records import TrialOutcome
from enpire_nodes.rollout.trial_runner import TrialRunner
from enpire_nodes.ros import qos

pytestmark = pytest.mark.ros

LIMITS = 'safety/yam.yaml'


class Station:
    """A runner and its partners; its environment is a bench's in place of the package's."""

    def __init__(self, ros, tmp_path, monkeypatch) -> None:
        self.ros, self.path = ros, tmp_path
        self.bench = Bench(tmp_path / 'bench')
        self.bench.root.mkdir(exist_ok=True)
        monkeypatch.setenv('ROS_DOMAIN_ID', str(ros.domain_id))  # of the station's lock
        monkeypatch.setenv('ENPIRE_KEYS', str(self.bench.keys))
        monkeypatch.setattr(
            runner_environment, 'subject_of', lambda *given, **named: self.bench.subject()
        )
        # what the doubles say: see station_doubles
        self.bench.digests['limits'] = 'limits'
        self.partners = Doubles(ros)
        self.partners.judge.digest = TOLD['verifier']
        for name, node in (
            ('driver', 'driver'),
            ('gate', 'safety_gate'),
            ('reset', 'scene_reset'),
            ('judge', 'reward_classifier'),
        ):
            self.say(name, **self.bench.told(node))
        self.states = self._collect(StationState, 'station_state', qos.LATCHED)
        self.beats = self._collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)

    def _collect(self, kind: type, topic: str, profile: object) -> list:
        return self.ros.collect(kind, topic, profile)

    def say(self, name: str, **parameters) -> None:
        """Give a double parameters to tell."""
        node = getattr(self.partners, name)

        def declare() -> None:
            for key, value in parameters.items():
                if node.has_parameter(key):
                    node.undeclare_parameter(key)
                node.declare_parameter(key, value)

        self.ros.within(declare)

    def start(self, manifest: str | None = None, run: str = 'run') -> TrialRunner:
        """Start a runner; it need not come up."""
        values = {
            'run_directory': str(self.path / run),
            'seed': 1,
            'max_attempts': 1,
            'station_deadline': 3.0,
            'limits_file': LIMITS,
            'manifest': str(self.bench.manifest_file) if manifest is None else manifest,
        }
        self.runner = self.ros.make(TrialRunner, **values)
        return self.runner

    def stop(self) -> None:
        self.runner.close()
        self.ros.remove(self.runner)

    def ready(self) -> None:
        self.ros.wait_until(lambda: self.runner.active, what='the runner')

    def refusal(self) -> str:
        """Return why the runner does not come up."""
        name = self.runner.get_fully_qualified_name()

        def said() -> list[str]:
            return [beat.message for beat in self.beats if beat.node == name and beat.message]

        return self.ros.wait_until(said, what='the fault')[-1]

    def run(self, request_id: str = 'r1', **fields) -> RunTrials.Result:
        goal = RunTrials.Goal(request_id=request_id, requester='test', **{'trials': 1, **fields})
        return result_of(self.ros, offer(self.ros, RunTrials, 'run_trials', goal)).result

    def trials(self, run: str = 'run') -> list:
        with LedgerReader(self.path / run) as ledger:
            assert ledger.verify().whole
            return ledger.trials()


@pytest.fixture
def station(ros, tmp_path, monkeypatch):
    (tmp_path / 'bench').mkdir()
    station = Station(ros, tmp_path, monkeypatch)
    yield station
    station.runner.close()


def test_a_frozen_station_marks_its_trials_with_the_manifest(station):
    digest = station.bench.freeze().digest
    station.start()
    station.ready()
    assert station.run(trials=2).outcome == RunTrials.Result.COMPLETED
    assert [trial.environment_digest for trial in station.trials()] == [digest] * 2
    assert station.runner.diagnostics()['environment'].startswith(f'frozen {digest[:12]}')
    with LedgerReader(station.path / 'run') as ledger:
        assert [note.data['environment'] for note in ledger.entries(NOTE)] == [digest]


def test_without_a_manifest_a_station_works_and_says_so(station):
    station.start(manifest='')
    station.ready()
    station.partners.judge.digest = 'any judge'
    station.say('reset', code_digest='any code')
    assert station.run().outcome == RunTrials.Result.COMPLETED
    assert station.trials()[0].environment_digest.startswith('unfrozen:')
    assert station.runner.diagnostics()['environment'].startswith('unfrozen')


def test_a_changed_file_stops_the_request_and_names_it(station):
    station.bench.freeze()
    station.start()
    station.ready()
    assert station.run().outcome == RunTrials.Result.COMPLETED
    station.bench.path('bench/reward.py').write_text('THRESHOLD = 0.0\n')
    result = station.run('r2')
    assert result.outcome == RunTrials.Result.STOPPED
    assert result.error_code == ErrorCode.ENVIRONMENT_CHANGED
    assert 'bench/reward.py was changed' in result.message
    assert len(station.trials()) == 1


def test_a_change_while_the_policy_runs_leaves_no_success(station):
    station.bench.freeze()
    station.start()
    station.ready()
    station.partners.executor.takes = 1.0
    goals = station.partners.executor.goals
    timer = station.partners.executor.create_steady_timer(
        0.05, lambda: goals and station.bench.path('settings/limits.yaml').write_text('none')
    )
    result = station.run()
    station.partners.executor.destroy_timer(timer)
    assert result.error_code == ErrorCode.ENVIRONMENT_CHANGED
    (trial,) = station.trials()
    assert trial.outcome is TrialOutcome.FAULTED
    assert 'settings/limits was changed' in trial.message
    assert result.successes == 0


def test_a_verdict_of_another_judge_faults_the_trial_and_names_the_node(station):
    station.bench.freeze()
    station.start()
    station.ready()
    station.partners.judge.digest = '0' * 64
    station.partners.judge.verdicts = [Verdict.SUCCESS]
    result = station.run(trials=3)
    assert result.error_code == ErrorCode.ENVIRONMENT_CHANGED
    (trial,) = station.trials()
    assert trial.outcome is TrialOutcome.FAULTED
    assert trial.error_code is ErrorCode.ENVIRONMENT_CHANGED
    assert 'reward_classifier works with another judge' in trial.message


@pytest.mark.parametrize(
    ('name', 'told', 'words'),
    [
        ('gate', {'code_digest': '0' * 64}, 'safety_gate works with another code'),
        ('reset', {'settings_digest': '0' * 64}, 'scene_reset works with another task or camera'),
        ('judge', {'min_frames': 1}, 'reward_classifier runs with min_frames = 1, frozen was 3'),
        ('driver', {'noise.pose_sd': 0.0}, 'driver runs with noise.pose_sd = 0.0, frozen was'),
        ('judge', {'libraries': ['numpy=1.0 0']}, 'process of reward_classifier, library'),
    ],
)
def test_a_node_that_tells_something_else_is_named_before_anything_moves(
    station, name, told, words
):
    station.bench.freeze()
    station.start()
    station.ready()
    station.say(name, **told)
    result = station.run()
    assert result.error_code == ErrorCode.ENVIRONMENT_CHANGED
    assert words in result.message
    assert station.trials() == []
    assert station.partners.reset.goals == []


def test_a_gate_with_other_limits_is_named(station):
    station.bench.digests['limits'] = 'l' * 64
    station.bench.freeze()
    station.start()
    station.ready()
    result = station.run()
    assert result.error_code == ErrorCode.ENVIRONMENT_CHANGED
    assert 'safety_gate works with another limits file' in result.message


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (lambda bench: bench.path('bench/seeds.py').write_text(''), '902 ENVIRONMENT_CHANGED'),
        (lambda bench: bench.manifest_file.unlink(), '900 ENVIRONMENT_MANIFEST_INVALID'),
        (
            lambda bench: bench.manifest_file.write_text(
                bench.manifest_file.read_text().replace('pin_insertion', 'pin_insertions')
            ),
            '901 ENVIRONMENT_SIGNATURE_BAD',
        ),
        (lambda bench: bench.keys.chmod(0o777), '908 ENVIRONMENT_KEY_UNUSABLE'),
    ],
)
def test_a_station_does_not_come_up_on_a_manifest_that_does_not_hold(station, spoil, words):
    station.bench.freeze()
    spoil(station.bench)
    station.start()
    assert words in station.refusal()
    assert not station.runner.active


def test_a_new_freeze_needs_a_new_run(station):
    station.bench.freeze()
    station.start()
    station.ready()
    station.run()
    station.stop()
    station.bench.path('settings/task.yaml').write_text('depth: 0.03\n')
    second = station.bench.path('second')
    digest = station.bench.freeze(output=second).digest
    station.beats.clear()
    station.start(manifest=str(second / 'manifest.json'))
    said = station.refusal()
    assert 'a new freeze is a new campaign' in said
    assert 'enpire up --run' in said
    station.stop()
    station.start(manifest=str(second / 'manifest.json'), run='another')
    station.ready()
    station.run()
    assert [trial.environment_digest for trial in station.trials('another')] == [digest]


def test_a_frozen_run_does_not_go_on_without_its_manifest(station):
    station.bench.freeze()
    station.start()
    station.ready()
    station.run()
    station.stop()
    station.beats.clear()
    station.start(manifest='')
    assert 'no manifest' in station.refusal()
