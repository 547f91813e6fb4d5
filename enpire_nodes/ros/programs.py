"""Run a motion program (see :data:`enpire_nodes.common.types.Program`) under the motion lease."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from builtin_interfaces.msg import Time

from enpire_msgs.msg import SafetyState
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import Command, Observation, Program
from enpire_nodes.ros import qos
from enpire_nodes.ros.node import StationNode
from enpire_nodes.ros.station_io import Commander, CONTROL_RATE, StationSenses

#: s of the wall clock without an observation after which a program is ended; in lockstep nothing
#: moves between two observations, so that a busy computer may take its time.
BLIND_AFTER = {'realtime': 0.5, 'scaled': 0.5, 'lockstep': 5.0}
#: s of the wall clock within which the gate must report that it passes our lease.
GRANT_WITHIN = 2.0
#: control periods that a canceled program's last command is repeated for: the arm comes to rest.
STILL_PERIODS = 15


class ProgramRunner:
    """Steps one program at a time with the control period.

    The program is ended with a :class:`StationError` when the safety gate trips or does not grant
    the lease, when the station goes blind, and on :meth:`cancel`; its lease is given back in every
    case, and ``on_done`` is called exactly once.

    :param node: that commands.
    :param commander: of the node; shared with other users of the lease in the same node.
    :param senses: tells how long ago the station was last sensed.
    """

    def __init__(self, node: StationNode, commander: Commander, senses: StationSenses) -> None:
        self._node = node
        self._commander = commander
        self._senses = senses
        self._program: Program[Any] | None = None
        self._on_done: Callable[[Any, StationError | None], None] | None = None
        self._last: Command | None = None
        self._canceled: StationError | None = None
        self._still = 0
        self._deadline = float('inf')
        self._late = ErrorCode.UNSET
        self._started = 0.0
        self._granted = False
        self._safety = SafetyState()
        self._subscription = node.create_subscription(
            SafetyState, 'safety_state', self._on_safety, qos.LATCHED
        )
        self._timer = node.create_steady_timer(0.1, self._watch)

    @property
    def running(self) -> bool:
        """Whether a program is under way."""
        return self._program is not None

    def start(
        self,
        program: Program[Any],
        *,
        arms: tuple[str, ...],
        on_done: Callable[[Any, StationError | None], None],
        timeout: float = float('inf'),
        late: ErrorCode = ErrorCode.RUNNER_STAGE_TIMEOUT,
    ) -> None:
        """Prime ``program`` and step it from the next control period on.

        :param arms: that it commands.
        :param on_done: gets the program's result, or the error that ended it.
        :param timeout: s of the station's clock.
        :param late: code of the error when the time is up.
        """
        self._program, self._on_done = program, on_done
        self._last, self._canceled, self._granted = None, None, False
        self._started = time.monotonic()
        self._deadline = self._now() + timeout
        self._late = late
        try:
            next(program)
        except StopIteration as stop:
            self._finish(stop.value, None)
            return
        except StationError as error:
            self._finish(None, error)
            return
        self._commander.engage(arms)

    def cancel(self, error: StationError) -> None:
        """Stop where the arm is, wait until it stands still, then end with ``error``."""
        if self.running and self._canceled is None:
            self._canceled, self._still = error, STILL_PERIODS

    def abort(self, error: StationError) -> None:
        """End with ``error`` at once; the gate holds the arm."""
        if self.running:
            self._finish(None, error)

    def destroy(self) -> None:
        """Stop watching."""
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_timer(self._timer)

    def tick(self, observation: Observation, stamp: Time) -> None:
        """Step the program; call it for every control period."""
        if self._program is None:
            return
        try:
            if self._canceled is not None:
                self._halt(stamp)
                return
            if observation.stamp > self._deadline:
                raise StationError(self._late, 'the motion took longer than its deadline')
            self._last = self._program.send(observation)
            self._commander.send(self._last, stamp)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except StationError as error:
            self._finish(None, error)
        except Exception as error:  # noqa: BLE001 - ends the program, and is reported with it
            self._node.get_logger().error(f'{type(error).__name__}: {error}')
            self._finish(error, StationError(ErrorCode.UNSET, f'{type(error).__name__}: {error}'))

    def _halt(self, stamp: Time) -> None:
        self._still -= 1
        if self._last is None or self._still <= 0:
            self._finish(None, self._canceled)
        else:
            self._commander.send(self._last, stamp)

    def _on_safety(self, state: SafetyState) -> None:
        self._safety = state
        if self._program is None:
            return
        ours = state.lease == self._commander.lease
        if ours and state.mode == SafetyState.PASSING:
            self._granted = True
        elif state.mode == SafetyState.ESTOPPED or self._granted:
            # also a gate that was started anew, and knows nothing of the lease
            self._fail(state)
        elif ours and state.mode == SafetyState.TRIPPED:
            self._fail(state)

    def _fail(self, state: SafetyState) -> None:
        code = ErrorCode(state.error_code)
        if code in (ErrorCode.UNSET, ErrorCode.NONE):
            code = ErrorCode.GATE_NO_LEASE
        self._finish(None, StationError(code, f'the safety gate stopped the arm: {state.message}'))

    def _watch(self) -> None:
        if self._program is None:
            return
        waited = time.monotonic() - self._started
        if min(waited, self._senses.age) > BLIND_AFTER[self._node.pace]:
            self._finish(
                None,
                StationError(
                    ErrorCode.GATE_DRIVER_STALE,
                    f'no arm state for {self._senses.age:.1f} s; is the driver running?',
                ),
            )
        elif not self._granted and waited > GRANT_WITHIN:
            self._finish(
                None,
                StationError(
                    ErrorCode.GATE_NO_LEASE,
                    'the safety gate did not grant the motion lease; is it active, and is no '
                    f'other commander engaged? (mode {self._safety.mode_name or "unknown"})',
                ),
            )

    def _finish(self, result: Any, error: StationError | None) -> None:
        program, self._program = self._program, None
        on_done, self._on_done = self._on_done, None
        if program is not None:
            program.close()
        self._commander.release()
        if on_done is not None:
            on_done(result, error)

    def _now(self) -> float:
        return self._node.get_clock().now().nanoseconds * 1e-9


def periods(duration: float) -> int:
    """Return how many control periods ``duration`` s are, at least one."""
    return max(1, round(duration * CONTROL_RATE))
