"""The learner: an algorithm, what it draws from, and how far it has come."""

from __future__ import annotations

from dataclasses import asdict
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import torch

from algorithms import algorithm_class
from data import is_demonstration, transitions
from enpire_nodes.improvement import check_policy, RecordedTrial
from recipe import Recipe
from replay import mixed, Pool

_TRIED = 60  # control periods that new weights are tried on


class Learner:
    """Learns from trials as they come.

    Behaviour cloning first, then ``updates_per_action`` updates for each action of the robot: it
    never runs ahead of what it has seen, and the robot never waits for it.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        torch.set_num_threads(recipe.training.threads)
        torch.set_flush_denormal(True)
        torch.manual_seed(recipe.training.seed)
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self.shown, self.own = Pool(self.device), Pool(self.device)
        self.algorithm: Any = None
        self.cloned = self.updates = 0
        self.owed = 0.0
        self._told = 0
        self.trials: dict[str, int] = {}
        self.demonstrations = 0
        self._sample: list[dict[str, np.ndarray]] = []

    # -- what it learns from --------------------------------------------------------------------

    def add(self, trial: RecordedTrial) -> None:
        """Take a trial in."""
        most = self.recipe.data.demonstrations
        shows = is_demonstration(trial.controller, trial.success, self.recipe)
        if shows and most and self.demonstrations >= most:
            return
        new = transitions(trial, self.recipe)
        if new is None:
            return
        self.trials[trial.trial_id] = len(new)
        (self.shown if shows else self.own).add(new)
        self._sample = self._sample or _rows(trial)
        if shows:
            self.demonstrations += 1
        elif self.algorithm is not None and self.algorithm.online:
            self.owed += self.recipe.training.updates_per_action * len(new)
            self.algorithm.new_trial()

    # -- learning -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Make the algorithm, now that there is something to scale its inputs by."""
        inputs = self.shown['observation'].shape[1]
        kind = algorithm_class(self.recipe.algorithm)
        self.algorithm = kind(self.recipe, inputs).to(self.device).train()
        self.algorithm.actor.normalize(self.shown['observation'])
        if not kind.clones:
            self.cloned = self.recipe.training.bc_updates
        if kind.online:
            training = self.recipe.training
            self.owed = training.warm_up_updates + training.updates_per_action * len(self.own)

    @property
    def cloning(self) -> bool:
        """Whether it is still at behaviour cloning."""
        return self.cloned < self.recipe.training.bc_updates

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do until the robot has done more."""
        return not self.cloning and self.owed < 1.0

    def work(self, most: int) -> dict[str, float]:
        """Make up to ``most`` updates; return what to draw as curves."""
        training, curves = self.recipe.training, {}
        for _ in range(most):
            if self.cloning:
                self.algorithm.cool(self.cloned / training.bc_updates)
                curves = self.algorithm.clone(
                    mixed(self.shown, self.own, training.batch_size, 1.0)
                )
                self.cloned += 1
                if not self.cloning:
                    self.algorithm.after_cloning()
            elif self.owed >= 1.0:
                share = training.demonstrations_share
                batch = mixed(self.shown, self.own, training.batch_size, share)
                curves = self.algorithm.update(batch)
                self.owed -= 1.0
            else:
                break
            self.updates += 1
        return {name: float(value) for name, value in curves.items()}

    # -- what comes of it -----------------------------------------------------------------------

    def weights(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return what a policy loads, and what describes it."""
        about = {
            'recipe': asdict(self.recipe),
            'updates': self.updates,
            'trials': len(self.trials),
            'demonstrations': self.demonstrations,
        }
        return self.algorithm.actor.state_dict(), about

    def changed(self) -> bool:
        """Tell whether there are other weights than when it was asked last."""
        changed, self._told = self.updates != self._told, self.updates
        return changed

    def describe(self) -> str:
        """Return a line for a person."""
        own = len(self.trials) - self.demonstrations
        return (
            f'{self.updates} updates ({self.owed:.0f} owed) on {self.demonstrations} '
            f'demonstrations and {own} other trials'
        )

    def check(self, policy: Any) -> None:
        """Try a policy on what the robot has seen.

        :raises StationError: IMPROVEMENT_POLICY_REFUSED.
        """
        check_policy(policy, self._sample)

    def state(self) -> bytes:
        """Return everything that is not in the recorded trials."""
        buffer = io.BytesIO()
        content = {
            'recipe': asdict(self.recipe),
            'code': _code(),
            'algorithm': self.algorithm.state_dict(),
            'random': torch.get_rng_state(),
            'cloned': self.cloned,
            'updates': self.updates,
            'owed': self.owed,
            'trials': list(self.trials),
        }
        torch.save(content, buffer)
        return buffer.getvalue()

    def restore(self, state: bytes) -> bool:
        """Go on from a state; False when it is of another recipe or other code."""
        content = torch.load(io.BytesIO(state), map_location='cpu', weights_only=True)
        if (content['recipe'], content['code']) != (asdict(self.recipe), _code()):
            return False
        self.algorithm.load_state_dict(content['algorithm'])
        torch.set_rng_state(content['random'])
        self.cloned, self.updates = content['cloned'], content['updates']
        unseen = [size for trial, size in self.trials.items() if trial not in content['trials']]
        self.owed = content['owed']
        if self.algorithm.online:
            self.owed += self.recipe.training.updates_per_action * sum(unseen)
        return True


def _code() -> str:
    """Return a digest of the code of this folder: what is learned by one does not fit another."""
    here, total = Path(__file__).parent, hashlib.sha256()
    for path in sorted([*here.glob('*.py'), *here.glob('algorithms/*.py')]):
        total.update(path.name.encode() + b'\0' + path.read_bytes())
    return total.hexdigest()


def _rows(trial: RecordedTrial) -> list[dict[str, np.ndarray]]:
    """Return the features of the first control periods of a trial."""
    attempt = trial.attempts[0]
    return [
        {
            **{name: values[row].astype(float) for name, values in attempt.features.items()},
            **{f'image/{name}': values[row] for name, values in attempt.images.items()},
        }
        for row in range(min(_TRIED, len(attempt.stamps)))
    ]
