"""The driver of the simulated station: the topics of a real robot, and three ways to pace time.

* ``realtime``: physics follow the wall clock, and every stamp is the system's.
* ``scaled``: the same at ``speed`` times the wall clock, with ``/clock``.
* ``lockstep``: one full state, then nothing until every arm's commands with that state's stamp
  are there; then one control period of physics, as fast as it goes. A state that stays unanswered
  is repeated, because whoever should answer it may have started later.
"""

from __future__ import annotations

from dataclasses import fields, replace
import functools
import time

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from enpire_msgs.msg import Heartbeat
from enpire_nodes.common.files import config_file
from enpire_nodes.common.types import Observation
from enpire_nodes.drivers.simulated.inbox import CommandInbox
from enpire_nodes.drivers.simulated.pacing import Pacer
from enpire_nodes.drivers.simulated.parameters import (
    camera_fault_parameters,
    DRIVER,
    noise_parameters,
)
from enpire_nodes.drivers.simulated.publishers import (
    CameraPublisher,
    StatePublisher,
    TruthPublisher,
)
from enpire_nodes.drivers.simulated.station import SimulatedStation
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import declare
from enpire_nodes.simulation.bench import ARMS
from enpire_nodes.simulation.noise import NoiseSettings
from enpire_nodes.simulation.settings import BenchSettings, CONTROL_RATE, load_station
from enpire_nodes.tasks.registry import load_task

_LISTEN = 0.4  # s of the wall clock, for heartbeats that tell how far the clock has come
_REPEAT = 0.25  # s of the wall clock, between two repetitions of an unanswered state
_PERIOD = round(1e9 / CONTROL_RATE)  # ns
_FIRST_STAMP = 1_000_000_000  # ns: a clock at zero counts as not started


class SimulatedDriver(StationNode):
    """See the module. Without commands, every arm stays where it is."""

    def __init__(self, **arguments: object) -> None:
        super().__init__('driver', parameters=DRIVER, **arguments)
        file = self.get_parameter('station_file').value or 'stations/simulated.yaml'
        self._mapping = load_station(config_file(file))
        names = self.get_parameter('extra_cameras').value.split(',')
        self._extra = tuple(name.strip() for name in names if name.strip())
        settings = BenchSettings.from_mapping(self._mapping, extra_cameras=self._extra)
        declare(self, noise_parameters(settings.noise))
        declare(self, camera_fault_parameters(settings.cameras))
        self.add_post_set_parameters_callback(self._on_parameters)
        self.station: SimulatedStation | None = None
        self._epoch = self._floor = 0
        self._reached = _FIRST_STAMP - _PERIOD
        self._timers_running: list = []
        self._pacer: Pacer | None = None
        self._counts = {'held': 0, 'repeated states': 0}

    # -- lifecycle ----------------------------------------------------------------------------

    def configure(self) -> None:
        """Build the scene, and open every topic."""
        value = {name: self.get_parameter(name).value for name in (spec.name for spec in DRIVER)}
        task = load_task(value['task'], value['task_file'] or None) if value['task'] else None
        self._others = set(self.publishers) | set(self.subscriptions)
        self.station = station = SimulatedStation(
            task,
            self._mapping,
            seed=value['seed'],
            noise=self._noise(),
            placement=value['placement'],
            extra_cameras=self._extra,
            camera_rate=value['camera_rate'],
        )
        self._period = 1.0 / value['state_rate']
        self._quality = value['jpeg_quality']
        self._inbox = CommandInbox(
            ARMS,
            {arm: (station.settings.arms[arm].gripper_width, 20.0) for arm in ARMS},
            timeout=value['command_timeout'],
        )
        self._apply_faults()
        self._state = StatePublisher(self, ARMS)
        self._cameras = {
            name: CameraPublisher(self, name, station.settings.cameras[name])
            for name in station.cameras
        }
        self._truth = TruthPublisher(self) if value['publish_ground_truth'] else None
        self._truth_due = 0.0
        self._clock_publisher = None
        if self.pace != 'realtime':
            self._clock_publisher = self.create_publisher(Clock, '/clock', qos.ARM_STATE)
        for arm in ARMS:
            for kind, topic, callback in (
                (PoseStamped, 'target_pose', self._on_target),
                (JointState, 'gripper/command', self._on_gripper),
            ):
                self.create_subscription(
                    kind, f'driver/{arm}/{topic}', functools.partial(callback, arm), qos.COMMANDS
                )

    def activate(self) -> None:
        """Let time run; with simulated time, from where other nodes say that it has come to."""
        if self.pace == 'realtime':
            self._begin()
            return
        self._floor = self._reached + _PERIOD
        self._heartbeat_subscription = self.create_subscription(
            Heartbeat, 'heartbeats', self._on_heartbeat, qos.HEARTBEATS
        )
        self._timers_running = [self.create_steady_timer(_LISTEN, self._begin)]

    def deactivate(self) -> None:
        """Stop time, and with it every motion."""
        for timer in self._timers_running:
            self.destroy_timer(timer)
        self._timers_running = []

    def cleanup(self) -> None:
        """Forget the scene, and close every topic of it."""
        self.close()
        self.station = None
        for publisher in set(self.publishers) - self._others:
            self.destroy_publisher(publisher)
        for subscription in set(self.subscriptions) - self._others:
            self.destroy_subscription(subscription)

    def close(self) -> None:
        """Release the drawing context; may be repeated."""
        if self.station is not None:
            self.station.close()

    def destroy_node(self) -> None:
        """Release the drawing context before the node goes."""
        self.close()
        super().destroy_node()

    def diagnostics(self) -> dict[str, object]:
        """Return counters a person would ask for."""
        if self.station is None:
            return {}
        frames = {f'{name} frames': camera.published for name, camera in self._cameras.items()}
        return {
            'pace': self.pace,
            'simulated time [s]': round(self.station.now, 2),
            'fell behind [s]': round(self._pacer.slipped, 3) if self._pacer else 0.0,
            'refused commands': self._inbox.refused,
            **self._counts,
            **frames,
        }

    # -- time ---------------------------------------------------------------------------------

    def _on_heartbeat(self, message: Heartbeat) -> None:
        # A driver that died and came back must not turn the station's clock back.
        stamp = convert.nanoseconds(message.header.stamp)
        if stamp > 0 and message.node != self.get_fully_qualified_name():
            self._floor = max(self._floor, stamp + _FIRST_STAMP)

    def _begin(self) -> None:
        self.deactivate()
        if self.pace == 'realtime':
            self._epoch = time.time_ns() - self._elapsed()
        else:
            self.destroy_subscription(self._heartbeat_subscription)
            self._epoch = self._floor - self._elapsed()
        if self.pace == 'lockstep':
            self._answered = time.monotonic()
            self._timers_running = [self.create_steady_timer(_REPEAT, self._repeat)]
            self._publish(self.station.observe())
            return
        speed = self.get_parameter('speed').value if self.pace == 'scaled' else 1.0
        self._pacer = Pacer(self.station.settings.physics_rate, speed=speed)
        period = max(0.002, self._period / speed)
        self._timers_running = [self.create_steady_timer(period, self._on_timer)]

    def _elapsed(self) -> int:
        """Return simulated time since the station was built, in ns."""
        return round(self.station.now * 1e9)

    def _stamp(self, seconds: float) -> Time:
        total = self._epoch + round(seconds * 1e9)
        return Time(sec=total // 1_000_000_000, nanosec=total % 1_000_000_000)

    def _on_timer(self) -> None:
        now = time.monotonic()
        slipped = self._pacer.slipped
        steps = self._pacer.due(now)
        if self._pacer.slipped > slipped:
            self._slip(self._pacer.slipped - slipped)
        for arm in self._inbox.newly_stale(now):
            self._hold(arm, f'no target for {self._inbox.timeout} s')
        self._pass_commands_on()
        self._publish(self.station.advance(steps, draw_all=False))

    def _slip(self, seconds: float) -> None:
        if self.pace == 'realtime':  # stamps stay those of the system's clock
            self._epoch += round(seconds * 1e9)
        self.get_logger().warning(
            f'physics fell {seconds:.3f} s behind; is the machine overloaded?',
            throttle_duration_sec=5.0,
        )

    def _repeat(self) -> None:
        if time.monotonic() - self._answered > _REPEAT:
            self._counts['repeated states'] += 1
            self._publish(self.station.observe())

    def _advance_if_answered(self) -> None:
        if self._timers_running and self._inbox.complete(self._epoch + self._elapsed()):
            self._answered = time.monotonic()
            self._pass_commands_on()
            self._publish(self.station.advance(self.station.settings.control_steps))

    # -- commands -----------------------------------------------------------------------------

    def _on_target(self, arm: str, message: PoseStamped) -> None:
        reason = self._inbox.target(
            arm,
            stamp=convert.nanoseconds(message.header.stamp),
            frame=message.header.frame_id,
            position=convert.position_of(message),
            quaternion=convert.quaternion_of(message),
            arrival=time.monotonic(),
        )
        self._after_command(arm, reason)

    def _on_gripper(self, arm: str, message: JointState) -> None:
        reason = self._inbox.gripper(
            arm,
            stamp=convert.nanoseconds(message.header.stamp),
            width=message.position[0] if message.position else float('nan'),
            effort=message.effort[0] if message.effort else float('nan'),
        )
        self._after_command(arm, reason)

    def _after_command(self, arm: str, reason: str) -> None:
        if reason:
            self.get_logger().error(
                f'command for the {arm} arm refused: {reason}', throttle_duration_sec=1.0
            )
        if self.pace == 'lockstep' and self.active:
            self._advance_if_answered()

    def _pass_commands_on(self) -> None:
        commands, refused = self._inbox.take()
        for arm in refused:
            self._hold(arm, 'its command was refused')
        if commands:
            self.station.command(commands)

    def _hold(self, arm: str, reason: str) -> None:
        self._counts['held'] += 1
        self.station.hold(arm)
        self.get_logger().warning(
            f'the {arm} arm is held where it is: {reason}', throttle_duration_sec=1.0
        )

    # -- what it says -------------------------------------------------------------------------

    def _publish(self, observation: Observation) -> None:
        if not self.context.ok():  # a signal has come while physics ran
            return
        stamp = self._stamp(observation.stamp)
        self._reached = convert.nanoseconds(stamp)
        if self._clock_publisher is not None:
            self._clock_publisher.publish(Clock(clock=stamp))
        for name, frame in observation.frames.items():
            self._cameras[name].publish(frame, self._stamp(frame.stamp), quality=self._quality)
        self._state.publish(observation, self.station.joints(), stamp)
        if self._truth is not None and observation.stamp >= self._truth_due:
            self._truth_due = observation.stamp + 1.0 / CONTROL_RATE - 1e-6
            self._truth.publish(self.station.truth(), stamp)

    # -- parameters ---------------------------------------------------------------------------

    def _noise(self) -> NoiseSettings:
        return NoiseSettings(
            **{
                entry.name: self.get_parameter(f'noise.{entry.name}').value
                for entry in fields(NoiseSettings)
            }
        )

    def _apply_faults(self) -> None:
        self.station.set_slippery(self.get_parameter('faults.slippery').value)
        for name in self.station.cameras:
            fault = self.get_parameter(f'faults.camera.{name}').value
            self.station.set_camera_fault(name, fault)

    def _on_parameters(self, parameters: list[Parameter]) -> None:
        if self.station is None:
            return
        changes = {
            parameter.name.removeprefix('noise.'): parameter.value
            for parameter in parameters
            if parameter.name.startswith('noise.')
        }
        self.station.noise = replace(self.station.noise, **changes)
        self._quality = self.get_parameter('jpeg_quality').value
        self._apply_faults()


def main() -> None:
    """Run the node."""
    raise SystemExit(run(SimulatedDriver))


if __name__ == '__main__':
    main()
