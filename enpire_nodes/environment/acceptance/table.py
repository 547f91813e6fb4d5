"""An acceptance report for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from enpire_nodes.environment.acceptance.rates import FUSED, Rates

_SECONDS = ('latency p50', 'latency p99')
_COUNTS = ('episodes', 'kinds', 'unchanged files')


def tables(report: Mapping[str, Any]) -> RenderableType:
    """Return everything that a person needs to accept or refuse."""
    return Group(
        _criteria(report),
        '',
        _sources(report),
        '',
        _kinds(report),
        '',
        _about(report),
        _verdict(report),
    )


def _criteria(report: Mapping[str, Any]) -> Table:
    table = Table(title=f'acceptance of {report["task"]}', title_justify='left')
    for name in ('criterion', 'measured', 'decides', 'required', '', 'what'):
        table.add_column(name, justify='right' if name in ('measured', 'decides') else 'left')
    for one in report['criteria']:
        sign = '<=' if one['at_most'] else '>='
        table.add_row(
            one['name'],
            _figure(one['name'], one['measured']),
            _figure(one['name'], one['value']),
            f'{sign} {_figure(one["name"], one["limit"])}',
            Text('met', 'green') if one['passed'] else Text('FAILS', 'bold red'),
            one['message'],
        )
    return table


def _sources(report: Mapping[str, Any]) -> Table:
    """Each source of evidence by itself, and the verdict that they make together."""
    table = Table(
        title='each source by itself, and the verdict (95 % bounds)', title_justify='left'
    )
    for name in ('source', 'false positives', 'bound <=', 'recall', 'bound >=', 'uncertain'):
        table.add_column(name, justify='left' if name == 'source' else 'right')
    for name, entry in report['sources'].items():
        found = Rates.from_json(entry)
        table.add_row(
            name,
            f'{found.of_failures[0]}/{found.failures} {_percent(found.false_positive_rate)}',
            _percent(found.false_positive_bound),
            f'{found.of_successes[0]}/{found.successes} {_percent(found.recall)}',
            _percent(found.recall_bound),
            f'{found.uncertain} {_percent(found.uncertain_rate)}',
            style='bold' if name == FUSED else None,
        )
    return table


def _kinds(report: Mapping[str, Any]) -> Table:
    """How many of each kind were called a success, by each source."""
    names = list(report['sources'])
    table = Table(title='called a success, by kind', title_justify='left')
    table.add_column('kind', no_wrap=True)
    for name in ('episodes', *names, 'uncertain', 'redrawn'):
        table.add_column(name.replace('/', '/\n').replace(' ', '\n'), justify='right')
    for kind in report['redraws']:
        found = {name: Rates.from_json(report['sources'][name]['kinds'][kind]) for name in names}
        fused = found[FUSED]
        success = fused.successes > 0
        cells = []
        for name in names:
            called = found[name].of_successes[0] + found[name].of_failures[0]
            bad = called < fused.successes if success else called > 0
            cells.append(Text(str(called), 'red' if bad and name == FUSED else ''))
        table.add_row(
            kind,
            str(fused.successes + fused.failures),
            *cells,
            str(fused.uncertain),
            str(report['redraws'][kind]),
            style='green' if success else None,
        )
    return table


def _about(report: Mapping[str, Any]) -> RenderableType:
    latency, resets, simulated = report['latency'], report['resets'], report['simulated']
    lines = [
        f'{simulated["episodes"]} simulated episodes, seeds {simulated["first_seed"]} to '
        f'{simulated["last_seed"]}; {len(report["recorded"])} recorded ones',
        f'latency p50 {1e3 * latency["p50"]:.1f} ms, p99 {1e3 * latency["p99"]:.1f} ms, '
        f'worst {1e3 * latency["worst"]:.1f} ms' + _busy(report),
    ]
    if resets['successes']:
        lines.append(
            f'resets {resets["successes"]}/{resets["resets"]} '
            f'(bound {_percent(resets["bound"])}), {resets["seconds_p50"]:.1f} s at the median, '
            f'{resets["seconds_p95"]:.1f} s at 95 %: '
            + ', '.join(
                f'{name} {entry["successes"]}/{entry["resets"]}'
                for name, entry in resets['placements'].items()
            )
        )
    lines.append(f'judge {report["digest"]}')
    return Text('\n'.join(lines))


def _busy(report: Mapping[str, Any]) -> str:
    """Say so when other programs had the machine while a latency was measured."""
    load, cores = report.get('load_average', [0.0])[0], report.get('cores', 1)
    if load <= cores + 1.0:
        return ''
    return f'; the machine was busy (load {load:.1f} on {cores} cores): measure on a calm one'


def _verdict(report: Mapping[str, Any]) -> Text:
    failed = [one['name'] for one in report['criteria'] if not one['passed']]
    if not failed:
        return Text('accepted: the environment may be frozen', 'bold green')
    return Text(f'NOT accepted: {", ".join(failed)}', 'bold red')


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return 'none'
    if name in _COUNTS:
        return f'{value:.0f}'
    if name in _SECONDS:
        return f'{1e3 * value:.1f} ms'
    if name == 'reset time':
        return f'{value:.1f} s'
    return _percent(value)


def _percent(share: float) -> str:
    """Return per cent with as many digits as matter near 0 and near 100."""
    if share != share:  # NaN: there were none
        return '-'
    return f'{100.0 * share:.2f} %'
