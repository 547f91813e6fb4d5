"""All ideas of the researcher, by name."""

from __future__ import annotations

from enpire_nodes.evolution.researcher.code_ideas import CODE
from enpire_nodes.evolution.researcher.idea import Idea, Template
from enpire_nodes.evolution.researcher.setting_ideas import SETTINGS, TRAINING

CATALOGUE: tuple[Template, ...] = (*CODE, *SETTINGS, *TRAINING)


def idea_named(name: str) -> Idea | None:
    """Return the idea that a trailer names; None when the catalogue does not have it."""
    return _NAMED.get(name)


_NAMED = {idea.name: idea for template in CATALOGUE for idea in template.every()}
