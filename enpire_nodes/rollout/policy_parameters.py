"""The parameters of the policy executor, and when a controller may be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from enpire_nodes.common.errors import StationError
from enpire_nodes.environment.context import TASK_PARAMETERS
from enpire_nodes.rollout.controllers import registry
from enpire_nodes.rollout.controllers.settings import build, SettingSpec, specs
from enpire_nodes.rollout.policy.enclosure import AUTO, CHOICES
from enpire_nodes.rollout.policy.host import Selection
from enpire_nodes.ros.parameters import ParameterSpec


def _installed() -> dict[str, tuple[SettingSpec, ...]]:
    """List the settings of every controller that can be imported."""
    found = {}
    for name in registry.names():
        try:
            found[name] = specs(registry.controller_class(name).Settings)
        except (StationError, AttributeError, TypeError):
            # selecting it says what is wrong; the others stay usable
            found[name] = ()
    return found


_SETTINGS = _installed()


def _parameter(controller: str, spec: SettingSpec) -> ParameterSpec:
    unit = f' [{spec.unit}]' if spec.unit else ''
    return ParameterSpec(
        f'{controller}.{spec.name}',
        spec.default,
        f'{spec.description}{unit}',
        minimum=spec.minimum,
        maximum=spec.maximum,
        choices=spec.choices,
    )


PARAMETERS = (
    *TASK_PARAMETERS,
    ParameterSpec(
        'run_directory',
        '',
        'Folder of the run; the output of the policy goes to log/ in it. Empty: a temporary one.',
        read_only=True,
    ),
    ParameterSpec(
        'controller',
        'scripted',
        'What moves the arm in an attempt; takes effect with the next trial, and is refused '
        f'while one is under way. One of: {", ".join(_SETTINGS)}.',
    ),
    ParameterSpec(
        'timeout',
        12.0,
        's of the station clock for the policy alone, when the goal names none.',
        minimum=0.5,
        maximum=600.0,
    ),
    ParameterSpec(
        'settle_timeout',
        45.0,
        's of the station clock for letting go and retreating.',
        minimum=5.0,
        maximum=600.0,
        read_only=True,
    ),
    ParameterSpec(
        'step_deadline',
        0.0,
        's of the wall clock for one answer of the policy; 0 takes 0.025 (0.5 in lockstep).',
        minimum=0.0,
        maximum=10.0,
        read_only=True,
    ),
    ParameterSpec(
        'send_after',
        0.016,
        's from the begin of a control period to its command at real time, so that the arm gets '
        'an even stream; what is later goes out at once, and so does every command with 0.',
        minimum=0.0,
        maximum=0.03,
        read_only=True,
    ),
    ParameterSpec(
        'most_misses',
        10,
        'Late answers in a row that end the attempt; before that the last target is repeated.',
        minimum=1,
        maximum=100,
        read_only=True,
    ),
    ParameterSpec(
        'stale_after',
        0.0,
        's of the wall clock without an arm state that end the attempt; 0 takes 0.5 (3 in '
        'lockstep).',
        minimum=0.0,
        maximum=30.0,
        read_only=True,
    ),
    ParameterSpec(
        'start_deadline',
        60.0,
        's of the wall clock for starting the policy process and loading the policy.',
        minimum=1.0,
        maximum=600.0,
        read_only=True,
    ),
    ParameterSpec(
        'reset_deadline',
        10.0,
        's of the wall clock for the policy to begin an attempt.',
        minimum=0.1,
        maximum=120.0,
        read_only=True,
    ),
    ParameterSpec(
        'require_isolation',
        False,
        'Refuse to run a policy where the kernel cannot keep it from the network.',
        read_only=True,
    ),
    ParameterSpec(
        'sandbox',
        AUTO,
        'Where the policy runs: auto shuts it off from files, processes and the network with '
        'bubblewrap where that works, and from the network alone elsewhere; required refuses to '
        'run it elsewhere; off shuts it off from the network alone.',
        choices=CHOICES,
        read_only=True,
    ),
    ParameterSpec(
        'max_speed',
        0.12,
        'm/s that a policy may move the target at; what it asks beyond is cut.',
        minimum=0.01,
        maximum=0.5,
        read_only=True,
    ),
    ParameterSpec(
        'max_lead',
        0.015,
        'm that the target may be ahead of the measured tool; bounds how hard a policy pushes.',
        minimum=0.001,
        maximum=0.05,
        read_only=True,
    ),
    *(_parameter(name, spec) for name, listed in _SETTINGS.items() for spec in listed),
)


class ControllerParameters:
    """Watches the parameters that select and tune the controller.

    :param node: whose parameters they are.
    :param locked: tells why they may not change now; empty when they may.
    :param changed: called after an accepted change.
    """

    def __init__(
        self, node: Node, *, locked: Callable[[], str], changed: Callable[[], None]
    ) -> None:
        self._node, self._locked, self._changed = node, locked, changed
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._apply)

    @property
    def selection(self) -> Selection:
        """The controller and all of its settings."""
        return self._select(())

    def check(self) -> None:
        """Check the values in force, which the start-up has set.

        :raises StationError: names the parameter, and what would be right.
        """
        self._validate(self._select(()))

    def destroy(self) -> None:
        """Stop watching."""
        self._node.remove_on_set_parameters_callback(self._check)
        self._node.remove_post_set_parameters_callback(self._apply)

    def _check(self, changes: list[Parameter]) -> SetParametersResult:
        if not any(_concerns_controller(change.name) for change in changes):
            return SetParametersResult(successful=True)
        reason = self._locked()
        if not reason:
            try:
                self._validate(self._select(changes))
            except StationError as error:
                reason = str(error)
        return SetParametersResult(successful=not reason, reason=reason)

    def _apply(self, changes: list[Parameter]) -> None:
        if any(_concerns_controller(change.name) for change in changes):
            self._changed()

    def _select(self, changes: Iterable[Parameter]) -> Selection:
        proposed = {change.name: change.value for change in changes}

        def value(name: str) -> object:
            return proposed[name] if name in proposed else self._node.get_parameter(name).value

        controller = value('controller')
        settings = _SETTINGS.get(controller, ())
        return Selection(controller, {s.name: value(f'{controller}.{s.name}') for s in settings})

    @staticmethod
    def _validate(selection: Selection) -> None:
        kind = registry.controller_class(selection.name)
        settings = build(kind.Settings, selection.settings)
        if hasattr(kind, 'files'):
            kind.files(settings)


def _concerns_controller(name: str) -> bool:
    return name == 'controller' or name.partition('.')[0] in _SETTINGS
