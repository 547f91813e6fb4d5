"""The controller that stays where it is: a baseline, and a known failure for audits."""

from __future__ import annotations

from dataclasses import dataclass

from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Features
from enpire_nodes.rollout.controllers.settings import setting


@dataclass(frozen=True, slots=True)
class HoldSettings:
    """How long to stay."""

    duration: float = setting(
        2.0, 'time until it says that it is done', unit='s', minimum=0.0, maximum=60.0
    )


class Hold:
    """Keep the target, and the grip, for a while."""

    Settings = HoldSettings

    def __init__(self, settings: HoldSettings) -> None:
        self._settings = settings
        self._remaining = 0

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        self._remaining = round(self._settings.duration * context.control_rate)

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        self._remaining -= 1
        return Action(done=self._remaining < 0)
