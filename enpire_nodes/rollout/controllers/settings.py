"""Settings of a controller: a frozen dataclass whose fields carry unit, range and description.

The policy executor declares every field as the ROS parameter ``<controller>.<field>``, so that
``ros2 param`` and rqt_reconfigure show and check them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, MISSING
import math
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """One field of a controller's settings; ``minimum`` and ``maximum`` only for numbers."""

    name: str
    default: Value
    description: str
    unit: str = ''
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value: Any) -> Value:
        """Return ``value`` in the type of the default.

        :raises StationError: POLICY_BAD_PARAMETER, when it is of another type or out of range.
        """
        kind = type(self.default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not kind:
            raise self._refusal(value, f'must be of type {kind.__name__}')
        if kind is float and not math.isfinite(value):
            raise self._refusal(value, 'must be finite')
        unit = f' {self.unit}' if self.unit else ''
        if self.minimum is not None and value < self.minimum:
            raise self._refusal(value, f'must be at least {self.minimum:g}{unit}')
        if self.maximum is not None and value > self.maximum:
            raise self._refusal(value, f'must be at most {self.maximum:g}{unit}')
        if self.choices and value not in self.choices:
            raise self._refusal(value, f'must be one of {", ".join(self.choices)}')
        return value

    def _refusal(self, value: Any, reason: str) -> StationError:
        return StationError(
            ErrorCode.POLICY_BAD_PARAMETER, f'{self.name} = {value!r} {reason}; {self.description}'
        )


def setting(
    default: Value,
    description: str,
    *,
    unit: str = '',
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Make a dataclass field that is declared as a ROS parameter.

    :param default: also fixes the type: bool, int, float or str.
    :param description: what it does, for a person at a slider.
    :param unit: SI, empty for none.
    """
    return field(
        default=default,
        metadata={
            'description': description,
            'unit': unit,
            'minimum': minimum,
            'maximum': maximum,
            'choices': choices,
        },
    )


def specs(settings_type: type, *, leave: frozenset[str] = frozenset()) -> tuple[SettingSpec, ...]:
    """List the settings of a controller, in the order of their declaration.

    :param leave: names of fields that are no settings.
    """
    listed = []
    for entry in fields(settings_type):
        if entry.name in leave:
            continue
        if entry.default is MISSING:
            raise TypeError(f'{settings_type.__qualname__}.{entry.name} needs a default')
        metadata = {'description': entry.name, **entry.metadata}
        listed.append(SettingSpec(entry.name, entry.default, **metadata))
    return tuple(listed)


def build(settings_type: type, values: Mapping[str, Any]) -> Any:
    """Make checked settings of ``values``; what is not named takes its default.

    :raises StationError: POLICY_BAD_PARAMETER, for an unknown name or a bad value.
    """
    known = {spec.name: spec for spec in specs(settings_type)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise StationError(
            ErrorCode.POLICY_BAD_PARAMETER,
            f'unknown setting {", ".join(unknown)}; there are {", ".join(known) or "none"}',
        )
    return settings_type(**{name: known[name].check(value) for name, value in values.items()})


def as_dict(settings: Any) -> dict[str, Value]:
    """Return the settings as plain values."""
    return asdict(settings)
