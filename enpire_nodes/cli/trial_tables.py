"""Trials as tables for people, at home in 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
import math

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.auditing.alarm import PERSON, SECOND, TRUTH
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.confirmation import Block
from enpire_nodes.rollout.judge_error import corrected_rate
from enpire_nodes.rollout.ledger import ChainReport
from enpire_nodes.rollout.recording.check import check_bag
from enpire_nodes.rollout.records import (
    AttemptRecord,
    TrialOutcome,
    TrialRecord,
    UNFROZEN,
    VerdictOutcome,
    VoteRecord,
)
from enpire_nodes.rollout.retries import retry_report
from enpire_nodes.rollout.run_directory import RunDirectory
from enpire_nodes.rollout.statistics import graded, Summary
from enpire_nodes.rollout.utilization import Utilization

_STYLES = {'SUCCESS': 'green', 'FAILURE': 'red', 'UNCERTAIN': 'yellow', 'UNSET': 'cyan'}
_DIGEST = 12  # hex digits that tell digests apart for people
_MARKS = {
    VerdictOutcome.SUCCESS: '[green]✔[/]',
    VerdictOutcome.FAILURE: '[red]✘[/]',
    VerdictOutcome.UNCERTAIN: '[yellow]?[/]',
    VerdictOutcome.UNSET: '[dim]–[/]',
}


def list_table(trials: Sequence[TrialRecord]) -> Table:
    """Return one line a trial."""
    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False)
    # the whole name, for it is what `enpire trials show` takes; it begins with the start's time
    table.add_column('trial', no_wrap=True)
    table.add_column('controller', no_wrap=True, overflow='ellipsis', max_width=16)
    table.add_column('outcome', no_wrap=True)
    table.add_column('attempts', no_wrap=True)
    table.add_column('reset s', justify='right', no_wrap=True)
    table.add_column('robot s', justify='right', no_wrap=True)
    table.add_column('why', no_wrap=True, overflow='ellipsis', ratio=1)
    for trial in trials:
        table.add_row(
            escape(trial.trial_id),
            escape(trial.controller),
            outcome_text(trial),
            ' '.join(_MARKS[attempt.verdict.outcome] for attempt in trial.attempts),
            f'{trial.reset_seconds:.1f}',
            f'{trial.robot_seconds:.1f}',
            code_text(trial.error_code),
        )
    return table


def retry_line(trials: Sequence[TrialRecord]) -> str:
    """Return what retries added beyond chance; empty when there were none to speak of."""
    allowed = {trial.max_attempts for trial in graded(trials) if trial.counted}
    if len(allowed) != 1 or allowed == {1}:
        return ''
    report = retry_report(trials)
    verdict = 'recovery in context' if report.recovers else 'no recovery in context shown'
    return (
        f'retries: pass@{report.k} {percent(report.pass_k)} against {percent(report.control)} of '
        f'independent tries ({percent(report.control_lower)} to {percent(report.control_upper)}); '
        f'{verdict}, p = {report.p_value:.2g}'
    )


def correction_line(summary: Summary, tallies: Mapping[str, Tally]) -> str:
    """Return pass@1 as the audits correct it; empty when they cannot."""
    for auditor in (TRUTH, PERSON, SECOND):
        tally = tallies.get(auditor)
        if tally is None or not (tally.successes and tally.failures):
            continue
        rate = corrected_rate(summary.first_attempt_successes, summary.counted, tally)
        if not math.isnan(rate.estimate):
            return (
                f'pass@1 corrected for the judge (by {auditor}, {tally.successes} successes and '
                f'{tally.failures} failures): {percent(rate.estimate)} '
                f'(≥ {percent(rate.lower)}, ≤ {percent(rate.upper)})'
            )
    return ''


def block_table(declared: Sequence[Block]) -> Table:
    """Return one line a confirmation block: what it shows, or why it shows nothing."""
    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False)
    for name in ('block', 'controller', 'commit', 'pass@1', 'pass@k', 'at least', 'confirms'):
        table.add_column(name, overflow='fold' if name == 'confirms' else 'ellipsis')
    for block in declared:
        request, summary = block.request, block.summary
        table.add_row(
            escape(request.request_id),
            escape(request.controller),
            escape(request.commit[:_DIGEST]),
            f'{summary.first_attempt_successes}/{request.trials}',
            f'{summary.successes}/{request.trials}',
            percent(summary.lower) if block.valid else '–',
            '[green]as declared[/]' if block.valid else escape('; '.join(block.problems)),
        )
    return table


def summary_lines(summary: Summary, used: Utilization) -> Iterator[str]:
    """Yield what the trials say together."""
    if not summary.counted:
        yield 'no trial counts yet'
        return
    first, whole = summary.first_attempt_successes, summary.successes
    yield (
        f'[bold]pass@1[/] {first}/{summary.counted} = {percent(summary.first_attempt_rate)} '
        f'(≥ {percent(summary.first_attempt_lower)})   '
        f'[bold]pass@k[/] {whole}/{summary.counted} = {percent(summary.rate)} '
        f'(≥ {percent(summary.lower)}; watched: ≥ {percent(summary.anytime)})'
    )
    line = f'streak {summary.streak}, longest {summary.longest_streak}'
    if summary.excluded:
        line += f'; {summary.excluded} left out for a proven infrastructure cause'
    if not math.isnan(used.robot_utilization):
        line += (
            f'; robot utilization {percent(used.robot_utilization)}, '
            f'executing {percent(used.execution_utilization)}'
        )
    yield line
    yield '[dim]bounds: one-sided, 95 %; the watched one holds at every look[/]'


def environment_text(digest: str) -> str:
    """Return what a trial's environment digest says."""
    if not digest:
        return ''
    if digest.startswith(UNFROZEN):
        return f'[yellow]unfrozen[/] {digest.removeprefix(UNFROZEN)[:_DIGEST]}'
    return f'frozen {digest[:_DIGEST]}'


def environment_line(trials: Sequence[TrialRecord]) -> str:
    """Return in which environments trials were run; several cannot be compared."""
    marks = dict.fromkeys(trial.environment_digest for trial in trials if trial.environment_digest)
    words = ', '.join(environment_text(mark) for mark in marks)
    if len(marks) > 1:
        return f'[bold red]{len(marks)} environments, not to be compared:[/] {words}'
    return f'environment: {words or "none"}'


def chain_line(report: ChainReport) -> str:
    """Return what the check of the ledger's chain found."""
    if report.whole:
        return (
            f'[dim]ledger: {report.entries} entries, chain whole, head {report.head[:_DIGEST]}[/]'
        )
    return (
        f'[bold red]ledger: entry {report.bad_sequence} is bad: {escape(report.problem)}; nothing '
        'from there on can be trusted[/]'
    )


def show_tables(trial: TrialRecord, run: RunDirectory) -> Iterator[RenderableType]:
    """Yield everything about a trial."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style='dim', no_wrap=True)
    facts.add_column(overflow='fold')
    for name, value in _facts(trial):
        if value:
            facts.add_row(name, value)
    yield facts
    if trial.attempts:
        yield _attempt_table(trial.attempts)
    yield _bag_part(trial, run)


def _facts(trial: TrialRecord) -> Iterator[tuple[str, str]]:
    yield 'trial', f'[bold]{escape(trial.trial_id)}[/]'
    yield 'outcome', f'{outcome_text(trial)} {code_text(trial.error_code)}'.rstrip()
    yield 'message', escape(trial.message)
    if trial.infrastructure:
        yield 'counted', 'no: a proven infrastructure cause'
    yield 'request', escape(f'{trial.request_id} by {trial.requester}' * bool(trial.request_id))
    yield 'task', escape(f'{trial.task} at {trial.station}')
    yield 'idea', escape(f'{trial.idea} {trial.commit}'.strip())
    yield 'controller', escape(f'{trial.controller} {trial.controller_digest[:_DIGEST]}')
    yield (
        'parameters',
        escape(', '.join(f'{k}={v}' for k, v in sorted(trial.controller_parameters.items()))),
    )
    yield 'seed', str(trial.seed)
    yield 'environment', environment_text(trial.environment_digest)
    yield (
        'times',
        f'reset {trial.reset_seconds:.1f} s, execute {trial.execute_seconds:.1f} s, '
        f'verify {trial.verify_seconds:.1f} s; wall {trial.wall_seconds:.1f} s',
    )
    recoveries = ', '.join(trial.reset_recoveries) or 'none'
    yield 'reset', f'{trial.reset_retries} retries ({escape(recoveries)})'
    yield 'ledger', trial.ledger_digest[:_DIGEST]


def _attempt_table(attempts: Sequence[AttemptRecord]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column('#', justify='right')
    table.add_column('execution', no_wrap=True)
    table.add_column('s', justify='right')
    table.add_column('steps', justify='right')
    table.add_column('late', justify='right')
    table.add_column('force N', justify='right')
    table.add_column('depth mm', justify='right')
    table.add_column('verdict', no_wrap=True)
    table.add_column('because', overflow='fold', ratio=1)
    for attempt in attempts:
        verdict = attempt.verdict
        table.add_row(
            str(attempt.index),
            attempt.execution.name,
            f'{attempt.duration:.1f}',
            str(attempt.steps),
            str(attempt.deadline_misses),
            f'{attempt.peak_force:.1f}',
            f'{attempt.depth * 1e3:.1f}',
            _styled(verdict.outcome.name),
            '\n'.join(_vote_line(vote) for vote in verdict.votes)
            or escape(verdict.message or attempt.message),
        )
    return table


def _vote_line(vote: VoteRecord) -> str:
    return f'{_MARKS[vote.verdict]} {escape(f"{vote.source}: {vote.reason}")}'


def _bag_part(trial: TrialRecord, run: RunDirectory) -> RenderableType:
    directory = run.path / trial.bag if trial.bag else None
    if directory is None or not directory.is_dir():
        return '[yellow]no bag[/]' if trial.closed else '[cyan]the bag is being written[/]'
    try:
        report = check_bag(directory)
    except StationError as error:
        return f'[red]bag: {escape(error.message)}[/]'
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify='left')
    same = not trial.bag_digest or trial.bag_digest == report.digest
    note = '' if same else '  [bold red]changed since it was recorded[/]'
    table.title = f'bag {escape(str(directory))}  {report.size / 1e6:.2f} MB{note}'
    table.add_column('topic', overflow='fold')
    table.add_column('type', no_wrap=True, overflow='ellipsis')
    table.add_column('messages', justify='right', no_wrap=True)
    for topic, count in sorted(report.counts.items()):
        table.add_row(escape(topic), escape(report.types[topic]), str(count))
    return table


def outcome_text(trial: TrialRecord) -> str:
    """Return a trial's outcome in colour; one that has none is open."""
    return _styled('OPEN' if trial.outcome is TrialOutcome.UNSET else trial.outcome.name)


def code_text(code: ErrorCode) -> str:
    """Return an error code's name; nothing when there is no error."""
    return '' if code in (ErrorCode.NONE, ErrorCode.UNSET) else f'[dim]{code.name}[/]'


def percent(share: float) -> str:
    """Return a share as a percentage; a dash before there is one."""
    return '–' if math.isnan(share) else f'{100.0 * share:.1f} %'


def _styled(name: str) -> str:
    return f'[{_STYLES.get(name, "magenta")}]{name}[/]'
