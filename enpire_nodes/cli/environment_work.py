"""What the commands of ``enpire environment`` share: arguments, and work in processes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
import sys
from tempfile import TemporaryFile

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from enpire_nodes.bringup.configuration import (
    ConfigurationError,
    load_configuration,
    StationConfiguration,
)
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.environment.acceptance.measure import Done, Job, measure, Opener, Workbench
from enpire_nodes.environment.evidence import load
from enpire_nodes.environment.learned.dataset import Episode, episode_of
from enpire_nodes.tasks.eye import Crop
from enpire_nodes.tasks.registry import task_names

#: Far from the seeds that anything is fitted on: what is measured must never have been learned.
HELD_OUT = 1_000_000


def count(text: str) -> int:
    """Read a number of things; for argparse.

    :raises argparse.ArgumentTypeError: it is no whole number, or negative.
    """
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} must be 0 or a positive whole number')
    return int(text)


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``task``."""
    parser.add_argument('task', choices=task_names(), metavar='TASK', help='name of the task')


def add_station(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``--station``."""
    parser.add_argument(
        '--station', default='station_1', metavar='STATION',
        help='station file, or the name of one in config/stations (default: station_1)',
    )  # fmt: skip


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``--workers``."""
    parser.add_argument(
        '--workers', type=count, default=2, metavar='N',
        help='processes that do the work; 0 does it in this one (default: 2)',
    )  # fmt: skip


def add_held_out(parser: argparse.ArgumentParser, *, episodes: int, seed: int) -> None:
    """Add the arguments ``--episodes`` and ``--seed`` of simulated episodes to judge.

    :param seed: default, of the first.
    """
    parser.add_argument(
        '--episodes', type=count, default=episodes, metavar='N',
        help=f'simulated episodes, half of them successes (default: {episodes})',
    )  # fmt: skip
    parser.add_argument(
        '--seed', type=count, default=seed, metavar='N',
        help=f'of the first episode, from {HELD_OUT} on (default: {seed})',
    )  # fmt: skip


def require_held_out_seed(seed: int) -> None:
    """Refuse a seed that something may have been fitted on.

    :raises StationError: ENVIRONMENT_NOT_ACCEPTED.
    """
    if seed < HELD_OUT:
        raise StationError(
            ErrorCode.ENVIRONMENT_NOT_ACCEPTED,
            f'seeds below {HELD_OUT} are for fitting, and {seed} is one: what was learned must '
            'not be measured; take another --seed',
        )


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the argument ``--weights``."""
    parser.add_argument('--weights', type=Path, metavar='FILE', help='of the learned eyes')


def add_evidence(parser: argparse.ArgumentParser, words: str) -> None:
    """Add the argument ``--evidence``.

    :param words: what is done with it.
    """
    parser.add_argument('--evidence', type=Path, metavar='DIR', help=words)


def for_station(
    name: str, do: Callable[[argparse.Namespace, StationConfiguration], int]
) -> Callable[[argparse.Namespace], int]:
    """Return a command that does something for the station and the task of its arguments.

    It returns 2 when the station's file cannot be used.

    :param name: of the command.
    """

    def run(args: argparse.Namespace) -> int:
        try:
            configuration = load_configuration(args.station, task=args.task)
        except ConfigurationError as error:
            sys.stderr.write(f'enpire environment {name}: {error}\n')
            return 2
        return do(args, configuration)

    return run


def labelled_files(folder: Path | None, crops: Mapping[str, Crop]) -> dict[Path, Episode]:
    """Return what is kept of the evidence in a folder, by file.

    :param folder: searched with all below it; None has none.
    :param crops: which part of the pictures is kept, by camera.
    :raises StationError: there is none, or one cannot be read or has no label.
    """
    if folder is None:
        return {}
    found = {path: episode_of(load(path), crops) for path in sorted(folder.rglob('*.npz'))}
    if not found:
        raise StationError(
            ErrorCode.ENVIRONMENT_TOO_FEW_EPISODES, f'there is no evidence in {folder}'
        )
    if unlabelled := [path for path, episode in found.items() if episode.label is None]:
        raise StationError(
            ErrorCode.ENVIRONMENT_UNLABELLED,
            f'{len(unlabelled)} of {len(found)} files in {folder} have no label, for example '
            f'{unlabelled[0]} ({found[unlabelled[0]].source}); say whether it is a success or a '
            'failure, or leave it out',
        )
    return found


def make_folder(folder: Path) -> None:
    """Make sure, before minutes of work, that their result can be written into a folder.

    :raises StationError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise StationError(
            ErrorCode.REWARD_INTERNAL,
            f'cannot write into {folder}: {error.strerror}; name another place by --output',
        ) from error


def work(
    opener: Opener,
    do: Callable[[Workbench, Job], Done],
    jobs: Sequence[Job],
    *,
    workers: int,
    words: str,
) -> list[Done]:
    """Do jobs as :func:`measure` does, under a bar of progress on the standard error.

    :param words: what is done.
    """
    bar = Progress(
        f'{words:10}',
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        shown = bar.add_task('', total=len(jobs))
        return measure(
            opener, do, jobs, workers=workers, progress=lambda done: bar.advance(shown, done)
        )
