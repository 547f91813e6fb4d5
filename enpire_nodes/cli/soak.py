"""``enpire soak``: a simulated station works by itself, first by a script, then by touch."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import sys
import time
from typing import Any

from rich.table import Table

from enpire_nodes.bringup.configuration import (
    ConfigurationError,
    load_configuration,
    StationConfiguration,
)
from enpire_nodes.cli.runs import console as make_console
from enpire_nodes.cli.session import own_domain, Tale, work
from enpire_nodes.rollout.records import TrialOutcome, TrialRecord

HELP = 'watch a simulated station work: a scripted policy, then one that searches by touch'

#: Wandering calibration error of the arm: a straight push finds the hole about every other time.
DRIFT = {'noise.drift_sd': 0.003, 'noise.drift_time': 30.0}
CONTROLLERS = ('scripted', 'spiral_search')
_RESET_GOAL = 0.97
_SIGNIFICANT = 0.05
_ENOUGH = 15  # trials of each controller below which a comparison says nothing


def add_parser(subparsers: Any) -> None:
    """Add the command to the ``enpire`` parser."""
    parser = subparsers.add_parser('soak', help=HELP, description=__doc__)
    parser.add_argument(
        '-n', '--trials', type=int, default=20, help='of each controller (default: 20)'
    )
    parser.add_argument(
        '--attempts', type=int, default=2, help='most attempts of a trial (default: 2)'
    )
    parser.add_argument(
        '--pace', default='lockstep', choices=('lockstep', 'realtime', 'scaled'),
        help='lockstep runs as fast as the CPU allows (default)',
    )  # fmt: skip
    parser.add_argument('--speed', type=float, help='times real time, with --pace scaled')
    parser.add_argument('--seed', type=int, default=1, help='of everything drawn at random')
    parser.add_argument('--run', metavar='DIR', dest='directory', help='default: runs/soak-<time>')
    parser.add_argument(
        '--domain', type=int, help='ROS domain (default: ROS_DOMAIN_ID, or a free one)'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the soak; 0 when it kept what it promises."""
    from enpire_nodes.cli.pictures import plot_success
    from enpire_nodes.cli.scores import score_table, scores
    from enpire_nodes.rollout.ledger import LedgerReader
    from enpire_nodes.rollout.run_directory import RunDirectory

    console = make_console()
    directory = Path(args.directory or f'runs/soak-{time.strftime("%Y%m%d-%H%M%S")}').absolute()
    try:
        configuration = load_configuration(
            'station_1',
            pace=args.pace,
            speed=args.speed,
            seed=args.seed,
            run=directory,
            parameters={'driver': DRIFT},
        )
    except ConfigurationError as error:
        sys.stderr.write(f'enpire soak: {error}\n')
        return 2
    seeds = draw_seeds(args.seed, args.trials)
    with own_domain(args.domain):
        tale = work(console, configuration, requests(seeds, attempts=args.attempts))
    if not RunDirectory(directory).ledger.is_file():
        sys.stderr.write('enpire soak: no trial was run: ' + '; '.join(tale.problems) + '\n')
        return 1
    with LedgerReader(directory) as ledger:
        trials = ledger.trials()
        rows = scores(trials)
        console.print(score_table(rows))
        promises = check(ledger, trials, tale, asked=len(CONTROLLERS) * args.trials)
        console.print(promise_table(promises))
    with console.status('drawing pictures'):
        made = []
        if rows:
            plot_success(rows, directory / 'success.png', title=_title(configuration))
            made.append('success.png')
        made += pictures(configuration, trials, directory, seeds)
    console.print(farewell(directory, made, tale), markup=False, soft_wrap=True)
    return 0 if all(kept for _, _, kept in promises) else 1


def requests(seeds: Sequence[int], *, attempts: int) -> list[Any]:
    """Return the goals of ``RunTrials``: both controllers do the same trials."""
    from enpire_msgs.action import RunTrials
    from enpire_nodes.rollout.trial.requests import new_request_id

    return [
        RunTrials.Goal(
            request_id=new_request_id(),
            requester='soak',
            trials=len(seeds),
            max_attempts=attempts,
            controller=controller,
            seeds=list(seeds),
        )
        for controller in CONTROLLERS
    ]


def check(
    ledger: Any, trials: Sequence[TrialRecord], tale: Tale, *, asked: int
) -> list[tuple[str, str, bool]]:
    """Hold the run against what the soak promises: what, how it came out, whether it was kept."""
    from enpire_nodes.cli.live import percent
    from enpire_nodes.cli.scores import better, mishaps, scores
    from enpire_nodes.rollout.trial.reset_tally import ResetTally
    from enpire_nodes.rollout.utilization import utilization

    resets, rows = ResetTally(trials), scores(trials)
    bad = [trial for trial in mishaps(trials) if trial.outcome is not TrialOutcome.RESET_FAILED]
    bags = sum(bool(trial.bag_digest) for trial in trials)
    losses = sum('; the bag: ' in trial.message for trial in trials)
    chain = ledger.verify()
    share = utilization(ledger.intervals()).robot_utilization
    whole = 'whole' if chain.whole else chain.problem
    promises = [
        ('trials without an operator', f'{len(trials)} of {asked}', len(trials) == asked),
        (
            f'resets (goal {percent(_RESET_GOAL, 0)})',
            f'{resets.successes}/{resets.attempts} {percent(resets.rate)}, at least '
            f'{percent(resets.lower)}; {resets.retries} recoveries; mean '
            f'{resets.mean_seconds:.1f} s',
            resets.attempts > 0 and resets.rate >= _RESET_GOAL,
        ),
        (
            'crashes, faults',
            '; '.join([*tale.problems, *(f'{t.trial_id}: {t.message}' for t in bad)]) or 'none',
            not (bad or tale.problems),
        ),
        (
            'bags closed and checked',
            f'{bags} of {len(trials)}; {losses} with messages lost',
            bags == len(trials),
        ),
        ('ledger', f'{chain.entries} entries, {whole}', chain.whole),
        ('robot at work', f'{percent(share)} of the wall clock', True),
    ]
    if len(rows) == len(CONTROLLERS) and min(row.summary.counted for row in rows) >= _ENOUGH:
        p = better(rows[0], rows[1])
        promises.append(
            (
                f'{rows[1].name} beats {rows[0].name}',
                f"Barnard's p = {p:.2g} at pass@1, same seeds",
                p < _SIGNIFICANT,
            )
        )
    return promises


def promise_table(promises: Sequence[tuple[str, str, bool]]) -> Table:
    """Return the promises as a table."""
    table = Table(title='what was promised', title_justify='left')
    table.add_column('')
    table.add_column('')
    table.add_column('')
    for name, words, kept in promises:
        table.add_row(name, words, '[green]kept[/]' if kept else '[bold red]NOT kept[/]')
    return table


def pictures(
    configuration: StationConfiguration,
    trials: Sequence[TrialRecord],
    directory: Path,
    seeds: Sequence[int],
) -> list[str]:
    """Save the station at work and what its cameras saw; return the names of the files."""
    import cv2

    from enpire_nodes.cli.bare import photograph_attempt
    from enpire_nodes.cli.pictures import save_frames
    from enpire_nodes.simulation.rendering import RenderingError

    made = []
    shown = next((trial for trial in reversed(trials) if trial.success and trial.bag), None)
    if shown is not None and save_frames(
        directory / shown.bag, directory / 'cameras.png', moments=(0.3, 0.5, 1.0)
    ):
        made.append('cameras.png')
    try:
        photo = photograph_attempt(configuration, CONTROLLERS[-1], seeds[0])
    except RenderingError as error:
        sys.stderr.write(f'enpire soak: no photograph: {error}\n')
    else:
        cv2.imwrite(str(directory / 'station.png'), cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        made.append('station.png')
    return made


def _title(configuration: StationConfiguration) -> str:
    drift = 1e3 * DRIFT['noise.drift_sd']
    task = configuration.task.replace('_', ' ')
    return f'{task}, arm off by {drift:g} mm (sd per axis), same starts for both'


def farewell(directory: Path, made: Sequence[str], tale: Tale) -> str:
    """Say where everything is, and what to look at next."""
    shown = os.path.relpath(directory)
    megabytes = sum(tale.memory.values()) / 1e6
    return '\n'.join(
        [
            f'{tale.seconds:.0f} s altogether; the station took {megabytes:.0f} MB.',
            f'Everything is in {shown}: ledger.sqlite, trials/<id>/bag, {", ".join(made)}',
            f'  enpire trials list --run {shown}   every trial, and why it ended',
            '  enpire up                the same station in real time, for rqt and ros2',
            '  enpire run --trials 5    more trials on it, from another terminal',
        ]
    )


def draw_seeds(seed: int, count: int) -> list[int]:
    """Return the seeds of the starting poses, the same ones for every controller."""
    from enpire_nodes.rollout.trial.seeds import trial_seed

    return [trial_seed(seed, index) for index in range(count)]
