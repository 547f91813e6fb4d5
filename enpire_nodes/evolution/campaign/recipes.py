"""From a commit of the hub to what the station runs: files that no agent can write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.recipe_file import needs_weights
from enpire_nodes.evolution.campaign.artifacts import Artifacts
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.records import Arm
from enpire_nodes.improvement.checkpoints import describe_weights
from enpire_nodes.rollout.records import ParameterValue

_LARGEST = 256  # px, of the pictures that a policy can be shown


@dataclass(frozen=True, slots=True)
class Recipes:
    """Exports commits below ``folder``, each once.

    :param artifacts: where the weights are.
    """

    hub: Hub
    folder: Path
    artifacts: Artifacts

    def arm(self, commit: str, weights: str, request_id: str, *, explore: bool = False) -> Arm:
        """Return what runs a recipe.

        :raises StationError: HUB_COMMIT_UNKNOWN, HUB_ARTIFACT_UNKNOWN;
            IMPROVEMENT_CHECKPOINT_UNUSABLE, the weights cannot be read or are missing;
            SUPERVISOR_JOB_REFUSED, the commit has no policy.
        """
        commit = self.hub.resolve(commit)
        place = self.export(commit)
        policy = place / 'policy.py'
        if not policy.is_file():
            raise _refused(f'commit {commit[:10]} has no policy.py; the station runs that file')
        settings: dict[str, ParameterValue] = {
            'learned.policy': str(policy),
            'learned.checkpoint': '',
            'learned.images': 0,
            'learned.explore': explore,
        }
        if weights:
            file = self.artifacts.file(weights)
            settings |= {'learned.checkpoint': str(file), 'learned.images': _images(file)}
        elif self.needs_weights(commit):
            raise _refused(
                f'the recipe of {commit[:10]} learns, and no weights came with it; run '
                '`enpire train` first, or set `algorithm: search` in recipe.yaml'
            )
        return Arm(
            request_id=request_id,
            commit=commit,
            weights=weights,
            idea=self.hub.subject(commit),
            settings=settings,
        )

    def export(self, commit: str) -> Path:
        """Return the folder with the files of a commit."""
        place = self.folder / commit
        if not place.is_dir():
            self.hub.export(commit, place)
        return place

    def needs_weights(self, commit: str) -> bool:
        """Whether the recipe of a commit is one that learns.

        :raises StationError: SUPERVISOR_JOB_REFUSED, its recipe.yaml cannot be read.
        """
        try:
            return needs_weights(self.export(commit) / 'recipe.yaml')
        except StationError as error:
            raise _refused(
                f'recipe.yaml of {commit[:10]} cannot be read: {error.__cause__}'
            ) from error


def _images(weights: Path) -> int:
    """Return the size of the pictures, px, that weights were trained with; 0 for none.

    The file says so, and an agent wrote the file: a robot that is asked for what it cannot take
    would be asked again and again.
    """
    found: object = describe_weights(weights)
    for name in ('recipe', 'observation'):
        found = found.get(name, {}) if isinstance(found, dict) else None
    size = found.get('images', 0) if isinstance(found, dict) else None
    if type(size) is not int or not 0 <= size <= _LARGEST:
        raise _refused(
            f'the weights {weights.stem[:12]} do not say what they are shown: '
            f'observation.images of their recipe must be 0 to {_LARGEST} px; use `enpire train`'
        )
    return size


def _refused(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, words)
