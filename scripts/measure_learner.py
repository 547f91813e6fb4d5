"""Measure our learner beside stable-baselines3 and sbx: ``python scripts/measure_learner.py``.

They are installed at the first run, below ``build/``, from the Python package index.
"""

import argparse
import hashlib
import os
from pathlib import Path
import subprocess
import sys
import venv

from rich.console import Console
from rich.table import Table

from enpire_nodes.benchmark.learner import compare
from enpire_nodes.common.writing import write_json

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / 'requirements' / 'bench-learning.txt'


def libraries(folder: Path) -> str:
    """Make the libraries' environment unless it is there, and return its interpreter."""
    python, mark = folder / 'bin' / 'python', folder / 'installed'
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (mark.is_file() and mark.read_text() == digest):
        print(f'installing stable-baselines3 and sbx in {folder}', file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), '-m', 'pip', 'install', '--quiet', '-r', str(REQUIREMENTS)]
        subprocess.run(install, check=True, timeout=1800)
        mark.write_text(digest)
    return str(python)


def main() -> None:
    """Measure, print a table and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=float, default=10.0, help='of a turn')
    parser.add_argument('--widths', type=int, nargs='+', default=[256, 128])
    parser.add_argument(
        '--threads', type=int, nargs='+', default=sorted({1, len(os.sched_getaffinity(0))})
    )
    parser.add_argument('--out', type=Path, default=ROOT / 'build' / 'learner.json')
    arguments = parser.parse_args()
    theirs = libraries(ROOT / 'build' / 'bench-learning')
    learners = {
        'enpire': sys.executable,
        'enpire_bfloat16': sys.executable,
        'sb3': theirs,
        'sbx': theirs,
    }
    processors = sorted(os.sched_getaffinity(0))
    table = Table(title='updates of soft actor-critic per second, batches of 256')
    for heading in ('width', 'threads', 'learner', 'median', 'turns', '× sb3', '× sbx', 'start s'):
        table.add_column(heading, justify='left' if heading == 'learner' else 'right')
    results = []
    for threads in arguments.threads:
        for width in arguments.widths:
            result = compare(
                learners,
                width,
                processors[-threads:],
                rounds=arguments.rounds,
                seconds=arguments.seconds,
            )
            results.append(result)
            rates = {name: one['median'] for name, one in result['learners'].items()}
            for name, one in result['learners'].items():
                table.add_row(
                    str(width),
                    str(threads),
                    name,
                    f'{one["median"]:.0f}',
                    ' '.join(f'{rate:.0f}' for rate in one['rates']),
                    f'{one["median"] / rates["sb3"]:.2f}',
                    f'{one["median"] / rates["sbx"]:.2f}',
                    f'{one["startup"]:.0f}',
                )
            table.add_section()
    Console().print(table)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(arguments.out, results)


if __name__ == '__main__':
    main()
