"""What is compared: recipes that differ from the default one in a setting or two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Variant:
    """One recipe.

    :param changes: dotted settings that differ from the template's recipe.
    :param online: whether it learns from trials of its own.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    online: bool = True


VARIANTS = (
    Variant('bc', {'algorithm': 'bc'}, online=False),
    Variant('search', {'algorithm': 'search'}, online=False),
    Variant('rlpd', {'algorithm': 'rlpd'}),
    Variant('bc_rl', {'algorithm': 'bc_rl'}),
    Variant('residual', {'algorithm': 'residual'}),
    Variant('compensation', {'algorithm': 'bc_rl', 'action.compensation': 1.0}),
    Variant('batch 64', {'algorithm': 'bc_rl', 'training.batch_size': 64}),
    Variant('batch 1024', {'algorithm': 'bc_rl', 'training.batch_size': 1024}),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A ranking that the paper reports, as far as it can be asked here.

    :param better: variant that should win against ``worse``.
    """

    text: str
    better: str
    worse: str


CLAIMS = (
    Claim('BC regularization beats RL with demonstrations mixed in', 'bc_rl', 'rlpd'),
    Claim('online RL beats cloning alone', 'bc_rl', 'bc'),
    Claim('RL with demonstrations mixed in beats cloning alone', 'rlpd', 'bc'),
    Claim('controller compensation helps', 'compensation', 'bc_rl'),
    Claim('a larger batch helps', 'batch 1024', 'batch 64'),
    Claim('a residual beats its base', 'residual', 'bc'),
)
