"""The policy that the station runs: an encoder, an actor, and the motion that comes of it.

The station makes one ``Policy`` for each set of weights, calls ``reset`` before an attempt and
``step`` in every control period, in a process without network. What is imported here must be in
this folder, in ``enpire_nodes.improvement``, or installed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from action import Finish, Motion
from algorithms.search import Search
from enpire_nodes.improvement import (
    Action,
    AttemptContext,
    Features,
    load_weights,
    read_recipe,
    recipe_from,
)
from observation import Encoder, picture
from recipe import Recipe

_HERE = Path(__file__).parent
#: How much of the exploring noise lasts from one action to the next: hands do not jump.
_MEMORY = 0.7


class Policy:
    """Runs what a recipe's algorithm has learned, or the contact search.

    :param checkpoint: weights with their recipe; None runs the search.
    """

    def __init__(self, checkpoint: Path | None) -> None:
        self._search, self._actor = Search(), None
        if checkpoint is None:
            self.recipe = replace(read_recipe(_HERE / 'recipe.yaml', Recipe), algorithm='search')
        else:
            weights, about = load_weights(checkpoint)
            self.recipe = recipe_from(Recipe, about['recipe'])
            self._load(weights)
        settings = self.recipe.action
        self._encoder = Encoder(self.recipe.observation, settings.time_limit)
        self._motion, self._finish = Motion(settings), Finish(settings)

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        if context.attempt > 1:
            self._encoder.end()
        self._encoder.begin(context.attempt)
        self._motion.begin()
        self._finish.begin()
        self._search.begin(context.attempt, context.control_rate)
        self._queue: list[np.ndarray] = []
        self._explore = context.explore
        self._rng, self._noise = np.random.default_rng(context.seed), np.zeros(3)

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        seen = self._encoder(features)
        if self._finish(features):
            return Action(done=True)
        if self._actor is None:
            return Action(delta=self._search(features))
        if self._motion.due:
            if not self._queue:
                self._queue = list(self._decide(seen, picture(features)))
            self._motion.take(self._perturbed(self._queue.pop(0)), features)
        return Action(delta=self._motion.step(features))

    def _load(self, weights: dict) -> None:
        import torch

        from algorithms import actor_for, algorithm_class

        torch.set_num_threads(1)
        self._torch = torch
        self._samples = algorithm_class(self.recipe.algorithm).samples
        self._actor = actor_for(self.recipe, len(weights['mean'])).eval()
        self._actor.load_state_dict(weights)

    def _decide(self, seen: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Return the (chunk, 3) actions that come next."""
        torch = self._torch
        with torch.inference_mode():
            inputs = self._actor.see(torch.from_numpy(seen)[None], torch.from_numpy(image)[None])
            if self._explore and self._samples:
                action = self._actor.sample(inputs)[0]
            else:
                action = self._actor.act(inputs)
        return action[0].numpy().reshape(-1, 3)

    def _perturbed(self, action: np.ndarray) -> np.ndarray:
        """Return the action with exploring noise, when experience is gathered."""
        if not self._explore or self._samples:
            return action
        fresh = self._rng.normal(0.0, self.recipe.training.exploration, 3)
        self._noise = _MEMORY * self._noise + np.sqrt(1.0 - _MEMORY**2) * fresh
        return np.clip(action + self._noise, -1.0, 1.0)
