"""The base of every node of a station: a lifecycle that reports its errors, and a heartbeat.

Differences from :class:`rclpy.lifecycle.LifecycleNode`, which on Jazzy swallows an exception in a
transition callback: every transition is logged, an exception is logged with its traceback, leaves
the node inactive and is shown in the heartbeat and the diagnostics until it is dealt with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
import secrets
import traceback

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from enpire_msgs.msg import Heartbeat
from enpire_nodes.common.errors import StationError
from enpire_nodes.ros import qos
from enpire_nodes.ros.parameters import COMMON, declare, ParameterSpec

HEARTBEAT_PERIOD = 0.1  # s
DIAGNOSTICS_PERIOD = 1.0  # s

_LEVELS = {
    Heartbeat.INACTIVE: DiagnosticStatus.WARN,
    Heartbeat.ACTIVE: DiagnosticStatus.OK,
    Heartbeat.BUSY: DiagnosticStatus.OK,
    Heartbeat.FAULTED: DiagnosticStatus.ERROR,
}
_SUMMARIES = {
    Heartbeat.INACTIVE: 'inactive',
    Heartbeat.ACTIVE: 'active',
    Heartbeat.BUSY: 'working on a goal',
    Heartbeat.FAULTED: 'faulted',
}


class StationNode(LifecycleNode):
    """A node whose state a station can see.

    Subclasses override :meth:`configure`, :meth:`activate`, :meth:`deactivate` and
    :meth:`cleanup`, which return nothing and raise on failure.

    :param name: node name, relative to the station's namespace.
    :param parameters: the node's own parameters; :data:`COMMON` is always declared too.
    :param arguments: passed on to :class:`LifecycleNode` (``namespace``, ``cli_args``, ...).
    """

    def __init__(
        self, name: str, *, parameters: Sequence[ParameterSpec] = (), **arguments: object
    ) -> None:
        super().__init__(name, **arguments)
        declare(self, (*COMMON, *parameters))
        self.pace: str = self.get_parameter('pace').value
        self.incarnation = secrets.randbits(63)
        self.steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.active = False
        self._busy = False
        self._fault = ''
        self._sequence = 0
        self._heartbeats = self.create_publisher(Heartbeat, 'heartbeats', qos.HEARTBEATS)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_steady_timer(HEARTBEAT_PERIOD, self._beat)
        self.create_steady_timer(DIAGNOSTICS_PERIOD, self._diagnose)
        if self.get_parameter('autostart').value:
            self._starter = self.create_steady_timer(0.001, self._autostart)

    def create_steady_timer(self, period: float, callback: Callable[[], None]) -> object:
        """Create a timer that follows the monotonic wall clock whatever ``use_sim_time`` says."""
        return self.create_timer(period, callback, clock=self.steady_clock)

    # -- what subclasses fill in --------------------------------------------------------------

    def configure(self) -> None:
        """Read parameters and files, create publishers, subscriptions, services and servers."""

    def activate(self) -> None:
        """Start to work."""

    def deactivate(self) -> None:
        """Stop to work; anything that moves has stopped when this returns."""

    def cleanup(self) -> None:
        """Undo :meth:`configure`."""

    def diagnostics(self) -> Mapping[str, object]:
        """Return the values to show under this node's name in the diagnostics."""
        return {}

    # -- what subclasses say ------------------------------------------------------------------

    def set_busy(self, busy: bool) -> None:
        """Show in the heartbeat whether a goal is being worked on; sent at once."""
        if busy != self._busy:
            self._busy = busy
            self._beat()

    def set_fault(self, message: str) -> None:
        """Show a fault and its remedy in heartbeat and diagnostics; empty when it is gone."""
        if message != self._fault:
            self._fault = message
            if message:
                self.get_logger().error(message)
            self._beat()

    @property
    def state_code(self) -> int:
        """State as the heartbeat shows it."""
        if self._fault:
            return Heartbeat.FAULTED
        if not self.active:
            return Heartbeat.INACTIVE
        return Heartbeat.BUSY if self._busy else Heartbeat.ACTIVE

    # -- lifecycle ----------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run :meth:`configure` with its errors reported."""
        return self._guarded('configure', self.configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run :meth:`activate` with its errors reported."""
        outcome = self._guarded('activate', self.activate)
        self.active = outcome == TransitionCallbackReturn.SUCCESS
        self._beat()
        return outcome

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run :meth:`deactivate` with its errors reported."""
        self.active = False
        outcome = self._guarded('deactivate', self.deactivate)
        self._beat()
        return outcome

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run :meth:`cleanup` with its errors reported."""
        return self._guarded('clean up', self.cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop what is running, then clean up."""
        if self.active:
            self.on_deactivate(state)
        return self._guarded('shut down', self.cleanup)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stay unconfigured, so that the node can be configured again once the fault is mended."""
        self.active = False
        return TransitionCallbackReturn.SUCCESS

    def _guarded(self, what: str, step: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            step()
        except StationError as error:
            self.set_fault(f'could not {what}: {error}')
            return TransitionCallbackReturn.ERROR
        except Exception as error:  # noqa: BLE001 - reported, and the node stays inactive
            self.get_logger().error(traceback.format_exc())
            self.set_fault(f'could not {what}: {type(error).__name__}: {error}; see the log')
            return TransitionCallbackReturn.ERROR
        self.set_fault('')
        self.get_logger().info(f'{what}: done')
        return TransitionCallbackReturn.SUCCESS

    def _autostart(self) -> None:
        # a busy executor may have queued the timer more than once
        starter, self._starter = self._starter, None
        if starter is None:
            return
        self.destroy_timer(starter)
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    # -- being seen ---------------------------------------------------------------------------

    def _beat(self) -> None:
        message = Heartbeat(
            node=self.get_fully_qualified_name(),
            incarnation=self.incarnation,
            sequence=self._sequence,
            state=self.state_code,
            message=self._fault,
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._sequence += 1
        self._heartbeats.publish(message)

    def _diagnose(self) -> None:
        code = self.state_code
        status = DiagnosticStatus(
            name=self.get_fully_qualified_name(),
            hardware_id=self.get_namespace().strip('/'),
            level=_LEVELS[code],
            message=self._fault or _SUMMARIES[code],
            values=[KeyValue(key=k, value=str(v)) for k, v in self.diagnostics().items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)
