"""A node's lifecycle, heartbeat and diagnostics, with real rclpy."""

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
import pytest

from enpire_msgs.msg import Heartbeat
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.ros import qos
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec


class Worker(StationNode):
    failure: Exception | None = None

    def __init__(self, **arguments):
        super().__init__(
            'worker',
            parameters=[ParameterSpec('speed', 0.5, 'm/s, how fast', minimum=0.0, maximum=1.0)],
            **arguments,
        )

    def configure(self):
        if self.failure is not None:
            raise self.failure

    def diagnostics(self):
        return {'speed': 0.5}


@pytest.fixture
def failing():
    def set_failure(error):
        Worker.failure = error
        return Worker

    yield set_failure
    Worker.failure = None


def test_starts_by_itself_and_beats_ten_times_a_second(ros):
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    node = ros.make(Worker)
    ros.wait_until(lambda: len(beats) >= 10)
    assert beats[-1].state == Heartbeat.ACTIVE
    assert beats[-1].node == '/station_1/worker'
    assert {beat.incarnation for beat in beats} == {node.incarnation}
    numbers = [beat.sequence for beat in beats]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_waits_for_a_manager_without_autostart(ros):
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    ros.make(Worker, autostart=False)
    ros.wait_until(lambda: len(beats) >= 3)
    assert beats[-1].state == Heartbeat.INACTIVE
    assert ros.call(GetState, 'worker/get_state').current_state.label == 'unconfigured'


@pytest.mark.parametrize(
    ('error', 'expected'),
    [
        (StationError(ErrorCode.GATE_LIMITS_INVALID, 'give it a limits file'), 'limits file'),
        (KeyError('surprise'), 'surprise'),
    ],
)
def test_a_failed_transition_is_reported_and_leaves_the_node_inactive(
    ros, failing, error, expected
):
    beats = ros.collect(Heartbeat, 'heartbeats', qos.HEARTBEATS)
    node = ros.make(failing(error))
    ros.wait_until(lambda: any(beat.state == Heartbeat.FAULTED for beat in beats))
    assert expected in beats[-1].message
    assert not node.active


def test_diagnostics_carry_the_full_name(ros):
    arrays = ros.collect(DiagnosticArray, '/diagnostics')
    ros.make(Worker)
    status = ros.wait_until(lambda: [s for a in arrays for s in a.status if s.values])[0]
    assert status.name == '/station_1/worker'
    assert status.values[0].key == 'speed'


def test_a_parameter_out_of_range_is_refused_with_its_range(ros):
    node = ros.make(Worker)
    from rclpy import Parameter

    result = node.set_parameters([Parameter('speed', value=2.0)])[0]
    assert not result.successful
    assert 'speed' in result.reason
    assert node.get_parameter('speed').value == 0.5


def test_a_choice_is_refused_by_name(ros):
    with pytest.raises(ValueError, match='lockstep'):
        ros.make(Worker, pace='warp')
