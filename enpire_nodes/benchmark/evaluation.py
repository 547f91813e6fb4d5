"""From what was measured to the figures of the bench and their goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from enpire_nodes.benchmark import observed
from enpire_nodes.benchmark.figures import Figure, missing
from enpire_nodes.benchmark.losses import TopicLoss
from enpire_nodes.benchmark.overhead import compare
from enpire_nodes.benchmark.session import default_composition, other_composition, Results
from enpire_nodes.benchmark.spread import Spread
from enpire_nodes.benchmark.suite import SuiteRun
from enpire_nodes.benchmark.timing import outcomes, TrialTiming
from enpire_nodes.common.errors import StationError
from enpire_nodes.rollout.records import TrialOutcome

OVERHEAD_GOAL, JITTER_GOAL, VERDICT_GOAL = 5.0, 5.0, 50.0  # percent, ms, ms
MEMORY_GOAL, LOSS_GOAL = 1.2, 0.0  # GB, messages


@dataclass(slots=True)
class Evaluation:
    """The figures, and the samples and tables behind them.

    :param trials: timings by kind of run.
    :param jitter: s, of every control period at real time.
    :param verdicts: s, of every verdict at real time.
    :param losses: of every recorded topic, by kind of run.
    :param shares: of one core, by composition and process.
    :param memory: bytes, by composition and process.
    :param notes: about trials that came to nothing.
    """

    figures: list[Figure] = field(default_factory=list)
    trials: dict[str, list[TrialTiming]] = field(default_factory=dict)
    jitter: list[float] = field(default_factory=list)
    verdicts: list[float] = field(default_factory=list)
    losses: dict[str, list[TopicLoss]] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    memory: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def evaluate(results: Results) -> Evaluation:
    """Return everything that the results show."""
    found = Evaluation()
    found.trials = {
        'bare, real time': results.bare_paced,
        'suite, real time': observed.timings(results.realtime) if results.realtime else [],
        'bare, unpaced': results.bare_free,
        'suite, lockstep': observed.timings(results.lockstep) if results.lockstep else [],
    }
    if results.realtime is not None:
        found.jitter = observed.period_deviations(results.realtime)
        found.verdicts = observed.verdict_latencies(results.realtime)
    for name, run in _compositions(results):
        found.shares[name], found.memory[name] = dict(run.shares), dict(run.memory)
    runs = {'suite, real time': results.realtime, 'suite, lockstep': results.lockstep}
    found.notes = [note for name, run in runs.items() if run for note in _fruitless(name, run)]
    found.figures = [
        *_overheads(found, results),
        _spread_figure(
            'jitter_p99', 'control period of the executor, p99 off 1/30 s', found.jitter,
            JITTER_GOAL, lambda: _executor_says(results.realtime), _why(results, 'real time'),
        ),
        _spread_figure(
            'verdict_p99', 'verdict after its last picture, p99', found.verdicts,
            VERDICT_GOAL, lambda: _judge_says(results.realtime), _why(results, 'real time'),
        ),
        _speed('speed_bare', 'simulated time per wall time, bare', results.bare_free,
               'one process, physics and two cameras', _why(results, 'bare')),
        _speed('speed_lockstep', 'simulated time per wall time, lockstep',
               found.trials['suite, lockstep'], 'all nodes, over ROS, recorded',
               _why(results, 'lockstep')),
        _memory(results),
        *_lost(found, results),
        *_cpu(found, results),
    ]  # fmt: skip
    return found


def _overheads(found: Evaluation, results: Results) -> Iterable[Figure]:
    for key, name, one, other, goal in (
        ('overhead_realtime', 'trial at real time: suite over bare',
         'bare, real time', 'suite, real time', OVERHEAD_GOAL),
        ('overhead_lockstep', 'trial as fast as it goes: lockstep over bare',
         'bare, unpaced', 'suite, lockstep', None),
    ):  # fmt: skip
        overhead = compare(found.trials[one], found.trials[other])
        if overhead is None:
            why = _unlike(found.trials[one], found.trials[other]) or _why(
                results, 'real time' if goal else 'lockstep', 'bare'
            )
            yield missing(key, name, why, unit='%', goal=goal)
            continue
        left_out = f', {overhead.unlike} left out: unlike' if overhead.unlike else ''
        interval = ''
        if overhead.pairs > 1:
            interval = f'95 %: {overhead.low:+.1f} to {overhead.high:+.1f} %; '
        yield Figure(
            key,
            name,
            overhead.percent,
            '%',
            goal,
            f'{overhead.suite:.2f} s against {overhead.bare:.2f} s; {interval}'
            f'pairs of trials: {overhead.pairs}{left_out}',
            data={'bare_s': overhead.bare, 'suite_s': overhead.suite, 'pairs': overhead.pairs,
                  'low': overhead.low, 'high': overhead.high, 'unlike': overhead.unlike},
        )  # fmt: skip


def _unlike(bare: Sequence[TrialTiming], suite: Sequence[TrialTiming]) -> str:
    """Say how trials went that cannot be compared."""
    if not bare or not suite:
        return ''
    return f'no two trials went the same way: bare {outcomes(bare)}; suite {outcomes(suite)}'


def _spread_figure(
    key: str,
    name: str,
    seconds: Sequence[float],
    goal: float,
    says: Callable[[], str],
    why: str,
) -> Figure:
    spread = Spread.of(1e3 * value for value in seconds)
    if spread is None:
        return missing(key, name, why or 'nothing of it was seen', unit='ms', goal=goal)
    detail = f'p50 {spread.p50:.2f} ms, largest {spread.largest:.1f} ms, n = {spread.n}'
    return Figure(
        key, name, spread.p99, 'ms', goal, '; '.join(filter(None, (detail, says()))),
        data={'p50': spread.p50, 'p99': spread.p99, 'max': spread.largest, 'n': spread.n},
    )  # fmt: skip


def _executor_says(run: SuiteRun) -> str:
    values = observed.diagnostics(run, 'policy_executor')
    own = values.get('period jitter p99 [ms]')
    return f'by its own clock: p99 {own} ms' if own else ''


def _judge_says(run: SuiteRun) -> str:
    values = observed.diagnostics(run, 'reward_classifier')
    own = values.get('latency_p99_ms')
    return f'within the node: p99 {own} ms' if own else ''


def _speed(key: str, name: str, trials: Sequence[TrialTiming], how: str, why: str) -> Figure:
    wall = sum(trial.wall for trial in trials)
    if wall <= 0.0:
        return missing(key, name, why or 'no trial was closed', unit='x')
    simulated = sum(trial.simulated for trial in trials)
    return Figure(
        key, name, simulated / wall, 'x', detail=f'{simulated:.0f} s in {wall:.0f} s; {how}'
    )


def _memory(results: Results) -> Figure:
    key, name = 'memory', 'memory of the station'
    run = results.realtime
    if run is None or not run.memory:
        return missing(key, name, _why(results, 'real time'), unit='GB', goal=MEMORY_GOAL)
    most = max(run.memory, key=run.memory.get)
    detail = f'{len(run.memory)} processes (PSS), most {most} {run.memory[most] / 1e6:.0f} MB'
    if results.bare_memory:
        detail += f'; the bare process {results.bare_memory / 1e6:.0f} MB'
    return Figure(key, name, run.total_memory / 1e9, 'GB', MEMORY_GOAL, detail)


def _lost(found: Evaluation, results: Results) -> Iterable[Figure]:
    for key, pace, run, how in (
        ('lost_realtime', 'real time', results.realtime, 'against an independent witness'),
        ('lost_lockstep', 'lockstep', results.lockstep, 'against the stamps of every period'),
    ):
        name = f'messages lost in the bags, {pace}'
        try:
            counted = observed.missing_messages(run) if run is not None else []
        except StationError as error:
            yield missing(key, name, error.message, goal=LOSS_GOAL)
            continue
        expected = sum(entry.expected for entry in counted)
        if not expected:
            yield missing(key, name, _why(results, pace), goal=LOSS_GOAL)
            continue
        found.losses[pace] = counted
        lost = sum(entry.lost for entry in counted)
        worst = [f'{entry.topic} {entry.lost}' for entry in counted if entry.lost]
        detail = f'of {expected} on {len(counted)} topics, {how}'
        unseen = observed.overlooked(run) if run.configuration.pace == 'realtime' else 0
        if unseen:
            detail += f' (which itself missed {unseen})'
        detail += f': {", ".join(worst[:4])}' if worst else ''
        yield Figure(key, name, float(lost), '', LOSS_GOAL, detail)


def _cpu(found: Evaluation, results: Results) -> Iterable[Figure]:
    for composition in (default_composition(), other_composition()):
        key, name = f'cpu_{composition}', f'processor at real time, nodes {composition}'
        shares = found.shares.get(composition)
        if not shares:
            yield missing(key, name, _why(results, 'real time', 'composition'), unit='cores')
            continue
        memory = sum(found.memory[composition].values())
        detail = f'{len(shares)} processes, {memory / 1e6:.0f} MB'
        yield Figure(key, name, sum(shares.values()), 'cores', detail=detail, data=shares)


def _fruitless(name: str, run: SuiteRun) -> Iterable[str]:
    """Tell of trials without a verdict, one line for each way in which they ended."""
    ends = Counter(
        (trial.outcome.name, trial.error_code.name, trial.message)
        for trial in run.trials
        if trial.outcome not in (TrialOutcome.SUCCESS, TrialOutcome.FAILURE)
    )
    for (outcome, code, message), count in ends.most_common():
        yield f'{name}: {count} of {len(run.trials)} trials {outcome} ({code}): {message}'


def _compositions(results: Results) -> list[tuple[str, SuiteRun]]:
    runs = ((default_composition(), results.realtime), (other_composition(), results.other))
    return [(name, run) for name, run in runs if run is not None]


def _why(results: Results, *words: str) -> str:
    """Return the problems that have to do with any of ``words``."""
    fitting = [
        f'{what}: {why}'
        for what, why in results.problems.items()
        if any(word in what.replace('realtime', 'real time') for word in words)
    ]
    return '; '.join(fitting) or '; '.join(results.problems.values()) or 'no trial was closed'
