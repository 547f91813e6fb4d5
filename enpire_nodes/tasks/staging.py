"""How a simulated scene is set up by hand, so that a judge can be tried on it.

Staging is for audits of the simulator alone: nothing on a station uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TYPE_CHECKING

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.tasks.api import Pose

if TYPE_CHECKING:
    import mujoco


@dataclass(frozen=True, slots=True, eq=False)
class Staging:
    """A scene at the moment when a policy ends.

    :param fixture: the goal as the reset saw it.
    :param hand: where the working hand truly is.
    :param width: m between the finger pads.
    :param gripped: name of the free body that the fingers close on; '' when the hand is empty.
    :param press: m that the hand's target lies below the hand: so far does it press.
    :param free: where bodies are that move freely, by name.
    :param placed: where fixed bodies stand, by name; the others stand where the scene has them.
    :param other_hand: where the arm that does not work holds its hand; None parks it.
    :param colours: RGBA of shapes that differ from the scene's, by name.
    :param wait: s of physics before the policy ends, for what has to fall to fall.
    """

    fixture: Pose
    hand: Pose
    width: float
    gripped: str = ''
    press: float = 0.0
    free: Mapping[str, Pose] = field(default_factory=dict)
    placed: Mapping[str, Pose] = field(default_factory=dict)
    other_hand: Pose | None = None
    colours: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    wait: float = 0.3


def source_of(kind: str, seed: int) -> str:
    """Return what the evidence of an episode that was made says of where it is from."""
    return f'simulated {kind} {seed}'


class Stager(Protocol):
    """What a task knows about staging itself.

    :param kinds: every kind of scene and whether it is a success, those in words of the task.
    """

    kinds: Mapping[str, bool]

    def add_props(self, spec: mujoco.MjSpec) -> None:
        """Add to a simulated bench what only staged scenes need."""

    def stage(self, kind: str, cameras: Mapping[str, Camera], rng: np.random.Generator) -> Staging:
        """Draw a scene of a kind.

        :raises ValueError: the settings of the task leave no room for it; names what to change.
        """

    def shows(self, kind: str, truth: Mapping[str, Any]) -> bool:
        """Tell whether a scene that came to rest is what its kind says."""
