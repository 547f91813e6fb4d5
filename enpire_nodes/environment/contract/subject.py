"""The environment of a station as it is now: what a freeze writes down and a start compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enpire_nodes.environment.contract.files import environment_files, FrozenFiles
from enpire_nodes.environment.contract.identity import code_digest, settings_digest
from enpire_nodes.environment.safety.limits_file import read_limits
from enpire_nodes.environment.setup import JudgeSetup


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be frozen.

    :param task: its name.
    :param files: all of them, and where they lie.
    :param digests: what the nodes tell of themselves, as in a manifest.
    :param parameters: values by node, as in a manifest.
    """

    task: str
    files: FrozenFiles
    digests: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]]


def subject_of(
    setup: JudgeSetup,
    *,
    settings: Mapping[str, Path | None],
    parameters: Mapping[str, Mapping[str, Any]],
) -> Subject:
    """Return the environment that these make.

    :param setup: what the station's judge is made of.
    :param settings: files of the station's configuration by what they are: ``limits``,
        ``station``, ``task``, ``weights``; None where there is none.
    :param parameters: values by node of the environment.
    :raises StationError: GATE_LIMITS_INVALID, or a file that cannot be frozen.
    """
    return Subject(
        task=setup.task.name,
        files=environment_files(setup.task, settings),
        digests={
            'code': code_digest(),
            'settings': settings_digest(setup.task, setup.cameras),
            'verifier': setup.verifier().digest,
            'limits': read_limits(settings['limits']).digest,
        },
        parameters=parameters,
    )
