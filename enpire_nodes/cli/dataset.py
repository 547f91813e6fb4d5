"""``enpire dataset``: recorded trials as a LeRobot dataset, and LeRobot datasets as trials."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import json
from pathlib import Path
import sys

from enpire_nodes.cli.runs import reported
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.bags import recorded_trial
from enpire_nodes.improvement.lerobot.export import export_trials
from enpire_nodes.improvement.lerobot.importing import import_trials
from enpire_nodes.improvement.recorded import RecordedTrial
from enpire_nodes.improvement.replay_store import ReplayStore


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add ``dataset`` and what it can do."""
    parser = subparsers.add_parser(
        'dataset', help='exchange recorded trials with LeRobot (dataset format v3.0)'
    )
    commands = parser.add_subparsers(dest='what', required=True, metavar='COMMAND')

    exporter = commands.add_parser('export', help='write trials as a new LeRobot dataset')
    exporter.add_argument(
        'source',
        type=Path,
        metavar='RUN_OR_STORE',
        help='directory of a run, or of trials kept to learn from',
    )
    exporter.add_argument('out', type=Path, metavar='OUT', help='folder that is made')
    exporter.add_argument(
        '--name',
        default='',
        metavar='TEXT',
        help='what the robot is told to do, in words (default: the name of OUT)',
    )
    exporter.add_argument(
        '--pictures',
        type=int,
        default=0,
        metavar='PX',
        help="of a run: the task's crops of its cameras, this large (default: none)",
    )
    exporter.add_argument(
        '--station-file',
        default='stations/simulated.yaml',
        metavar='FILE',
        help='with the cameras of the run (default: stations/simulated.yaml)',
    )
    exporter.add_argument(
        '--no-pictures', action='store_true', help='leave the pictures of a store out'
    )
    exporter.set_defaults(run=reported(_export))

    importer = commands.add_parser('import', help='keep a LeRobot dataset to learn from')
    importer.add_argument('dataset', type=Path, metavar='DATASET', help='its folder')
    importer.add_argument(
        'store', type=Path, metavar='STORE', help='folder of trials; made when it is missing'
    )
    importer.set_defaults(run=reported(_import))


def _export(arguments: argparse.Namespace) -> int:
    source = _Source(arguments.source, arguments.pictures, arguments.station_file)
    written = export_trials(
        source, arguments.out, task=arguments.name, pictures=not arguments.no_pictures
    )
    print(
        f'{arguments.out}: {written.trials} trials, {written.episodes} episodes, '
        f'{written.frames} frames'
    )
    if source.unreadable:
        print(
            f'enpire: {source.unreadable} trials could not be read and were left out',
            file=sys.stderr,
        )
    return 1 if source.unreadable else 0


def _import(arguments: argparse.Namespace) -> int:
    found = import_trials(arguments.dataset)
    for note in found.notes:
        print(f'note: {note}')
    store = ReplayStore(arguments.store)
    trials = attempts = steps = 0
    for trial in found.trials:
        try:
            store.add(trial)
        except OSError as error:
            raise StationError(
                ErrorCode.IMPROVEMENT_DATASET_UNUSABLE,
                f'{arguments.store} cannot be written: {error}; {trials} trials are in it',
            ) from error
        trials += 1
        attempts += len(trial.attempts)
        steps += trial.steps
    print(f'{arguments.store}: {trials} trials, {attempts} attempts, {steps} steps')
    return 0


class _Source:
    """The trials of a run or of a store; those that cannot be read are told and counted."""

    def __init__(self, directory: Path, pictures: int, station_file: str) -> None:
        self.unreadable = 0
        self._pictures, self._station_file = pictures, station_file
        trials = directory / 'trials'
        if trials.is_dir():
            folders = [path for path in sorted(trials.iterdir()) if path.is_dir()]
            self._readers = [(self._recorded, path) for path in folders]
        else:
            store = ReplayStore(directory)
            self._readers = [(store.load, name) for name in store.ids()]
        if not self._readers:
            raise StationError(
                ErrorCode.IMPROVEMENT_DATA_MISSING,
                f'{directory} is no run with trials, and no store with any; name the directory '
                'that holds `trials/`, or `*.npz`',
            )

    def _recorded(self, directory: Path) -> RecordedTrial:
        if not self._pictures:
            return recorded_trial(directory)
        from enpire_nodes.improvement.crops import task_crops

        try:
            task = json.loads((directory / 'trial.json').read_text('utf-8'))['task']
        except (OSError, ValueError, KeyError):
            return recorded_trial(directory)  # which says what is wrong with it
        crops = task_crops(task, self._station_file, self._pictures)
        return recorded_trial(directory, crops=crops)

    def __iter__(self) -> Iterator[RecordedTrial]:
        for read, what in self._readers:
            try:
                trial = read(what)
            except StationError as error:
                if error.code is not ErrorCode.IMPROVEMENT_REPLAY_UNREADABLE:
                    raise
                self.unreadable += 1
                print(f'enpire: {error.message} ({error.code.name})', file=sys.stderr)
                continue
            yield trial
