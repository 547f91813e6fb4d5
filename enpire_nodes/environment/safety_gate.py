"""The safety gate's node: the only publisher of ``driver/...``, and fail-closed.

From ``configure`` on, active or not, every arm whose state is known is held; leases are given only
while the node is active. Silence would leave the arms to the driver's watchdog alone, and would
stop the time of a station in lockstep. Unconfigured, finalized or dead, the gate publishes nothing
and the driver's own watchdog holds the arms. A defect in the gate itself latches the emergency
stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import traceback

from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from enpire_msgs.msg import Heartbeat, MotionLease, SafetyState
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState
from enpire_nodes.environment.safety.arm import CommandRequest
from enpire_nodes.environment.safety.assembly import StateAssembler, TickAssembler
from enpire_nodes.environment.safety.gate import Mode, Target, Timing
from enpire_nodes.environment.safety.gate import SafetyGate as Gate
from enpire_nodes.environment.safety.latch import EstopLatch
from enpire_nodes.environment.safety.lease import LeaseRequest
from enpire_nodes.environment.safety.limits_file import read_limits
from enpire_nodes.environment.safety.lockstep import LockstepGate
from enpire_nodes.environment.safety.streaming import StreamingGate
from enpire_nodes.environment.safety_topics import ArmTopics
from enpire_nodes.environment.witness import Witness
from enpire_nodes.ros import qos
from enpire_nodes.ros.main import run
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.parameters import ParameterSpec

WATCHDOG_PERIOD = 0.02  # s of wall time
REPORT_PERIOD = 1.0  # s of wall time


def _seconds(name: str, default: float, maximum: float, description: str) -> ParameterSpec:
    return ParameterSpec(
        name,
        default,
        f's of wall time. {description}',
        minimum=0.02,
        maximum=maximum,
        read_only=True,
    )


PARAMETERS = (
    ParameterSpec(
        'limits_file',
        '',
        'Path of the limits (see config/safety). Read once, when the gate is configured; the gate '
        'refuses to configure without a valid one.',
        read_only=True,
    ),
    ParameterSpec(
        'run_directory',
        '',
        'Existing directory in which estop.json remembers the emergency stop across restarts.',
        read_only=True,
    ),
    ParameterSpec(
        'driver',
        'driver',
        'Node whose heartbeat is needed to move, relative to the namespace; empty for a driver '
        'that sends none, of which only the arm states are watched.',
        read_only=True,
    ),
    _seconds(
        'command_timeout',
        0.15,
        1.0,
        'Silence of the holder of the lease, after which it loses it.',
    ),
    _seconds(
        'command_age',
        0.25,
        1.0,
        'Age of the observation that a command may still answer; not in lockstep.',
    ),
    _seconds(
        'driver_timeout', 0.2, 1.0, 'Silence of any arm state, after which the driver is stale.'
    ),
    _seconds(
        'lockstep_timeout',
        5.0,
        60.0,
        'Replaces command_timeout and heartbeat_timeout in lockstep, where time stands '
        'still until a command comes: a busy computer may let everybody wait.',
    ),
    _seconds(
        'lockstep_driver_timeout',
        5.0,
        60.0,
        'Replaces driver_timeout in lockstep, where the driver moves nothing until it reports.',
    ),
    _seconds(
        'heartbeat_timeout', 1.0, 5.0, 'Age of the heartbeat of the holder and of the driver.'
    ),
)


class SafetyGate(StationNode):
    """Checks, limits and forwards commands; see the module."""

    def __init__(self, **arguments: object) -> None:
        self._gate: Gate | None = None
        self._topics: dict[str, ArmTopics] = {}
        self._entities: list[tuple[Callable, object]] = []
        self._reported, self._refused = -1, 0
        self._faulted: set[str] = set()
        super().__init__('safety_gate', parameters=PARAMETERS, **arguments)
        self._witness = Witness(self)

    def configure(self) -> None:
        """Read the limits and the latch, then hold the arms."""
        limits = read_limits(self.get_parameter('limits_file').value or 'limits_file is not set')
        lockstep = self.pace == 'lockstep'
        timing = self._timing(lockstep=lockstep)
        directory = self.get_parameter('run_directory').value
        if not directory:
            raise StationError(
                ErrorCode.GATE_ESTOPPED,
                'run_directory is not set, so that an emergency stop could not be remembered',
            )
        gate_type = LockstepGate if lockstep else StreamingGate
        self._gate = gate_type(limits, timing, latch=EstopLatch(directory))
        self._gate.deactivate()
        self._ticks = TickAssembler(self._gate.arms)
        self._safety_state = self._keep(
            self.destroy_publisher,
            self.create_publisher(SafetyState, 'safety_state', qos.LATCHED),
        )
        self._topics = {
            arm: ArmTopics(
                self,
                arm,
                states=StateAssembler(
                    limits.frame, together=lockstep, max_age=timing.driver_timeout
                ),
                on_state=self._on_tick_state if lockstep else self._on_state,
                on_command=self._on_command,
            )
            for arm in self._gate.arms
        }
        for kind, topic, callback, profile in (
            (MotionLease, 'command/lease', self._on_lease, qos.LEASE),
            (Heartbeat, 'heartbeats', self._on_heartbeat, qos.HEARTBEATS),
            (Bool, 'estop', self._on_line, qos.LATCHED),
        ):
            self._keep(
                self.destroy_subscription, self.create_subscription(kind, topic, callback, profile)
            )
        for name, callback in (('~/estop', self._on_estop), ('~/rearm', self._on_rearm)):
            self._keep(self.destroy_service, self.create_service(Trigger, name, callback))
        for period, callback in ((WATCHDOG_PERIOD, self._watch), (REPORT_PERIOD, self._report)):
            self._keep(self.destroy_timer, self.create_steady_timer(period, callback))
        self._report()
        self.get_logger().info(f'limits {limits.digest[:12]} for {", ".join(limits.arms)}')

    def activate(self) -> None:
        """Give leases from now on."""
        self._gate.activate()

    def deactivate(self) -> None:
        """Give no lease from now on, and hold."""
        self._do(self._gate.deactivate)

    def cleanup(self) -> None:
        """Fall silent; the driver's own watchdog holds the arms."""
        for topics in self._topics.values():
            topics.destroy()
        for destroy, entity in self._entities:
            destroy(entity)
        self._topics, self._entities, self._gate = {}, [], None

    def diagnostics(self) -> Mapping[str, object]:
        """Return the mode, the counts and what is missing."""
        if self._gate is None:
            return {}
        status = self._gate.status
        faults = [f'{arm}: {topics.fault}' for arm, topics in self._topics.items() if topics.fault]
        refusal = self._gate.last_refusal
        return {
            'mode': status.mode.name,
            'message': status.message,
            'holder': status.holder,
            'forwarded': status.forwarded,
            'limited': status.limited,
            'refused': status.refused,
            'last refusal': refusal or '',
            'missing': self._gate.missing() or '; '.join(faults),
            'limits': status.limits_digest,
        }

    def _timing(self, *, lockstep: bool) -> Timing:
        value = {spec.name: self.get_parameter(spec.name).value for spec in PARAMETERS}
        driver = value['driver']
        if driver and not driver.startswith('/'):
            driver = f'{self.get_namespace().rstrip("/")}/{driver}'
        patience = value['lockstep_timeout'] if lockstep else 0.0
        return Timing(
            driver=driver,
            command_timeout=patience or value['command_timeout'],
            command_age=value['command_age'],
            driver_timeout=value[f'{"lockstep_" if lockstep else ""}driver_timeout'],
            heartbeat_timeout=max(patience, value['heartbeat_timeout']),
        )

    def _keep(self, destroy: Callable, entity: object) -> object:
        self._entities.append((destroy, entity))
        return entity

    def _do(
        self, action: Callable[..., list[Target]], *arguments: object, **named: object
    ) -> None:
        """Let the gate act, publish what it decided, and report a change."""
        try:
            targets = action(*arguments, **named)
        except Exception as error:  # noqa: BLE001 - a defect must stop the arms, not the gate
            self.get_logger().error(traceback.format_exc())
            targets = self._gate.estop(f'defect in the safety gate ({error!r}); see its log')
        for target in targets:
            self._topics[target.arm].publish(target)
        if self._gate.version != self._reported:
            self._report()

    def _on_state(self, arm: str, state: ArmState) -> None:
        self._do(self._gate.observe, {arm: state})

    def _on_tick_state(self, arm: str, state: ArmState) -> None:
        states = self._ticks.add(arm, state)
        if states is not None:
            self._do(self._gate.observe, states)

    def _on_command(self, request: CommandRequest) -> None:
        self._do(self._gate.command, request)

    def _on_lease(self, message: MotionLease) -> None:
        request = LeaseRequest(message.holder, message.lease, message.engaged, tuple(message.arms))
        self._do(self._gate.request_lease, request)

    def _on_heartbeat(self, message: Heartbeat) -> None:
        node, faulted = message.node, message.state == Heartbeat.FAULTED
        if not faulted:
            self._faulted.discard(node)
            self._do(self._gate.heartbeat, node, message.incarnation)
        elif node not in self._faulted and node != self.get_fully_qualified_name():
            # a node's own words, or those of bring-up when its process has died: whoever it is,
            # nothing moves on as if the station were whole
            self._faulted.add(node)
            self._do(self._gate.node_lost, node, message.message)

    def _on_line(self, message: Bool) -> None:
        self._do(self._gate.line, is_open=message.data)

    def _on_estop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._do(self._gate.estop, 'the emergency stop was called')
        status = self._gate.status
        response.success, response.message = status.mode is Mode.ESTOPPED, status.message
        return response

    def _on_rearm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._gate.rearm()
        except StationError as error:
            response.message = str(error)
            return response
        self._report()
        response.success, response.message = True, self._gate.status.message
        return response

    def _watch(self) -> None:
        self._do(self._gate.tick)
        status = self._gate.status
        self.set_fault(status.message if status.mode is Mode.ESTOPPED else '')
        if status.refused > self._refused:
            self.get_logger().warning(
                f'refused {status.refused - self._refused}: {self._gate.last_refusal}',
                throttle_duration_sec=1.0,
            )
        self._refused = status.refused

    def _report(self) -> None:
        """Publish ``safety_state``; log it if it changed."""
        status = self._gate.status
        if self._gate.version != self._reported:
            self._reported = self._gate.version
            if status.mode in (Mode.TRIPPED, Mode.ESTOPPED):
                self.get_logger().warning(f'{status.mode.name}: {status.message}')
            else:
                self.get_logger().info(f'{status.mode.name}: {status.message}')
        message = SafetyState(
            mode=int(status.mode),
            mode_name=status.mode.name,
            error_code=int(status.error_code),
            message=status.message,
            holder=status.holder,
            lease=status.lease,
            forwarded=status.forwarded,
            limited=status.limited,
            refused=status.refused,
            limits_digest=status.limits_digest,
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._safety_state.publish(message)


def main() -> None:
    """Run the node."""
    raise SystemExit(run(SafetyGate))


if __name__ == '__main__':
    main()
