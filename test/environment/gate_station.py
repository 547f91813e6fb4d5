"""A trivial driver and a commander that can be made to misbehave, to put around the gate."""

from __future__ import annotations

from dataclasses import dataclass
import time

from geometry_msgs.msg import PoseStamped, WrenchStamped
import numpy as np
from sensor_msgs.msg import JointState

from enpire_nodes.common.types import ArmCommand, ArmState
from enpire_nodes.ros import convert, qos
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.station_io import Commander, StationSenses

ARMS = ('left', 'right')
HOME = {'left': np.array([0.26, 0.06, 0.14]), 'right': np.array([0.27, -0.345, 0.1])}
DOWN = np.array([0.7071067811865476, -0.7071067811865476, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Received:
    """A target pose as the driver saw it."""

    arm: str
    arrival: float  # s, monotonic
    stamp: int  # ns
    position: tuple[float, float, float]


class FakeDriver(StationNode):
    """Arms that lag behind their targets, reported at 100 Hz or, in lockstep, tick by tick."""

    def __init__(self, **arguments: object) -> None:
        super().__init__('driver', **arguments)
        self.positions = {arm: HOME[arm].copy() for arm in ARMS}
        self.force = {arm: np.zeros(3) for arm in ARMS}
        self.frame = convert.WORLD
        self.reporting, self.ticks = True, 0
        self.received: list[Received] = []
        self.grippers: list[tuple[str, float, float]] = []
        self._answers: dict[str, set] = {arm: set() for arm in ARMS}
        self._outputs = {
            arm: (
                self.create_publisher(PoseStamped, f'{arm}/tcp_pose', qos.ARM_STATE),
                self.create_publisher(WrenchStamped, f'{arm}/wrench', qos.ARM_STATE),
                self.create_publisher(JointState, f'{arm}/gripper/state', qos.ARM_STATE),
            )
            for arm in ARMS
        }
        for arm in ARMS:
            self.create_subscription(
                PoseStamped,
                f'driver/{arm}/target_pose',
                lambda message, arm=arm: self._on_target(arm, message),
                qos.COMMANDS,
            )
            self.create_subscription(
                JointState,
                f'driver/{arm}/gripper/command',
                lambda message, arm=arm: self._on_gripper(arm, message),
                qos.COMMANDS,
            )
        if self.pace == 'lockstep':
            self._asked = 0
            self.create_steady_timer(0.5, self._repeat)
        else:
            self.create_steady_timer(0.01, self._sense)

    def targets(self, arm: str = 'right') -> list[Received]:
        """Return what was received for one arm."""
        return [received for received in list(self.received) if received.arm == arm]

    def publish(self, stamp) -> None:
        """Report every arm with one stamp."""
        for arm, (pose, wrench, gripper) in self._outputs.items():
            pose.publish(convert.pose_message(self.positions[arm], DOWN, stamp, self.frame))
            wrench.publish(convert.wrench_message(self.force[arm], np.zeros(3), stamp))
            gripper.publish(convert.gripper_message(0.06, 0.0, stamp))

    def _sense(self) -> None:
        if self.reporting:
            self.publish(self.get_clock().now().to_msg())

    def _repeat(self) -> None:
        if not self.ticks:
            self._next_tick()
        elif self.reporting and self._asked == self.ticks:
            self.publish(self._stamp)
        self._asked = self.ticks

    def _next_tick(self) -> None:
        self.ticks += 1
        self._stamp = convert.time_message(self.ticks / 30.0)
        self._answers = {arm: set() for arm in ARMS}
        if self.reporting:
            self.publish(self._stamp)

    def _on_target(self, arm: str, message: PoseStamped) -> None:
        position = convert.position_of(message)
        stamp = convert.nanoseconds(message.header.stamp)
        self.received.append(Received(arm, time.monotonic(), stamp, tuple(position)))
        self.positions[arm] += 0.6 * (position - self.positions[arm])
        self._on_answer(arm, 'pose', message.header.stamp)

    def _on_gripper(self, arm: str, message: JointState) -> None:
        self.grippers.append((arm, message.position[0], message.effort[0]))
        self._on_answer(arm, 'gripper', message.header.stamp)

    def _on_answer(self, arm: str, kind: str, stamp) -> None:
        if self.pace != 'lockstep' or not self.ticks or stamp != self._stamp:
            return
        self._answers[arm].add(kind)
        if all(len(answers) == 2 for answers in self._answers.values()):
            self._next_tick()


class FakeCommander(StationNode):
    """Moves the right arm up and down within 20 mm, 30 times a second, while it is engaged."""

    def __init__(self, name: str = 'policy_executor', **arguments: object) -> None:
        super().__init__(name, **arguments)
        self.commander = Commander(self, arms=ARMS)
        self.talking, self.frame = True, convert.WORLD
        self.arms: tuple[str, ...] = ('right',)
        self.offset = np.zeros(3)
        self.answered: list[int] = []
        self._phase = 0
        self.senses = StationSenses(self, arms=ARMS, on_tick=self._tick)

    def engage(self, *arms: str) -> None:
        """Take the lease for ``arms``, the right one by default."""
        self.arms = arms or ('right',)
        self.commander.engage(self.arms)

    def _tick(self, observation, stamp) -> None:
        if not self.commander.engaged or not self.talking:
            return
        self._phase += 1
        height = 0.01 * np.sin(2.0 * np.pi * self._phase / 60.0)
        command = {
            arm: ArmCommand(HOME[arm] + [0.0, 0.0, height] + self.offset, DOWN, 0.05, 10.0)
            for arm in self.arms
        }
        self.answered.append(convert.nanoseconds(stamp))
        for arm in self.arms:
            pose, gripper = convert.command_messages(command[arm], stamp)
            pose.header.frame_id = self.frame
            self.commander._grippers[arm].publish(gripper)
            self.commander._targets[arm].publish(pose)


def at_rest(stamp: float, arm: str = 'right') -> ArmState:
    """Return an arm that stands at home and touches nothing."""
    return ArmState(stamp, HOME[arm], DOWN, np.zeros(3), np.zeros(3), 0.06, 0.0)
