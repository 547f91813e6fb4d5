"""One table per node instead of scattered declarations, so that every parameter has its prose.

Descriptions carry the unit, ranges make rqt_reconfigure draw sliders, and choices are enforced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """A parameter, as rqt_reconfigure and ``ros2 param describe`` show it.

    :param name: dots make groups.
    :param default: also fixes the type.
    :param description: what it means physically, with its unit.
    :param minimum: inclusive; needs ``maximum``.
    :param maximum: inclusive; needs ``minimum``.
    :param choices: the only strings allowed.
    :param read_only: cannot change after the node has started.
    """

    name: str
    default: Any
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    read_only: bool = False

    def descriptor(self) -> ParameterDescriptor:
        """Return the ROS descriptor."""
        result = ParameterDescriptor(description=self.description, read_only=self.read_only)
        if self.choices:
            result.additional_constraints = 'one of: ' + ', '.join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            if isinstance(self.default, float):
                result.floating_point_range = [
                    FloatingPointRange(
                        from_value=float(self.minimum), to_value=float(self.maximum), step=0.0
                    )
                ]
            else:
                result.integer_range = [
                    IntegerRange(from_value=int(self.minimum), to_value=int(self.maximum), step=1)
                ]
        return result


def declare(node: Node, specs: Iterable[ParameterSpec]) -> None:
    """Declare every parameter, and refuse strings outside their choices from then on.

    :raises ValueError: when an initial value is not one of the choices.
    """
    choices = {}
    for spec in specs:
        node.declare_parameter(spec.name, spec.default, spec.descriptor())
        if spec.choices:
            choices[spec.name] = spec.choices
            value = node.get_parameter(spec.name).value
            if value not in spec.choices:
                raise ValueError(_not_a_choice(spec.name, value, spec.choices))

    def check(parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            allowed = choices.get(parameter.name)
            if allowed and parameter.value not in allowed:
                return SetParametersResult(
                    successful=False,
                    reason=_not_a_choice(parameter.name, parameter.value, allowed),
                )
        return SetParametersResult(successful=True)

    if choices:
        node.add_on_set_parameters_callback(check)


def _not_a_choice(name: str, value: object, choices: Iterable[str]) -> str:
    return f'{name}: {value!r} is not one of {", ".join(choices)}'


#: Every node of a station has these.
COMMON = (
    ParameterSpec(
        'autostart',
        True,
        'Configure and activate by itself at start-up; false leaves that to a lifecycle manager.',
        read_only=True,
    ),
    ParameterSpec(
        'pace',
        'realtime',
        'Who drives the time: realtime (the system clock), scaled (/clock, faster than real '
        'time) or lockstep (/clock, one control period per command).',
        choices=('realtime', 'scaled', 'lockstep'),
        read_only=True,
    ),
)
