"""How contexts, actions and failures are written into messages, and read back with suspicion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
import math
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, PreviousAttempt
from enpire_nodes.rollout.policy.protocol import Message

#: bytes, bodies to the policy (features may hold pictures) and from it (an action)
LARGEST_OBSERVATION = 64 * 1024 * 1024
LARGEST_ANSWER = 64 * 1024

_VECTORS = ('delta', 'position')


def make_message(sequence: int, name: str, settings: Mapping[str, Any]) -> Message:
    """Ask for a controller."""
    return Message('make', {'sequence': sequence, 'name': name, 'settings': dict(settings)})


def context_message(sequence: int, context: AttemptContext) -> Message:
    """Tell the controller that an attempt begins."""
    return Message(
        'reset',
        {
            'sequence': sequence,
            'attempt': context.attempt,
            'seed': context.seed,
            'control_rate': context.control_rate,
            'timeout': context.timeout,
            'previous': [asdict(previous) for previous in context.previous],
        },
        {
            'goal_position': np.asarray(context.goal_position, dtype=np.float64),
            'goal_quaternion': np.asarray(context.goal_quaternion, dtype=np.float64),
        },
    )


def context_of(message: Message) -> AttemptContext:
    """Read what :func:`context_message` wrote."""
    fields = {name: value for name, value in message.fields.items() if name != 'sequence'}
    fields['previous'] = tuple(PreviousAttempt(**entry) for entry in fields['previous'])
    return AttemptContext(**fields, **message.arrays)


def features_message(sequence: int, features: Mapping[str, np.ndarray]) -> Message:
    """Ask for the action of one control period."""
    return Message('step', {'sequence': sequence}, features)


def ready_message(sequence: int, walls: tuple[str, ...]) -> Message:
    """Answer that the controller is made, or has begun the attempt."""
    return Message('ready', {'sequence': sequence, 'walls': list(walls)})


def failure_message(sequence: int, reason: str, trace: str) -> Message:
    """Answer that the controller raised."""
    return Message('failed', {'sequence': sequence, 'reason': reason, 'traceback': trace})


def action_message(sequence: int, answer: Any) -> Message:
    """Write what a policy returned: an :class:`Action`, or a bare array that is its ``delta``.

    Anything else is written as the fault that it is, for :func:`action_of` to raise.
    """
    action = answer if hasattr(answer, 'done') else Action(delta=answer)
    arrays = {}
    for name in _VECTORS:
        value = getattr(action, name, None)
        if value is not None:
            try:
                arrays[name] = np.array(value, dtype=np.float64)
            except (TypeError, ValueError):
                return _malformed(sequence, f'{name} is {_describe(value)}, which is no array')
    if answer is None:
        return _malformed(sequence, 'step() returned None; return an Action')
    width = getattr(action, 'gripper_width', None)
    if width is not None:
        arrays['gripper_width'] = np.asarray(width, dtype=np.float64)
    oversized = [name for name, array in arrays.items() if array.nbytes > LARGEST_ANSWER // 4]
    if oversized:
        shape = arrays[oversized[0]].shape
        return _malformed(sequence, f'{oversized[0]} has shape {shape}, and must have shape (3,)')
    return Message('action', {'sequence': sequence, 'done': bool(action.done)}, arrays)


def action_of(message: Message) -> Action:
    """Read and check an action.

    :raises StationError: POLICY_WRONG_SHAPE or POLICY_NOT_FINITE, naming the field and the value.
    """
    if 'malformed' in message.fields:
        raise StationError(ErrorCode.POLICY_WRONG_SHAPE, f'{message.fields["malformed"]}')
    arrays, done = message.arrays, message.fields.get('done')
    if type(done) is not bool:
        raise StationError(ErrorCode.POLICY_WRONG_SHAPE, f'done is {done!r}, and must be a bool')
    for name, array in arrays.items():
        expected = () if name == 'gripper_width' else (3,)
        if name not in (*_VECTORS, 'gripper_width') or array.shape != expected:
            raise StationError(
                ErrorCode.POLICY_WRONG_SHAPE,
                f'{name} has shape {array.shape}, and must have shape {expected}',
            )
        if not np.isfinite(array).all():
            raise StationError(
                ErrorCode.POLICY_NOT_FINITE, f'{name} = {array.tolist()}; it must be finite'
            )
    if all(name in arrays for name in _VECTORS):
        raise StationError(
            ErrorCode.POLICY_WRONG_SHAPE, 'an action has a delta or a position, not both'
        )
    width = float(arrays['gripper_width']) if 'gripper_width' in arrays else math.nan
    return Action(
        delta=arrays.get('delta'),
        position=arrays.get('position'),
        gripper_width=None if math.isnan(width) else width,
        done=done,
    )


def _malformed(sequence: int, reason: str) -> Message:
    return Message('action', {'sequence': sequence, 'malformed': reason})


def _describe(value: Any) -> str:
    return f'{type(value).__name__} {value!r}'[:120]
