"""Keeping the evidence of an attempt as a canary, in a catalogue as ``canary_file`` names one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from enpire_nodes.common.cameras import Camera, cameras_from_settings
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.files import config_file
from enpire_nodes.common.writing import write_json
from enpire_nodes.environment.evidence import Evidence, judge, save
from enpire_nodes.environment.learned.weights import load_eyes
from enpire_nodes.rollout.auditing.canaries import read_catalogue
from enpire_nodes.tasks.api import Outcome, Task, Verifier


def make_verifier(task: Task, station_file: str, weights: Path | None) -> Verifier:
    """Return the judge as a station has it.

    :param station_file: with the calibrated cameras; a path, or relative to ``config``.
    :param weights: of the learned eyes; None for none.
    """
    try:
        content = yaml.safe_load(config_file(station_file).read_text(encoding='utf-8'))
        cameras = cameras_from_settings(content['cameras'])
        wanted: Mapping[str, Camera] = {name: cameras[name] for name in task.cameras}
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise _refused(f'cannot read the cameras of {station_file}: {error}') from error
    if weights is None:
        return task.verifier(wanted)
    eyes = load_eyes(weights, task=task.name, crops=task.crops(wanted))
    return task.verifier(wanted, eyes)


def keep(evidence: Evidence, verifier: Verifier, catalogue: Path, *, name: str) -> int:
    """Add evidence to a catalogue, and make the catalogue if there is none.

    :param evidence: with a label.
    :param name: of its file beside the catalogue, without an ending.
    :return: number of canaries in the catalogue.
    :raises StationError: RUNNER_BAD_REQUEST, the judge does not say of it what its label says: as
        a canary it would raise an alarm for ever.
    """
    judgement = judge(verifier, evidence)
    right = Outcome.SUCCESS if evidence.label else Outcome.FAILURE
    if judgement.outcome is not right:
        raise _refused(
            f'the judge says {judgement.outcome.name} of the evidence in the bag, not '
            f'{right.name}, so that it is no use as a canary; take another attempt '
            f'({judgement.message})'
        )
    known = read_catalogue(catalogue) if catalogue.exists() else ()
    path = catalogue.parent.absolute() / f'{name}.npz'
    try:
        digest = save(evidence, path)
        lines = [
            {'file': _beside(item.path, path.parent), 'sha256': item.digest, 'label': item.success}
            for item in known
            if item.path != path
        ]
        lines.append({'file': path.name, 'sha256': digest, 'label': evidence.label})
        write_json(catalogue, {'canaries': lines})
    except OSError as error:
        raise _refused(f'cannot write {path}: {error.strerror}; name another catalogue') from error
    return len(lines)


def _beside(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _refused(why: str) -> StationError:
    return StationError(ErrorCode.RUNNER_BAD_REQUEST, why)
