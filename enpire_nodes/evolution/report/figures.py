"""Every number of a report, as JSON types, from what was logged and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
import dataclasses
import math
from typing import Any

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.evolution import journal
from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.milestones import (
    block_end,
    certifying_block,
    Cost,
    cost_until,
    people,
    to_target,
)
from enpire_nodes.evolution.accounting.progress import curve
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.accounting.station_time import within
from enpire_nodes.evolution.report.reproduce import commands
from enpire_nodes.evolution.tree.model import Idea, IdeaState, IdeaTree
from enpire_nodes.evolution.tree.picture import tree_data
from enpire_nodes.rollout.auditing.tally import Tally
from enpire_nodes.rollout.confirmation import Block
from enpire_nodes.rollout.judge_error import corrected_rate
from enpire_nodes.rollout.record_json import to_json
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.statistics import summarize, Summary
from enpire_nodes.rollout.trial.reset_tally import ResetTally

_EACH = 0.975  # confidence of each end of a two-sided 95 % interval


def figures(log: RunLog, tree: IdeaTree) -> dict[str, Any]:
    """Return the numbers; the same records give the same numbers."""
    campaign, headline = log.campaign, _headline(log, tree)
    return _finite(
        {
            'campaign': {
                **to_json(campaign),
                'hub': '',
                'start_ns': log.start_ns,
                'end_ns': log.end_ns,
                'outcome': log.finished.get('outcome', 'unfinished'),
                'message': log.finished.get('message', ''),
            },
            'headline': headline,
            'cost': _cost(cost_until(log, log.end_ns)),
            'cost_to_target': _cost(to_target(log)),
            'utilization': _utilization(log),
            'tokens': _tokens(log),
            'people_seconds': dict(people(log)),
            'progress': [{**to_json(p), 'rate': p.rate} for p in curve(log)],
            'confirmations': [_block(log, block) for block in _own_blocks(log)],
            'judge': _judge(log),
            'resets': _resets(log.trials),
            'failures': _failures(log),
            'budgets': _budgets(log),
            'trials': _trials(log),
            'states': Counter(i.state.name for i in tree.ideas.values() if i.commit != tree.root),
            'reproduce': commands(log, headline['commit']),
            'tree': tree_data(tree),
        }
    )


def rates(summary: Summary, tallies: Iterable[tuple[str, Tally]] = ()) -> dict[str, Any]:
    """Return a success rate as judged, and corrected by what each auditor found of the judge."""
    found: dict[str, Any] = {
        **to_json(summary),
        'rate': summary.rate,
        'first_attempt_rate': summary.first_attempt_rate,
        'interval': [
            lower_bound(summary.successes, summary.counted, confidence=_EACH),
            upper_bound(summary.successes, summary.counted, confidence=_EACH),
        ],
    }
    found['corrected'] = {
        name: to_json(corrected_rate(summary.successes, summary.counted, tally))
        for name, tally in tallies
        if tally.failures
    }
    return found


def _headline(log: RunLog, tree: IdeaTree) -> dict[str, Any]:
    block, root = certifying_block(log), tree.ideas.get(tree.root)
    shown = block or next(reversed([b for b in _own_blocks(log) if b.valid]), None)
    best = tree.best
    return {
        'certified': block is not None,
        'target': log.campaign.target,
        'from': _idea_rate(root),
        'to': rates(shown.summary, _tallies(log)) if shown else _idea_rate(best),
        'to_is_block': shown is not None,
        'commit': shown.request.commit if shown else best.commit if best else '',
        'ideas': len(tree.ideas) - (tree.root in tree.ideas),
        'dead': sum(idea.state is IdeaState.DEAD for idea in tree.ideas.values()),
    }


def _idea_rate(idea: Idea | None) -> dict[str, Any] | None:
    if idea is None or not idea.trials:
        return None
    return {
        'successes': idea.successes,
        'counted': idea.trials,
        'rate': idea.rate,
        'first_attempt_rate': idea.first_attempt_rate,
        'lower': lower_bound(idea.successes, idea.trials),
        'interval': [idea.lower, idea.upper],
        'corrected': {},
    }


def _cost(cost: Cost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    return {**to_json(cost), 'tokens_total': cost.tokens.total}


def _utilization(log: RunLog) -> dict[str, Any]:
    used = within(log.intervals, log.start_ns, log.end_ns)
    samples = [entry.data for entry in log.of_kind(journal.GPU)]
    known = [(s['seconds'], s['share']) for s in samples if s['share'] is not None]
    spanned = math.fsum(seconds for seconds, _ in known)
    return {
        'wall_seconds': used.wall_seconds,
        'seconds': {activity.name: value for activity, value in used.seconds.items()},
        'robot': used.robot_utilization,
        'executing': used.execution_utilization,
        'requested': {name: used.requested_utilization(name) for name in used.requested},
        'gpu': math.fsum(s * share for s, share in known) / spanned if spanned else math.nan,
        'model': _overlapped(log) / used.wall_seconds if used.wall_seconds else math.nan,
    }


def _overlapped(log: RunLog) -> float:
    """Return s in which at least one call of the model was under way."""
    total = reached = 0
    for call in sorted(log.calls, key=lambda call: call.start_ns):
        start, end = max(call.start_ns, reached, log.start_ns), min(call.end_ns, log.end_ns)
        total += max(0, end - start)
        reached = max(reached, end)
    return total / 1e9


def _tokens(log: RunLog) -> dict[str, Any]:
    spent, minutes = tokens.total(log.calls), (log.end_ns - log.start_ns) / 60e9
    refused = sum(call.status == 402 for call in log.calls)
    return {
        **to_json(spent),
        'total': spent.total,
        'calls': len(log.calls),
        'failed': sum(not 200 <= call.status < 300 for call in log.calls),
        'refused': refused,
        'per_minute': {
            name: getattr(spent, name) / minutes if minutes else math.nan
            for name in (*tokens.CLASSES, 'total')
        },
    }


def _own_blocks(log: RunLog) -> list[Block]:
    return [block for block in log.confirmations if block_end(log, block)]


def _block(log: RunLog, block: Block) -> dict[str, Any]:
    return {
        'request_id': block.request.request_id,
        'commit': block.request.commit,
        'declared': block.request.trials,
        'valid': block.valid,
        'problems': list(block.problems),
        'certifies': block.valid and block.summary.lower >= log.campaign.target,
        'seconds': (block_end(log, block) - log.start_ns) / 1e9,
        **rates(block.summary, _tallies(log)),
    }


def _tallies(log: RunLog) -> list[tuple[str, Tally]]:
    return sorted(log.audits.whole.tallies.items())


def _judge(log: RunLog) -> dict[str, Any]:
    audits = log.audits
    return {
        'alarm': audits.alarm,
        'sampled': len(audits.sampled),
        'canaries': audits.canaries,
        'canaries_failed': audits.canaries_failed,
        'auditors': {
            name: {
                **dataclasses.asdict(tally),
                'precision': tally.precision,
                'precision_lower': tally.precision_lower,
                'recall': tally.recall,
                'recall_lower': tally.recall_lower,
                'false_positive_rate': tally.false_positive_rate,
                'false_positive_upper': tally.false_positive_upper,
            }
            for name, tally in _tallies(log)
        },
    }


def _resets(trials: Iterable[TrialRecord]) -> dict[str, Any]:
    tally = ResetTally(trials)
    return {
        'attempts': tally.attempts,
        'successes': tally.successes,
        'rate': tally.rate,
        'lower': tally.lower,
        'retries': tally.retries,
        'mean_seconds': tally.mean_seconds,
        'max_seconds': tally.max_seconds,
        'causes': dict(tally.causes),
    }


def _failures(log: RunLog) -> dict[str, int]:
    """Return how often graded trials did not succeed, by what the ledger names as the cause."""
    causes: Counter[str] = Counter()
    for _, trial in log.graded:
        if trial.success:
            continue
        name = trial.outcome.name.lower()
        if trial.error_code.value > 1:
            name += f' ({trial.error_code.name.lower()})'
        causes[name + ', left out: infrastructure' * trial.infrastructure] += 1
    return dict(causes.most_common())


def _budgets(log: RunLog) -> list[dict[str, Any]]:
    limits, cost = log.campaign.budgets, cost_until(log, log.end_ns)
    used = {
        'tokens': (cost.tokens.total, limits.tokens, 'tokens'),
        'money': (cost.price, limits.money, log.campaign.currency),
        'wall_clock': (cost.seconds, limits.wall_clock, 's'),
        'robot_time': (cost.robot_seconds, limits.robot_time, 's'),
        'trials': (len(log.trials), limits.trials, 'trials'),
    }
    return [
        {'name': name, 'used': spent, 'limit': limit, 'unit': unit}
        for name, (spent, limit, unit) in used.items()
    ]


def _trials(log: RunLog) -> dict[str, Any]:
    summary = summarize([trial for _, trial in log.graded])
    return {
        'closed': len(log.trials),
        'graded': summary.trials,
        'excluded': summary.excluded,
        'explored': len(log.trials) - len(log.graded) - log.audits.canaries,
    }


def _finite(value: Any) -> Any:
    """Return JSON types without NaN, with sorted counters as plain mappings."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
