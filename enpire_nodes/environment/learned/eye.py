"""What one camera's network makes of a picture."""

from __future__ import annotations

import numpy as np

from enpire_nodes.environment.learned.network import Network
from enpire_nodes.environment.learned.thresholds import calibrated, Range
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.eye import Crop


class LearnedEye:
    """Judges pictures of one camera; see :class:`~enpire_nodes.tasks.eye.Eye`.

    :param crop: which part of a picture it was trained on.
    :param network: trained.
    :param temperature: by which its log-odds are divided.
    :param thresholds: on its scores.
    :param digest: sha256 of the weights file that it is from.
    """

    def __init__(
        self,
        crop: Crop,
        network: Network,
        *,
        temperature: float,
        thresholds: Range,
        digest: str,
    ) -> None:
        self.digest = digest
        self._crop, self._network = crop, network
        self._temperature, self._thresholds = temperature, thresholds

    def score(self, image: np.ndarray) -> float:
        """Return the calibrated probability of success by a (height, width, 3) uint8 picture."""
        return float(self.scores(self._crop(image)[None])[0])

    def scores(self, crops: np.ndarray) -> np.ndarray:
        """Return the (n,) scores of (n, size, size, 3) crops that are cut already."""
        return calibrated(self._network.logits(crops), self._temperature)

    def verdict(self, score: float) -> Outcome:
        """Tell what a score means."""
        return self._thresholds.verdict(score)
