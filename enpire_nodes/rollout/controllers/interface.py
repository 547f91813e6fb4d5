"""The interface of a controller, which is also that of the policy in the research workspace.

The names follow gymnasium and LeRobot: an episode (here: an attempt) begins with ``reset``, and
``step`` maps the features of one control period to an :class:`Action`. Positions are m relative to
the goal (the centre of the hole's rim) along the axes of ``world``, forces N. A controller sees
what is in the features and in the context, and nothing else: neither the seed of the starting pose
nor the simulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

#: What a policy senses in one control period: float arrays by name, as the task defines them
#: (``tcp``, ``force``, ...; see the task's observer), and ``target`` (3,) m, where the tool was
#: last sent, in the same frame as ``tcp``.
Features = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """Where the working arm shall go in this control period.

    Give ``delta`` or ``position``, or neither to keep the target. The executor shortens what is
    too fast or too far from the measured tool; the result is the next step's feature ``target``.

    :param delta: (3,) m, added to the previous target of the tool centre point.
    :param position: (3,) m, target of the tool centre point relative to the goal: what the feature
        ``tcp`` shall become.
    :param gripper_width: m between the finger pads; ``None`` keeps the grip as it is.
    :param done: the policy has nothing left to do; this action is not executed any more.
    """

    delta: np.ndarray | None = None
    position: np.ndarray | None = None
    gripper_width: float | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class PreviousAttempt:
    """How an earlier attempt of the same trial ended.

    :param index: counts from 1.
    :param verdict: ``success``, ``failure``, ``uncertain`` or ``unset`` (not judged).
    :param execution: ``completed``, ``timed_out``, ``aborted``, ``canceled`` or ``unsafe``.
    :param steps: control periods that the policy ran for.
    :param duration: s.
    :param peak_force: N, largest norm of the measured force.
    :param depth: m, deepest descent of the tool below its start.
    """

    index: int
    verdict: str = 'unset'
    execution: str = 'unset'
    steps: int = 0
    duration: float = 0.0
    peak_force: float = 0.0
    depth: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class AttemptContext:
    """What a controller is told before an attempt.

    :param attempt: counts from 1 within the trial; 1 means that everything learned in an earlier
        trial about this scene is void.
    :param seed: of the controller's own randomness.
    :param goal_position: (3,) m, the goal of the task (a hole) as the cameras saw it.
    :param goal_quaternion: (4,) xyzw.
    :param control_rate: Hz.
    :param timeout: s that the attempt may take.
    :param previous: the earlier attempts of this trial, in order.
    :param explore: the attempt gathers experience and is not graded: a policy that learns may
        add noise to its actions.
    """

    attempt: int = 1
    seed: int = 0
    goal_position: np.ndarray = field(default_factory=lambda: np.zeros(3))
    goal_quaternion: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 0.0, 1.0]))
    control_rate: float = 30.0
    timeout: float = 10.0
    previous: tuple[PreviousAttempt, ...] = ()
    explore: bool = False


class Controller(Protocol):
    """What the policy worker runs; its class has ``Settings``, a dataclass it is made from."""

    Settings: type

    def __init__(self, settings: Any) -> None: ...

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        ...

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        ...
