"""What a recipe says of weights, told without its schema."""

from __future__ import annotations

from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError


def needs_weights(recipe: Path) -> bool:
    """Whether a recipe is one that learns: its policy can only be run with what it learned.

    :param recipe: the file ``recipe.yaml``.
    :raises StationError: IMPROVEMENT_RECIPE_INVALID, it cannot be read.
    """
    import yaml

    try:
        # no value is turned into a number or a date: that fails with errors of every kind
        content = yaml.load(recipe.read_text('utf-8'), Loader=yaml.BaseLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise StationError(
            ErrorCode.IMPROVEMENT_RECIPE_INVALID, f'{recipe} cannot be read: {error}'
        ) from error
    return not (isinstance(content, dict) and content.get('algorithm') == 'search')
