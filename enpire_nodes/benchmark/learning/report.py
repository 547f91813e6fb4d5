"""The results of the benchmark as tables, a plot and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from enpire_nodes.benchmark.learning.variants import CLAIMS
from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.common.writing import write_json
from enpire_nodes.improvement.learning_curve import draw_learning_curve, Point
from enpire_nodes.rollout.statistics import barnard


def write_report(screen: Console, directory: Path, results: Mapping[str, Any]) -> None:
    """Print the tables and write ``learning.json``, ``learning.txt`` and ``learning.png``."""
    write_json(directory / 'learning.json', results)
    tables = [test_table(results), claim_table(results['tests']), certified_table(results)]
    for table in tables:
        screen.print(table)
    with (directory / 'learning.txt').open('w', encoding='utf-8') as file:
        paper = Console(file=file, width=100)
        for table in tables:
            paper.print(table)
    series: dict[str, list[Point]] = {}
    for course in results['courses']:
        if course['trials'] and course['variant'] != 'certified':
            points = [Point(minutes, success) for minutes, success in course['trials']]
            series.setdefault(course['variant'], []).extend(points)
    seeds = len(results['plan']['seeds'])
    draw_learning_curve(
        directory / 'learning.png', series, size=10 * seeds,
        title=f'exploring trials on {seeds} stations, with one-sided 95 % bounds',
    )  # fmt: skip
    screen.print(f'learning.json, learning.txt and learning.png are in {directory}')


def counts(tests: Sequence[Mapping[str, Any]], variant: str) -> tuple[int, int]:
    """Return successes and trials of a variant."""
    own = [test['success'] for test in tests if test['variant'] == variant]
    return sum(own), len(own)


def test_table(results: Mapping[str, Any]) -> Table:
    """Return the re-tests: pass@1 of every variant, with bounds."""
    table = Table(title='re-tests, interleaved, on the same poses', title_justify='left')
    for name in (
        'variant',
        'pass@1',
        'lower',
        'upper',
        'by station',
        'attempt',
        'rescues',
        'robot',
    ):
        table.add_column(name, justify='left' if name == 'variant' else 'right')
    tests = results['tests']
    for variant in dict.fromkeys(test['variant'] for test in tests):
        wins, trials = counts(tests, variant)
        courses = [course for course in results['courses'] if course['variant'] == variant]
        seconds = [test['seconds'] for test in tests if test['variant'] == variant]
        stations = [
            counts([test for test in tests if test['seed'] == seed], variant)[0]
            for seed in results['plan']['seeds']
        ]
        table.add_row(
            variant,
            f'{wins}/{trials}',
            f'{100 * lower_bound(wins, trials):.1f} %',
            f'{100 * upper_bound(wins, trials):.1f} %',
            ' '.join(map(str, stations)),
            f'{sum(seconds) / len(seconds):.1f} s',
            str(sum(course['rescues'] for course in courses)),
            f'{sum(course["minutes"] for course in courses) / len(courses):.0f} min',
        )
    table.caption = (
        'one-sided 95 % Clopper-Pearson; robot: demonstrations and training, mean of a station'
    )
    return table


def claim_table(tests: Sequence[Mapping[str, Any]]) -> Table:
    """Return what becomes of the rankings that the paper reports."""
    table = Table(title='rankings of the paper', title_justify='left')
    for name in ('claim', 'better', 'worse', 'p', 'here'):
        table.add_column(name, justify='left' if name in ('claim', 'here') else 'right')
    for claim in CLAIMS:
        better, worse = counts(tests, claim.better), counts(tests, claim.worse)
        if not better[1] or not worse[1]:
            continue
        chance = barnard(better, worse, alternative='greater')
        against = barnard(worse, better, alternative='greater')
        word = 'holds' if chance < 0.05 else 'the opposite' if against < 0.05 else 'not shown'
        table.add_row(
            f'{claim.text} ({claim.better} > {claim.worse})',
            '{}/{}'.format(*better),
            '{}/{}'.format(*worse),
            f'{chance:.3f}',
            word,
        )
    table.caption = "p: Barnard's exact test, one-sided, each claim by itself"
    return table


def certified_table(results: Mapping[str, Any]) -> Table:
    """Return how long it took from nothing to a certified policy."""
    limit = results['plan']['certify']
    table = Table(title=f'from nothing to 50 of 50, within {limit:.0f} min', title_justify='left')
    for name in ('station', 'robot time', 'own trials', 'blocks', 'pass@8', 'pass@1', 'rescues'):
        table.add_column(name, justify='right')
    for course in results['courses']:
        if course['variant'] != 'certified':
            continue
        wins, firsts, minutes = course['blocks'][-1] if course['blocks'] else (0, 0, 0.0)
        done = wins == 50 and minutes <= limit
        table.add_row(
            str(course['seed']),
            f'{minutes:.1f} min' if done else f'not in {course["minutes"]:.0f} min',
            str(len(course['trials'])),
            str(len(course['blocks'])),
            f'{wins}/50',
            f'{firsts}/50',
            str(course['rescues']),
        )
    judges = sorted({digest for course in results['courses'] for digest in course['judges']})
    table.caption = (
        'robot time: demonstrations, exploring trials, every block, and rescues; judged by '
        + ', '.join(digest[:12] for digest in judges)
    )
    return table
