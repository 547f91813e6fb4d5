"""The executor node on a fake station: every way an attempt can end, and what is refused."""

import textwrap
import time

from builtin_interfaces.msg import Duration
from diagnostic_msgs.msg import DiagnosticArray
from environment.doubles import DOWN, FakeStation
from geometry_msgs.msg import PoseStamped, Twist
from goal_support import offer, result_of
import numpy as np
import pytest
from rcl_interfaces.srv import DescribeParameters, SetParametersAtomically
from rclpy.parameter import Parameter
from sensor_msgs.msg import JointState
from std_msgs.msg import Empty

from enpire_msgs.action import ExecutePolicy
from enpire_msgs.msg import Attempt, Heartbeat, SafetyState, StationState, Verdict
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmCommand
from enpire_nodes.rollout.controllers import registry as controllers
from enpire_nodes.rollout.policy_executor import PARAMETERS, PolicyExecutor
from enpire_nodes.ros import qos
from enpire_nodes.tasks.api import SettleReport

Result = ExecutePolicy.Result
HERE = np.array([0.3, -0.3, 0.1])  # m, where the fake station says that its arm is


class FakeTask:
    """Settles by lifting for ``periods`` control periods."""

    name = 'fake'
    arm = 'right'
    cameras = ('side', 'front')
    hand_down = DOWN
    motion = {'grip_width': 0.009, 'grip_effort': 21.0}
    periods = 5
    failure: Exception | None = None

    def __init__(self, settings_file=None):
        self.settings = settings_file

    def observer(self, cameras, fixture):
        return FakeObserver(fixture)

    def settle(self, fixture, *, report=None):
        observation = yield None
        for _ in range(self.periods):
            observation = yield {'right': ArmCommand(HERE + [0, 0, 0.05], DOWN, 0.05)}
        if self.failure is not None:
            raise self.failure
        return SettleReport(True, 0.0, observation.stamp, 'lifted')


class FakeObserver:
    def __init__(self, fixture):
        self.fixture = fixture

    def features(self, observation, *, elapsed=0.0):
        state = observation.arms['right']
        return {'tcp': state.position - self.fixture.position, 'force': state.force}


@pytest.fixture(autouse=True)
def task(monkeypatch):
    monkeypatch.setattr(
        'enpire_nodes.environment.setup.load_task', lambda name, settings: FakeTask(settings)
    )
    monkeypatch.setattr(FakeTask, 'periods', 5)
    monkeypatch.setattr(FakeTask, 'failure', None)
    return FakeTask


@pytest.fixture
def station(ros):
    return FakeStation(ros)


@pytest.fixture
def make_node(ros, station, tmp_path):
    """Make the node with the given parameters, and wait until it is active."""
    settings = tmp_path / 'task.yaml'
    settings.write_text('', encoding='utf-8')

    def make(**parameters):
        node = ros.make(
            PolicyExecutor,
            task='fake',
            task_file=str(settings),
            run_directory=str(tmp_path),
            **{'step_deadline': 1.0, **parameters},  # generous: tests share their processors
        )
        nodes.append(node)
        ros.wait_until(lambda: node.active, what='policy_executor is active')
        return node

    nodes = []
    yield make
    for node in nodes:
        node.close()


@pytest.fixture
def policy(tmp_path):
    """Write a policy; return the parameters that select it."""

    def write(body):
        lines = textwrap.indent(textwrap.dedent(body).strip(), ' ' * 8)
        text = (
            'import os, sys, time\nimport numpy as np\n\n\nclass Policy:\n'
            '    def __init__(self, checkpoint):\n        pass\n\n'
            '    def reset(self, context):\n        self.context, self.count = context, 0\n\n'
            f'    def step(self, features):\n        self.count += 1\n{lines}\n'
        )
        path = tmp_path / 'policy' / 'policy.py'
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding='utf-8')
        return {'controller': 'learned', 'learned.policy': str(path)}

    return write


@pytest.fixture
def execute(ros, station):
    """Send a goal, let ``act`` do something while it runs, and return the result."""
    feedback = []

    def call(act=None, *, moves=3, **fields):
        goal = ExecutePolicy.Goal(trial_id='t1', attempt=1, timeout=Duration(sec=5))
        goal.fixture.header.frame_id = 'world'
        goal.fixture.pose.position.x, goal.fixture.pose.position.y = 0.3, -0.3
        for name, value in fields.items():
            setattr(goal, name, value)
        handle = offer(ros, ExecutePolicy, 'execute_policy', goal, feedback.append)
        if not handle.accepted:
            return None
        if act is not None:
            ros.wait_until(lambda: len(station.targets) >= moves, what='the policy moves')
            act(handle)
        ended = result_of(ros, handle)
        call.status = ended.status
        return ended.result

    call.feedback = feedback
    return call


STILL = 'return np.zeros(3)'
DONE_AFTER_10 = """
from enpire_nodes.rollout.controllers.interface import Action
return Action(delta=[0.0, 0.0, -0.0001], done=self.count > 10)
"""


def set_parameters(ros, **values):
    request = SetParametersAtomically.Request(
        parameters=[
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
    )
    name = 'policy_executor/set_parameters_atomically'
    return ros.call(SetParametersAtomically, name, request).result


def test_a_person_steers_and_the_time_is_booked(ros, make_node, execute, station):
    make_node(controller='teleop')
    twists = ros.node.create_publisher(Twist, 'operator/twist', qos.LEASE)
    done = ros.node.create_publisher(Empty, 'operator/done', qos.LEASE)
    ros.wait_until(lambda: twists.get_subscription_count() and done.get_subscription_count())

    def steer(_):
        wish = Twist()
        wish.linear.z = 0.03
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            twists.publish(wish)
            time.sleep(0.02)
        done.publish(Empty())

    result = execute(steer)
    assert (result.outcome, result.controller) == (Result.COMPLETED, 'teleop')
    assert 0.2 < result.operator_seconds < 1.5
    highest = max(target.pose.position.z for target in station.targets)
    assert highest > HERE[2] + 0.003, 'the hand went up'


def test_an_attempt_runs_settles_and_fills_its_result(ros, make_node, execute, station, policy):
    grips = ros.collect(JointState, 'command/right/gripper/command', qos.COMMANDS)
    chosen = policy(DONE_AFTER_10)
    make_node(**chosen)
    result = execute()
    assert (result.outcome, result.error_code) == (Result.COMPLETED, ErrorCode.NONE)
    assert 10 <= result.steps <= 30  # more when the machine is slow
    assert result.deadline_misses == 0
    assert result.can_retry
    assert result.controller == 'learned'
    assert result.controller_digest == controllers.digest(
        'learned', {'policy': chosen['learned.policy']}
    )
    named = {item.name: item.value.string_value for item in result.controller_parameters}
    assert named['learned.policy'] == chosen['learned.policy']
    stamps = [result.start, result.settle_start, result.settled]
    seconds = [stamp.sec + stamp.nanosec * 1e-9 for stamp in stamps]
    assert seconds[0] > 0
    assert 0.2 < seconds[1] - seconds[0] < 2.0
    assert seconds[2] > seconds[1]
    ros.wait_until(lambda: station.targets[-1].pose.position.z > HERE[2] + 0.04)
    stamps = [target.header.stamp for target in station.targets]
    first = stamps.index(result.start)
    assert stamps[first + result.steps] == result.settle_start
    held = [target.pose.position.z for target in station.targets[:first]]
    np.testing.assert_allclose(held, HERE[2], err_msg='it holds until the gate passes commands')
    assert grips[0].position[0] == pytest.approx(0.009)
    ros.wait_until(lambda: len(station.leases) == 2)
    assert [lease.engaged for lease in station.leases] == [True, False]
    assert station.leases[0].holder == '/station_1/policy_executor'
    assert execute.feedback[-1].step > 5


def test_the_time_runs_out(make_node, execute, policy):
    make_node(**policy(STILL))
    result = execute(timeout=Duration(nanosec=500_000_000))
    assert (result.outcome, result.error_code) == (Result.TIMED_OUT, ErrorCode.NONE)
    assert 10 <= result.steps <= 16


def test_the_policy_is_told_what_happened_before(make_node, execute, policy):
    make_node(
        **policy("""
        c, p = self.context, self.context.previous[0]
        said = (c.attempt, c.seed, p.index, p.verdict, p.execution, p.peak_force)
        raise RuntimeError(repr(said))
        """)
    )
    earlier = Attempt(
        index=1,
        execution=Result.TIMED_OUT,
        peak_force=7.5,
        verdict=Verdict(outcome=Verdict.FAILURE),
    )
    result = execute(attempt=2, seed=99, previous=[earlier])
    assert "(2, 99, 1, 'failure', 'timed_out', 7.5)" in result.message


@pytest.mark.parametrize(
    ('body', 'code', 'said'),
    [
        ('return np.full(3, np.nan)', ErrorCode.POLICY_NOT_FINITE, 'nan'),
        ('return np.zeros(7)', ErrorCode.POLICY_WRONG_SHAPE, '(7,)'),
        ('1 / 0', ErrorCode.POLICY_CRASHED, 'ZeroDivisionError'),
        ('os._exit(9)', ErrorCode.POLICY_CRASHED, 'exit code 9'),
        ('time.sleep(60)', ErrorCode.POLICY_DEADLINE_MISSED, 'too late'),
        ('while True: pass', ErrorCode.POLICY_DEADLINE_MISSED, 'too late'),
    ],
)
def test_a_bad_policy_ends_safely_and_the_next_attempt_runs(
    ros, make_node, execute, station, policy, body, code, said
):
    hangs = code == ErrorCode.POLICY_DEADLINE_MISSED
    node = make_node(
        **policy(f'if self.count > 3:\n    {body}\nreturn np.zeros(3)'),
        step_deadline=0.05 if hangs else 1.0,
    )
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    result = execute()
    assert (result.outcome, result.error_code) == (Result.ABORTED, code)
    assert said in result.message
    assert result.can_retry, 'the arm settled'
    assert station.targets[-1].pose.position.z == pytest.approx(HERE[2] + 0.05)
    policy(DONE_AFTER_10)
    after = execute(attempt=1)
    assert after.outcome == Result.COMPLETED, after.message
    stamps = [
        b.header.stamp.sec + b.header.stamp.nanosec * 1e-9 for b in beats if 'policy' in b.node
    ]
    assert np.diff(stamps).max() < 2.0, 'the node stalled with its policy'
    assert node.diagnostics()['attempts aborted'] == 1


def test_a_policy_that_cannot_be_loaded_is_aborted_with_the_reason(make_node, execute, policy):
    node = make_node(**policy(STILL))
    path = node.get_parameter('learned.policy').value
    with open(path, 'w', encoding='utf-8') as file:
        file.write('import no_such_module\n')
    result = execute()
    assert (result.outcome, result.error_code) == (Result.ABORTED, ErrorCode.POLICY_CRASHED)
    assert 'no_such_module' in result.message
    assert result.steps == 0


def test_a_late_answer_now_and_then_is_only_counted(make_node, execute, policy):
    make_node(
        **policy("""
        from enpire_nodes.rollout.controllers.interface import Action
        if self.count == 5:
            time.sleep(0.06)
        return Action(done=self.count > 15)
        """),
        step_deadline=0.025,
        most_misses=100,
    )
    result = execute()
    assert result.outcome == Result.COMPLETED
    assert result.deadline_misses >= 1


@pytest.mark.parametrize(
    ('mode', 'code'),
    [
        (SafetyState.TRIPPED, ErrorCode.GATE_FORCE_EXCEEDED),
        (SafetyState.ESTOPPED, ErrorCode.GATE_ESTOPPED),
    ],
)
def test_a_gate_that_stops_the_arm_ends_it(make_node, execute, station, policy, mode, code):
    make_node(**policy(STILL))
    result = execute(lambda _: station.trip(code, mode))
    assert (result.outcome, result.error_code) == (Result.UNSAFE, ErrorCode.POLICY_GATE_REFUSED)
    assert f'[{int(code)}] pressed too hard' in result.message
    assert result.settled.sec == 0


def test_a_latched_stop_ends_it_before_anything_moves(make_node, execute, station, policy):
    make_node(**policy(STILL))

    def stop(_):
        station.grant = False
        station.trip(ErrorCode.GATE_ESTOPPED, SafetyState.ESTOPPED)

    execute(stop)
    moved = len(station.targets)
    result = execute()
    assert (result.outcome, result.error_code) == (Result.UNSAFE, ErrorCode.POLICY_GATE_REFUSED)
    assert len(station.targets) == moved


def test_a_lease_that_is_not_granted_ends_it(make_node, execute, station, policy):
    station.grant = False
    make_node(**policy(STILL))
    result = execute()
    assert (result.outcome, result.error_code) == (Result.UNSAFE, ErrorCode.POLICY_GATE_REFUSED)


def test_a_station_that_goes_blind_ends_it(make_node, execute, station, policy):
    make_node(**policy(STILL))
    result = execute(lambda _: station.blind())
    assert (result.outcome, result.error_code) == (
        Result.UNSAFE,
        ErrorCode.POLICY_OBSERVATION_STALE,
    )
    assert 'driver' in result.message


def test_cancelling_halts_the_arm_and_keeps_the_grip(ros, make_node, execute, station, policy):
    grips = ros.collect(JointState, 'command/right/gripper/command', qos.COMMANDS)
    make_node(**policy('return [0.0, 0.0, -0.001]'))
    result = execute(lambda handle: handle.cancel_goal_async(), moves=8)
    assert (result.outcome, result.error_code) == (Result.CANCELED, ErrorCode.POLICY_CANCELED)
    assert execute.status == 5, 'the goal is canceled'
    np.testing.assert_allclose([t.pose.position.z for t in station.targets[-3:]], HERE[2])
    assert {round(grip.position[0], 6) for grip in grips} == {0.009}


def test_a_settle_that_fails_is_told(make_node, execute, policy, task, monkeypatch):
    monkeypatch.setattr(task, 'failure', StationError(ErrorCode.RESET_INTERNAL, 'stuck'))
    make_node(**policy(DONE_AFTER_10))
    result = execute()
    assert (result.outcome, result.error_code) == (Result.ABORTED, ErrorCode.POLICY_SETTLE_FAILED)
    assert 'stuck' in result.message


def test_deactivation_gives_the_arm_back(make_node, execute, station, policy, ros):
    node = make_node(**policy(STILL))
    result = execute(lambda _: ros.within(node.trigger_deactivate))
    assert result.outcome == Result.CANCELED
    ros.wait_until(lambda: not station.leases[-1].engaged)
    assert execute() is None, 'an inactive node refuses goals'


@pytest.mark.parametrize('wrong', ['attempt', 'frame', 'nan'])
def test_a_goal_that_makes_no_sense_is_refused(make_node, execute, policy, wrong):
    make_node(**policy(STILL))
    fixture = PoseStamped()
    fixture.header.frame_id = '' if wrong == 'frame' else 'world'
    fixture.pose.position.x = float('nan') if wrong == 'nan' else 0.3
    assert execute(attempt=0 if wrong == 'attempt' else 1, fixture=fixture) is None


def test_a_second_goal_is_refused(make_node, execute, policy):
    make_node(**policy(STILL))
    seen = []
    execute(
        lambda handle: (seen.append(execute()), handle.cancel_goal_async()),
    )
    assert seen == [None]


def test_the_controller_is_swapped_between_trials(ros, make_node, execute, policy):
    chosen = policy(DONE_AFTER_10)
    make_node(**chosen)
    first = execute()
    answer = set_parameters(ros, **{'controller': 'hold', 'hold.duration': 0.5})
    assert answer.successful, answer.reason
    second = execute()
    assert (first.controller, second.controller) == ('learned', 'hold')
    assert 15 <= second.steps <= 45
    assert second.controller_digest == controllers.digest('hold', {'duration': 0.5})


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        ({'controller': 'magic'}, 'spiral_search'),
        ({'controller': 'learned'}, 'learned.policy is empty'),
        ({'controller': 'learned', 'learned.policy': '/no/policy.py'}, 'no file /no/policy.py'),
        ({'controller': 'replay', 'replay.source': '/no/bag'}, '/no/bag'),
        ({'spiral_search.pitch': -1.0}, 'spiral_search.pitch'),
        ({'spiral_search.pitch': float('nan')}, 'spiral_search.pitch'),
        ({'spiral_search.magic': 1.0}, 'declared'),
    ],
)
def test_a_bad_parameter_is_refused_with_the_reason(ros, make_node, values, said):
    node = make_node(controller='spiral_search')
    before = node.get_parameter('controller').value
    answer = set_parameters(ros, **values)
    assert not answer.successful
    assert said in answer.reason
    assert node.get_parameter('controller').value == before


def test_while_a_trial_runs_the_controller_cannot_change(ros, make_node):
    make_node(controller='hold')
    latched = ros.node.create_publisher(StationState, 'station_state', qos.LATCHED)
    latched.publish(StationState(trial_id='station_1-0042'))
    ros.wait_until(lambda: not set_parameters(ros, controller='scripted').successful)
    answer = set_parameters(ros, **{'hold.duration': 1.0})
    assert not answer.successful
    assert 'station_1-0042' in answer.reason
    assert set_parameters(ros, timeout=5.0).successful, 'other parameters are not locked'
    latched.publish(StationState(trial_id=''))
    ros.wait_until(lambda: set_parameters(ros, controller='scripted').successful)


def test_a_runner_that_died_in_a_trial_does_not_lock_the_controller(ros, make_node):
    make_node(controller='hold')
    latched = ros.node.create_publisher(StationState, 'station_state', qos.LATCHED)
    latched.publish(StationState(trial_id='station_1-0042'))
    ros.wait_until(lambda: not set_parameters(ros, controller='scripted').successful)
    ros.node.destroy_publisher(latched)
    ros.wait_until(lambda: set_parameters(ros, controller='scripted').successful)


def test_while_an_attempt_runs_the_controller_cannot_change(ros, make_node, execute, policy):
    make_node(**policy(STILL))
    answers = []

    def act(handle):
        answers.append(set_parameters(ros, controller='hold'))
        handle.cancel_goal_async()

    execute(act)
    assert 'an attempt is under way' in answers[0].reason


def test_an_unknown_controller_at_the_start_keeps_the_node_inactive_and_says_why(
    ros, station, tmp_path
):
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    settings = tmp_path / 'task.yaml'
    settings.write_text('', encoding='utf-8')
    ros.make(PolicyExecutor, task='fake', task_file=str(settings), controller='magic')
    ros.wait_until(lambda: any(beat.state == Heartbeat.FAULTED for beat in beats))
    assert "no controller is called 'magic'" in beats[-1].message
    assert 'spiral_search' in beats[-1].message


def test_sliders_have_ranges_units_and_descriptions(ros, make_node):
    make_node(controller='hold')
    request = DescribeParameters.Request(names=['spiral_search.press_force'])
    answer = ros.call(DescribeParameters, 'policy_executor/describe_parameters', request)
    descriptor = answer.descriptors[0]
    assert descriptor.floating_point_range[0].to_value == 10.0
    assert '[N]' in descriptor.description


def test_every_parameter_is_described_once():
    names = [spec.name for spec in PARAMETERS]
    assert len(names) == len(set(names))
    assert all(len(spec.description) > 10 for spec in PARAMETERS)


def test_diagnostics_show_the_jitter_and_the_isolation(ros, make_node, execute, policy):
    make_node(**policy(DONE_AFTER_10))
    messages = ros.collect(DiagnosticArray, '/diagnostics')
    execute()

    def values():
        for message in reversed(messages):
            status = message.status[0]
            if status.name == '/station_1/policy_executor':
                found = {item.key: item.value for item in status.values}
                if found.get('attempts completed') == '1':
                    return found
        return None

    found = ros.wait_until(values)
    assert found['controller'] == 'learned'
    assert float(found['period jitter p99 [ms]']) < 500.0
    assert float(found['policy round trip p50 [ms]']) < 25.0
    assert found['isolation']
