"""Behaviour cloning: do as the demonstrations do (Pomerleau, 1988).

The loss is the squared distance between the action of the policy, without noise, and the
demonstrated one. Noise on the inputs keeps small errors from adding up.
"""

from __future__ import annotations

from torch import Tensor

from algorithms.base import Algorithm, Batch


class BehaviourCloning(Algorithm):
    """Learns from demonstrations alone; needs no reward."""

    def update(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step on a batch of demonstrations."""
        return self.clone(batch)
