"""``enpire environment drill``: break the judge on purpose, and count trials until it is noticed.

The real judge, healthy and broken in several ways, judges simulated episodes that nothing was
fitted on. Campaigns are drawn from its verdicts, and audited by truth and by second verifier.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.table import Table

from enpire_nodes.bringup.configuration import StationConfiguration
from enpire_nodes.cli.environment_bench import BenchFiles, JudgeBench
from enpire_nodes.cli.environment_work import (
    add_held_out,
    add_station,
    add_task,
    add_weights,
    add_workers,
    count,
    for_station,
    HELD_OUT,
    make_folder,
    require_held_out_seed,
    work,
)
from enpire_nodes.cli.runs import console
from enpire_nodes.common.types import Frame
from enpire_nodes.common.writing import write_json
from enpire_nodes.environment.acceptance.broken import broken_judges
from enpire_nodes.environment.acceptance.judged import Case, require_both_classes
from enpire_nodes.environment.acceptance.measure import plan
from enpire_nodes.environment.evidence import Evidence, judge
from enpire_nodes.environment.setup import JudgeSetup
from enpire_nodes.rollout.auditing.alarm import AlarmRule, SECOND, TRUTH
from enpire_nodes.rollout.auditing.drill import Heard, trials_until_noticed
from enpire_nodes.rollout.records import VerdictOutcome
from enpire_nodes.tasks.second_opinion import second_opinion_of

HELP = 'break the judge on purpose, and count the trials until the audits notice'
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 90)  # of the pictures in a bag
_KIND = 'calls all a success'
_FIRST = HELD_OUT + 500_000


@dataclass(frozen=True, slots=True)
class DrillFiles:
    """Opens a :class:`DrillBench` in a worker."""

    files: BenchFiles

    def __call__(self) -> DrillBench:
        """Open it."""
        cv2.setNumThreads(1)
        return DrillBench(self.files)


class DrillBench(JudgeBench):
    """Judges an episode by every judge, broken or not."""

    def __init__(self, files: BenchFiles) -> None:
        super().__init__(files)
        self._judges = dict(broken_judges(self._setup))
        # it believes what the judge believes of the cameras, and shares nothing else with it
        self._opinions = {
            id(setup.cameras): second_opinion_of(self.task, setup.cameras)
            for setup in self._judges.values()
        }

    def heard(self, case: Case) -> dict[str, dict[str, Heard]]:
        """Return by judge and auditor what an episode was, and what they say of it."""
        evidence, _ = self.make(case)
        pictures = _as_in_a_bag(evidence)
        label = bool(evidence.label)
        truth = VerdictOutcome.SUCCESS if label else VerdictOutcome.FAILURE
        seconds = {
            cameras: VerdictOutcome(int(opinion.opine(pictures, evidence.states).outcome))
            for cameras, opinion in self._opinions.items()
            if opinion is not None
        }

        def told(verdict: VerdictOutcome, setup: JudgeSetup) -> dict[str, Heard]:
            says = {TRUTH: truth}
            if id(setup.cameras) in seconds:
                says[SECOND] = seconds[id(setup.cameras)]
            return {auditor: Heard(label, verdict, said) for auditor, said in says.items()}

        return {
            name: told(VerdictOutcome(int(judge(setup.verifier(), evidence).outcome)), setup)
            for name, setup in self._judges.items()
        } | {_KIND: told(VerdictOutcome.SUCCESS, self._setup)}


def hear(bench: DrillBench, case: Case) -> dict[str, dict[str, Heard]]:
    """Have one episode judged."""
    return bench.heard(case)


def add_parser(subparsers: Any) -> None:
    """Add the action to the ``enpire environment`` parser."""
    parser = subparsers.add_parser('drill', help=HELP, description=__doc__)
    add_task(parser)
    add_station(parser)
    add_held_out(parser, episodes=400, seed=_FIRST)
    parser.add_argument(
        '--campaigns', type=_positive, default=500, metavar='N',
        help='drawn for each judge and auditor (default: 500)',
    )  # fmt: skip
    parser.add_argument(
        '--most',
        type=_positive,
        default=300,
        metavar='N',
        help='trials of a campaign (default: 300)',
    )
    add_weights(parser)
    add_workers(parser)
    parser.add_argument(
        '--output', type=Path, metavar='FILE', help='default: environment/TASK/drill.json'
    )
    parser.set_defaults(run=for_station('drill', run))


def _positive(text: str) -> int:
    if not (number := count(text)):
        raise argparse.ArgumentTypeError('there must be at least 1')
    return number


def run(args: argparse.Namespace, configuration: StationConfiguration) -> int:
    """Drill; return 0."""
    require_held_out_seed(args.seed)
    output = args.output or Path('environment') / args.task / 'drill.json'
    make_folder(output.parent)
    files = DrillFiles(BenchFiles.of(configuration, args.weights))
    bench = files()
    kinds = bench.kinds
    bench.close()
    cases = plan(kinds, args.episodes, first_seed=args.seed)
    require_both_classes([kinds[case.kind] for case in cases])
    episodes = work(files, hear, cases, workers=args.workers, words='judging')
    report = {
        'task': args.task,
        'episodes': len(cases),
        'first_seed': args.seed,
        'campaigns': args.campaigns,
        'most': args.most,
        'judges': {name: _judge(args, name, episodes) for name in episodes[0]},
    }
    write_json(output, report)
    console().print(table(report))
    console().print(
        'A frozen station that finds a threshold or the weights changed runs no further trial.\n'
        f'written: {output}',
        markup=False,
    )
    return 0


def table(report: Mapping[str, Any]) -> Table:
    """Return what happened to each judge, for people."""
    shown = Table(
        'judge', 'false successes', 'successes missed', *_columns(report),
        title=f'trials until a campaign is paused: median, and 95 % of {report["campaigns"]}',
    )  # fmt: skip
    for name, said in report['judges'].items():
        cells = [_trials(said['noticed'][auditor], report['most']) for auditor in _columns(report)]
        shown.add_row(name, said['false successes'], said['misses'], *cells)
    return shown


def _columns(report: Mapping[str, Any]) -> list[str]:
    return list(next(iter(report['judges'].values()))['noticed'])


def _trials(noticed: Mapping[str, int | None], most: int) -> str:
    words = [f'> {most}' if noticed[key] is None else str(noticed[key]) for key in noticed]
    return 'never' if set(noticed.values()) == {None} else ', '.join(words)


def _judge(args: argparse.Namespace, name: str, episodes: Sequence[Any]) -> dict[str, Any]:
    true = [episode[name][TRUTH] for episode in episodes]
    wrong = [one for one in true if one.verdict is not one.auditor]
    noticed = {}
    for auditor in episodes[0][name]:
        trials = trials_until_noticed(
            [episode[name][auditor] for episode in episodes],
            auditor,
            rule=AlarmRule(),
            campaigns=args.campaigns,
            most=args.most,
            rng=np.random.default_rng(args.seed),
        )
        noticed[auditor] = {
            'median': trials[(len(trials) - 1) // 2],
            '95 %': trials[-(-19 * len(trials) // 20) - 1],
        }
    failures = sum(not one.label for one in true)
    false = sum(not one.label and one.verdict is VerdictOutcome.SUCCESS for one in wrong)
    return {
        'false successes': f'{false} of {failures}',
        'misses': f'{sum(one.label for one in wrong)} of {len(true) - failures}',
        'noticed': noticed,
    }


def _as_in_a_bag(evidence: Evidence) -> dict[str, list[Frame]]:
    """Return the pictures as the second verifier gets them: compressed, and opened again."""
    return {
        name: [
            Frame(
                frame.stamp,
                cv2.imdecode(cv2.imencode('.jpg', frame.image, _JPEG)[1], cv2.IMREAD_COLOR),
            )
            for frame in frames
        ]
        for name, frames in evidence.frames.items()
    }
