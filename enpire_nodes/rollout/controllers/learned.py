"""The controller that runs a policy file: a Python file with a class ``Policy``.

.. code-block:: python

    class Policy:
        def __init__(self, checkpoint: pathlib.Path | None) -> None: ...
        def reset(self, context: AttemptContext) -> None: ...
        def step(self, features: dict[str, np.ndarray]) -> Action: ...

``step`` may also return a bare (3,) array, which is the action's ``delta`` in m. The file may
import its neighbours. Nothing of it is imported but in the policy's own process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.util import module_from_spec, spec_from_file_location
import os
from pathlib import Path
import sys
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.interface import AttemptContext, Features
from enpire_nodes.rollout.controllers.settings import setting

_MOST_FILES = 2000


@dataclass(frozen=True, slots=True)
class LearnedSettings:
    """Which policy."""

    policy: str = setting('', 'path of the Python file with the policy class')
    class_name: str = setting('Policy', 'name of the class in that file')
    checkpoint: str = setting('', 'path of the weights that the policy loads; empty for none')
    images: int = setting(
        0, 'size of the pictures that it is shown; 0 for none', unit='px', minimum=0, maximum=256
    )
    explore: bool = setting(
        False, 'tell the policy to explore: for trials that gather experience for a learner'
    )


class Learned:
    """Forward to the policy that a file defines."""

    Settings = LearnedSettings

    def __init__(self, settings: LearnedSettings) -> None:
        self._explore = settings.explore
        file, checkpoint = _paths(settings)
        sys.path.insert(0, str(file.parent))
        spec = spec_from_file_location('enpire_policy', file)
        module = module_from_spec(spec)
        # known by its name before it runs: dataclasses and pickles look their module up
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        self._policy: Any = getattr(module, settings.class_name)(checkpoint)

    @staticmethod
    def pin(values: dict[str, Any]) -> dict[str, Any]:
        """Follow the link that a learner moves on when it has better weights."""
        checkpoint = values.get('checkpoint')
        if not checkpoint:
            return values
        return {**values, 'checkpoint': str(Path(checkpoint).expanduser().resolve())}

    @staticmethod
    def files(settings: LearnedSettings) -> list[Path]:
        """List what decides its behaviour: all Python files beside the policy, and the weights.

        :raises StationError: POLICY_BAD_PARAMETER, when there is no such file.
        """
        file, checkpoint = _paths(settings)
        listed = sorted(_python_files(file.parent))
        if len(listed) > _MOST_FILES:
            raise StationError(
                ErrorCode.POLICY_BAD_PARAMETER,
                f'{file.parent} holds {len(listed)} Python files, too many to digest for every '
                'trial; put the policy into a folder of its own',
            )
        return [*listed, checkpoint] if checkpoint else listed

    @staticmethod
    def reads(settings: LearnedSettings) -> list[Path]:
        """List what its process must see: the policy's folder, and the weights.

        :raises StationError: POLICY_BAD_PARAMETER, when there is no such file.
        """
        file, checkpoint = _paths(settings)
        return [file.parent, checkpoint] if checkpoint else [file.parent]

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt."""
        self._policy.reset(replace(context, explore=self._explore))

    def step(self, features: Features) -> Any:
        """Return the policy's answer as it is; the executor checks it."""
        return self._policy.step(features)


def _paths(settings: LearnedSettings) -> tuple[Path, Path | None]:
    if not settings.policy:
        raise StationError(
            ErrorCode.POLICY_BAD_PARAMETER,
            'learned.policy is empty; set it to the path of a Python file with a class Policy',
        )
    file = Path(settings.policy).expanduser().absolute()
    checkpoint = Path(settings.checkpoint).expanduser().absolute() if settings.checkpoint else None
    for role, path in (('policy', file), ('checkpoint', checkpoint)):
        if path is not None and not path.is_file():
            raise StationError(
                ErrorCode.POLICY_BAD_PARAMETER, f'learned.{role}: there is no file {path}'
            )
    return file, checkpoint


def _python_files(root: Path) -> Iterator[Path]:
    for folder, below, files in os.walk(root):
        below[:] = [name for name in below if not name.startswith(('.', '__pycache__'))]
        yield from (Path(folder, name) for name in files if name.endswith('.py'))
