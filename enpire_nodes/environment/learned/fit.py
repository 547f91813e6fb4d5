"""Train the learned eyes of a task from labelled evidence: minutes on one thread of the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
import platform
from typing import Any

import numpy as np

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.evidence import Evidence
from enpire_nodes.environment.learned import dataset
from enpire_nodes.environment.learned.calibrate import choose_range, fit_temperature, held_out
from enpire_nodes.environment.learned.held_out import learned_from
from enpire_nodes.environment.learned.network import Architecture, Network
from enpire_nodes.environment.learned.thresholds import calibrated
from enpire_nodes.environment.learned.weights import EyeWeights, Weights
from enpire_nodes.tasks.eye import Crop


def fit(
    task: str,
    crops: Mapping[str, Crop],
    evidence: Iterable[Evidence | dataset.Episode],
    *,
    seed: int = 0,
    bound: float = 0.05,
    minimum: int = dataset.MINIMUM,
    steps: int = 900,
    report: Callable[[str], None] = lambda line: None,
) -> Weights:
    """Train, validate and calibrate one eye for each camera.

    The same evidence and seed give the same weights on the same computer.

    :param task: name of the task.
    :param crops: by camera, from ``Task.crops``.
    :param evidence: labelled, or what :func:`dataset.episode_of` has kept of it; taken one by one,
        so that it need not fit into memory.
    :param bound: what the 95 % bound of each eye's false positives shall keep.
    :param minimum: episodes that each class needs.
    :param steps: of descent for each eye, at most.
    :param report: gets a line now and then.
    :raises StationError: as :func:`dataset.collect` and :func:`dataset.split`.
    """
    episodes = dataset.collect(evidence, crops, minimum=minimum)
    parts = dataset.split(episodes, seed)
    successes = sum(episode.label for episode in episodes)
    report(f'{len(episodes)} episodes, of which {successes} are successes')
    eyes = {}
    for number, (camera, crop) in enumerate(crops.items()):
        report(f'{camera}: training')
        eyes[camera] = _fit_eye(
            episodes, parts, camera, crop, (seed, number), bound, steps, report
        )
    return Weights(task, eyes, _about(episodes, parts, seed, bound))


def _fit_eye(
    episodes: tuple[dataset.Episode, ...],
    parts: tuple[np.ndarray, ...],
    camera: str,
    crop: Crop,
    seeds: tuple[int, int],
    bound: float,
    steps: int,
    report: Callable[[str], None],
) -> EyeWeights:
    from enpire_nodes.environment.learned.training import train  # imports torch

    architecture = Architecture(size=crop.size)
    trained, validated, kept = (dataset.pictures(episodes, part, camera) for part in parts)
    if any(len(set(labels)) < 2 for _, labels, _ in (trained, validated, kept)):
        raise StationError(
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES,
            f'too few episodes have pictures of the camera {camera}; record more of each class',
        )
    arrays = train(
        architecture,
        trained[:2],
        validated[:2],
        seeds=seeds,
        steps=steps,
        report=lambda line: report(f'{camera}: {line}'),
    )
    network = Network(architecture, arrays)
    pictures, labels, owners = kept
    logits = network.logits(pictures)
    temperature = fit_temperature(logits, labels)
    scores = calibrated(logits, temperature)
    of_episodes = [scores[owners == owner] for owner in np.unique(owners)]
    their_labels = [episodes[owner].label for owner in np.unique(owners)]
    thresholds = choose_range(of_episodes, their_labels, bound=bound)
    figures = held_out(of_episodes, their_labels, thresholds)
    report(
        f'{camera}: range {thresholds.low:.3f} to {thresholds.high:.3f}; of {figures.failures} '
        f'held-out failures {figures.false_positives} called SUCCESS, of {figures.successes} '
        f'successes {figures.false_negatives} called FAILURE, {figures.uncertain} UNCERTAIN'
    )
    return EyeWeights(crop, architecture, arrays, temperature, thresholds, figures.to_json())


def _about(
    episodes: tuple[dataset.Episode, ...],
    parts: tuple[np.ndarray, ...],
    seed: int,
    bound: float,
) -> dict[str, Any]:
    import torch

    names = ('training', 'validation', 'calibration')
    return {
        'seed': seed,
        'bound': bound,
        'data': dataset.data_digest(episodes),
        'learned': learned_from(episodes),
        'episodes': {
            name: {
                'successes': sum(episodes[index].label for index in part),
                'failures': sum(not episodes[index].label for index in part),
            }
            for name, part in zip(names, parts, strict=True)
        },
        'versions': {
            'python': platform.python_version(),
            'numpy': np.__version__,
            'torch': torch.__version__,
        },
    }
