"""Compare the learning algorithms on simulated stations: ``make bench-learning``."""

from __future__ import annotations

import argparse
from pathlib import Path
import time

from enpire_nodes.benchmark.learning.report import write_report
from enpire_nodes.benchmark.learning.suite import Plan, Suite
from enpire_nodes.benchmark.learning.variants import VARIANTS
from enpire_nodes.cli.runs import console


def main() -> int:
    """Run the plan of the command line, and write its report."""
    parser = argparse.ArgumentParser(prog='make bench-learning', description=__doc__)
    stamp = time.strftime('%Y%m%d-%H%M%S')
    parser.add_argument('--output', type=Path, default=Path('runs') / f'bench-learning-{stamp}')
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2, 3], help='stations')
    parser.add_argument('--demonstrations', type=int, default=30)
    parser.add_argument('--trials', type=int, default=60, help='online, of each course')
    parser.add_argument('--tests', type=int, default=30, help='of each variant and station')
    parser.add_argument('--certify', type=float, default=60.0, metavar='MIN', help='0: leave out')
    parser.add_argument('--variants', nargs='+', default=[], help='only these')
    parser.add_argument('--workers', type=int, default=2, help='courses at a time')
    args = parser.parse_args()
    screen = console()
    began = time.monotonic()
    plan = Plan(
        args.output.absolute(), tuple(args.seeds), args.demonstrations, args.trials, args.tests,
        args.certify, args.workers,
    )  # fmt: skip
    variants = [one for one in VARIANTS if not args.variants or one.name in args.variants]

    def tell(line: str) -> None:
        screen.print(f'{(time.monotonic() - began) / 60.0:6.1f} min  {line}')

    results = Suite(plan, variants, tell).run()
    results['wall_minutes'] = (time.monotonic() - began) / 60.0
    write_report(screen, plan.directory, results)
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
