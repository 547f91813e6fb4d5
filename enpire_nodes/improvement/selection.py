"""How the station is told to run the policy of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.recipe_file import needs_weights
from enpire_nodes.improvement.checkpoints import describe_weights
from enpire_nodes.improvement.workspace import Workspace


def learned_settings(
    workspace: Workspace, *, weights: Path | None = None, explore: bool = False
) -> dict[str, Any]:
    """Return the settings of the controller ``learned``.

    :param weights: to run; the published ones by default.
    :raises StationError: IMPROVEMENT_CHECKPOINT_UNUSABLE, there are none and the recipe needs
        some; IMPROVEMENT_RECIPE_INVALID.
    """
    settings: dict[str, Any] = {'policy': str(workspace.policy), 'explore': explore}
    if weights is None and not needs_weights(workspace.recipe):
        return {**settings, 'checkpoint': '', 'images': 0}
    path = workspace.current if weights is None else weights.absolute()
    if not path.is_file():
        raise StationError(
            ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE,
            f'there are no weights {path}; run `enpire train`, or set `algorithm: search` in '
            'recipe.yaml to run the contact search, which needs none',
        )
    recipe = describe_weights(path).get('recipe', {})
    images = recipe.get('observation', {}).get('images', 0)
    return {**settings, 'checkpoint': str(path), 'images': images}
