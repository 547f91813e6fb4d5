"""Reading the limits of the safety gate from a file that is checked to the letter.

Every value in the file is written as ``{value: ..., unit: ..., why: ...}``. The unit is compared
with the one expected here, so that a limit in millimetres cannot be taken for one in metres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.safety.limits import (
    ArmLimits,
    GripperLimits,
    Limits,
    MotionLimits,
    WrenchLimits,
)

SCHEMA = 'enpire/safety-limits/1'

#: The unit of every limit, as the file must state it.
UNITS: Mapping[str, Mapping[str, str]] = {
    'motion': {
        'workspace_margin': 'm',
        'lead': 'm',
        'lead_angle': 'rad',
        'step': 'm',
        'step_angle': 'rad',
        'speed': 'm/s',
        'angular_speed': 'rad/s',
        'refused_jump': 'm',
        'refused_turn': 'rad',
        'measured_speed': 'm/s',
        'measured_angular_speed': 'rad/s',
    },
    'wrench': {
        'soft_force': 'N',
        'hard_force': 'N',
        'soft_torque': 'N m',
        'hard_torque': 'N m',
    },
    'gripper': {
        'minimum_width': 'm',
        'maximum_width': 'm',
        'maximum_effort': 'N',
        'hold_effort': 'N',
    },
}

#: Pairs of which the first must be below (or at most equal to) the second.
_ORDER = (
    ('motion', 'step', 'refused_jump'),
    ('motion', 'step_angle', 'refused_turn'),
    ('motion', 'lead', 'refused_jump'),
    ('motion', 'lead_angle', 'refused_turn'),
    ('motion', 'speed', 'measured_speed'),
    ('motion', 'angular_speed', 'measured_angular_speed'),
    ('wrench', 'soft_force', 'hard_force'),
    ('wrench', 'soft_torque', 'hard_torque'),
    ('gripper', 'minimum_width', 'maximum_width'),
    ('gripper', 'hold_effort', 'maximum_effort'),
)
_MAY_BE_ZERO = {'workspace_margin', 'minimum_width', 'hold_effort'}


def read_limits(path: str | Path) -> Limits:
    """Read and check a limits file.

    :raises StationError: ``GATE_LIMITS_INVALID``; the message names the file, the entry, what is
        wrong with it and what belongs there.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _invalid(path, f'cannot be read ({error}); set `limits_file`') from error
    try:
        data = yaml.load(content, Loader=_StrictLoader)
        return _limits(data, hashlib.sha256(content).hexdigest())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _invalid(path, f'is not valid YAML: {error}') from error
    except _Fault as fault:
        raise _invalid(path, str(fault)) from fault


class _Fault(Exception):  # noqa: N818, it is never seen outside
    """One entry of the file is wrong."""


class _StrictLoader(getattr(yaml, 'CSafeLoader', yaml.SafeLoader)):
    """A safe loader that refuses a key given twice, where the last would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping, unless one of its keys occurs twice."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key {key_node.value!r} is given twice', key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _invalid(path: Path, fault: str) -> StationError:
    return StationError(ErrorCode.GATE_LIMITS_INVALID, f'limits file {path}: {fault}')


def _limits(data: Any, digest: str) -> Limits:
    top = _mapping('the file', data, {'schema', 'frame', 'arms', *UNITS})
    if top['schema'] != SCHEMA:
        raise _Fault(f'schema must be {SCHEMA!r}, not {top["schema"]!r}')
    if not isinstance(top['frame'], str) or not top['frame']:
        raise _Fault(f'frame must be the name of the station frame, not {top["frame"]!r}')
    values = {
        section: {
            name: _scalar(f'{section}.{name}', entry, UNITS[section][name])
            for name, entry in _mapping(section, top[section], set(UNITS[section])).items()
        }
        for section in UNITS
    }
    for section, low, high in _ORDER:
        if values[section][low] > values[section][high]:
            raise _Fault(
                f'{section}.{low} ({values[section][low]}) must not be above '
                f'{section}.{high} ({values[section][high]})'
            )
    if not isinstance(top['arms'], dict) or not top['arms']:
        raise _Fault('arms must name at least one arm')
    return Limits(
        frame=top['frame'],
        arms={str(name): _arm(f'arms.{name}', entry) for name, entry in top['arms'].items()},
        motion=MotionLimits(**values['motion']),
        wrench=WrenchLimits(**values['wrench']),
        gripper=GripperLimits(**values['gripper']),
        digest=digest,
    )


def _arm(where: str, data: Any) -> ArmLimits:
    entry = _mapping(where, data, {field.name for field in fields(ArmLimits)})
    minimum = _entry(f'{where}.minimum', entry['minimum'], 'm')
    maximum = _entry(f'{where}.maximum', entry['maximum'], 'm')
    corners = []
    for name, value in (('minimum', minimum), ('maximum', maximum)):
        if not isinstance(value, list) or len(value) != 3:
            raise _Fault(f'{where}.{name}: value must be [x, y, z] in m, not {value!r}')
        corners.append([_number(f'{where}.{name}', number) for number in value])
    if any(low >= high for low, high in zip(*corners, strict=True)):
        raise _Fault(f'{where}: every coordinate of minimum must be below that of maximum')
    tilt = _scalar(f'{where}.tilt', entry['tilt'], 'rad')
    if tilt > math.pi:
        raise _Fault(f'{where}.tilt: {tilt} rad is above pi')
    return ArmLimits(np.array(corners[0]), np.array(corners[1]), tilt)


def _mapping(where: str, data: Any, keys: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _Fault(f'{where} must be a mapping with the keys {sorted(keys)}, not {data!r}')
    if unknown := set(data) - keys:
        raise _Fault(f'{where}: unknown {sorted(map(str, unknown))}; known are {sorted(keys)}')
    if missing := keys - set(data):
        raise _Fault(f'{where}: missing {sorted(missing)}')
    return data


def _entry(where: str, data: Any, unit: str) -> Any:
    entry = _mapping(where, data, {'value', 'unit', 'why'})
    if entry['unit'] != unit:
        raise _Fault(f'{where}: unit must be {unit!r}, not {entry["unit"]!r}')
    if not isinstance(entry['why'], str) or not entry['why'].strip():
        raise _Fault(f'{where}: say in `why` what this value rests on')
    return entry['value']


def _scalar(where: str, data: Any, unit: str) -> float:
    number = _number(where, _entry(where, data, unit))
    zero_allowed = where.rpartition('.')[2] in _MAY_BE_ZERO
    if number < 0.0 or (number == 0.0 and not zero_allowed):
        raise _Fault(f'{where}: {number} {unit} must be above 0')
    return number


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Fault(f'{where}: {value!r} is not a number (write 1.0e-3, not 1e-3)')
    if not math.isfinite(value):
        raise _Fault(f'{where}: {value!r} is not finite')
    return float(value)
