"""The idea tree of a campaign, rebuilt from its journal, its ledger and the hub.

An idea's state follows from these rules, the first that fits:

* ``main`` is the last commit that was promoted; CONFIRMED were promoted before it, or are what
  a valid block was run of whose lower bound is at the target;
* BETTER: the station repeated its comparison on fresh seeds, and it held;
* DEAD: the comparison to quote gives no gain at all, or its rate lies clearly below the best
  one's (the two intervals do not touch), or it was tested and its author went on from elsewhere;
* ALIVE: it was tested; UNTESTED: it was not.

Of an idea with children that got further, nobody says that it is dead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from enpire_nodes.common.bounds import lower_bound, upper_bound
from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.accounting.progress import recipe_of
from enpire_nodes.evolution.accounting.run_log import RunLog
from enpire_nodes.evolution.accounting.station_time import robot_seconds_by_trial
from enpire_nodes.evolution.campaign.rules import SIGNIFICANT
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.records import IdeaRecord, Job, JobKind, Tokens
from enpire_nodes.evolution.tree.model import Effect, Idea, IdeaState, IdeaTree
from enpire_nodes.evolution.tree.paired import paired_difference
from enpire_nodes.rollout.records import TrialRecord
from enpire_nodes.rollout.statistics import barnard, summarize

_EACH = 0.975  # confidence of each end of a two-sided 95 % interval
#: Trials below which a rate alone buries no idea.
ENOUGH = 5


def build_tree(run: Path) -> IdeaTree:
    """Return the tree of a run as it is now.

    :raises StationError: as of :meth:`RunLog.read`.
    """
    log = RunLog.read(run)
    return tree_of(log, hub_ideas(log))


def hub_ideas(log: RunLog) -> list[IdeaRecord]:
    """Return the ideas that the hub of a campaign has, of all stations; none without a hub.

    :raises StationError: HUB_GIT_FAILED, the hub is there and cannot be read.
    """
    path = hub_path(log)
    return Hub(path).ideas() if (path / 'HEAD').is_file() else []


def hub_path(log: RunLog) -> Path:
    """Return where a campaign's hub is: within the run, so that it may be moved, or elsewhere."""
    inside = log.run / 'research' / 'hub.git'
    if (inside / 'HEAD').is_file() or not log.campaign.hub:
        return inside
    return Path(log.campaign.hub)


def tree_of(log: RunLog, in_hub: Sequence[IdeaRecord] = ()) -> IdeaTree:
    """Build the tree from one reading of a run.

    :param in_hub: ideas of the hub; what the journal knows too is held against it.
    """
    seen = {idea.commit: (at, idea) for at, idea in log.ideas}
    problems = list(_contradictions(seen, in_hub))
    for idea in in_hub:
        if idea.commit not in seen:
            seen[idea.commit] = (max(idea.stamp_ns, log.start_ns), idea)
    base = log.campaign.base
    found: dict[str, Idea] = {}
    if base and base not in seen:  # what others had found before may be where it began
        found[base] = Idea(base, '', 'Where the campaign began', '')
    order = sorted(seen.values(), key=lambda item: item[0])
    spent = _spent(log, order)
    for at, idea in _parents_first(order, {*found}):
        found[idea.commit] = Idea(
            commit=idea.commit,
            parent=idea.parent if idea.parent in seen or idea.parent in found else '',
            subject=idea.subject,
            station=idea.station,
            seconds=(at - log.start_ns) / 1e9,
            borrowed=tuple(commit for commit in idea.borrowed if commit in seen),
            tokens=spent.get(idea.commit),
        )
    graded: dict[str, list[TrialRecord]] = {}
    for _, trial in log.graded:
        graded.setdefault(recipe_of(trial), []).append(trial)
    worked = robot_seconds_by_trial(log.trials)
    for commit, idea in found.items():
        own = graded.get(commit, [])
        found[commit] = _measured(idea, own, worked, tuple(_effects(log, commit)))
    tree = IdeaTree(found, base, log.campaign.target, tuple(problems))
    return replace(tree, ideas=_stated(log, tree))


def _contradictions(seen: Mapping, in_hub: Sequence[IdeaRecord]) -> Iterator[str]:
    if not in_hub:
        return
    there = {idea.commit: idea for idea in in_hub}
    for commit, (_, idea) in seen.items():
        other = there.get(commit)
        if other is None:
            yield f'idea {commit[:10]}: the journal knows it, the hub does not'
        elif (other.parent, other.subject) != (idea.parent, idea.subject):
            yield f'idea {commit[:10]}: its parent or subject in the hub is not the one journalled'


def _parents_first(
    order: Sequence[tuple[int, IdeaRecord]], known: set[str]
) -> Iterator[tuple[int, IdeaRecord]]:
    """Yield ideas so that a parent comes before its children; of others by their time."""
    waiting, commits = list(order), {idea.commit for _, idea in order}
    while waiting:
        ready = [item for item in waiting
                 if item[1].parent in known or item[1].parent not in commits]  # fmt: skip
        chosen = (ready or waiting)[0]  # Git has no circles
        waiting.remove(chosen)
        known.add(chosen[1].commit)
        yield chosen


def _spent(log: RunLog, order: Sequence[tuple[int, IdeaRecord]]) -> dict[str, Tokens]:
    """Return the tokens since the author's commit before, so that each counts for one idea."""
    found, before, over = {}, Tokens(), Tokens()
    waiting = sorted(log.calls, key=lambda call: max(call.start_ns, call.end_ns), reverse=True)
    for at, idea in order:
        while waiting and max(waiting[-1].start_ns, waiting[-1].end_ns) <= at:
            over += waiting.pop().tokens
        if idea.station.strip('/') == log.campaign.station.strip('/'):
            by_then = over + tokens.until(waiting, at)
            found[idea.commit], before = _less(by_then, before), by_then
    return found


def _less(first: Tokens, second: Tokens) -> Tokens:
    names = tokens.CLASSES
    return Tokens(**{name: getattr(first, name) - getattr(second, name) for name in names})


def _measured(
    idea: Idea,
    trials: Sequence[TrialRecord],
    worked: Mapping[str, float],
    effects: tuple[Effect, ...],
) -> Idea:
    summary = summarize(trials)
    return replace(
        idea,
        successes=summary.successes,
        first_attempt_successes=summary.first_attempt_successes,
        trials=summary.counted,
        excluded=summary.excluded,
        lower=lower_bound(summary.successes, summary.counted, confidence=_EACH),
        upper=upper_bound(summary.successes, summary.counted, confidence=_EACH),
        robot_seconds=sum(worked.get(trial.trial_id, 0.0) for trial in trials),
        effects=effects,
    )


def _effects(log: RunLog, commit: str) -> Iterator[Effect]:
    for job in log.jobs.values():
        if job.paired and job.arms[0].commit == commit and job.kind is not JobKind.EXPLORE:
            effect = effect_of(job, log)
            if effect is not None:
                yield effect


def effect_of(job: Job, log: RunLog) -> Effect | None:
    """Return what came of a job with two arms; None before the first pair."""
    first, second = (log.counted.get(arm.request_id, {}) for arm in job.arms)
    seeds = [seed for seed in first if seed in second]
    if not seeds:
        return None
    won = [(first[s].first_attempt_success, second[s].first_attempt_success) for s in seeds]
    wins, losses = (sum(a and not b for a, b in won), sum(b and not a for a, b in won))
    difference = paired_difference(wins, losses, len(seeds))
    one, other = (sum(column) for column in zip(*won, strict=True))
    return Effect(
        job.job_id,
        job.arms[1].commit,
        job.kind is JobKind.RETEST,
        len(seeds),
        wins,
        losses,
        difference.estimate,
        difference.lower,
        difference.upper,
        barnard((one, len(seeds)), (other, len(seeds)), alternative='greater'),
    )


def _stated(log: RunLog, tree: IdeaTree) -> dict[str, Idea]:
    promoted = [promotion.commit for _, promotion in log.promotions]
    confirmed = {
        block.request.commit
        for block in log.confirmations
        if block.valid and block.summary.lower >= log.campaign.target
    }
    best = max((idea for idea in tree.ideas.values() if idea.trials),
               key=lambda idea: idea.lower, default=None)  # fmt: skip
    newest = {idea.station: idea.commit for idea in tree.ideas.values()}
    went_on = {c.commit for tip in newest.values() for c in tree.ancestry(tip)}
    stated: dict[str, Idea] = {}
    for commit, idea in tree.ideas.items():
        if commit in promoted or commit in confirmed:
            last = bool(promoted) and commit == promoted[-1]
            state = IdeaState.MAIN if last else IdeaState.CONFIRMED
            words = 'main: a confirmation block moved it here' if last else 'confirmed by a block'
            stated[commit] = replace(idea, state=state, why=words)
        else:
            stated[commit] = _judged(idea, best, commit in went_on)
    return _carried(tree, stated)


def _judged(idea: Idea, best: Idea | None, went_on: bool) -> Idea:
    if not idea.trials or best is None:
        return replace(idea, why='not tested')
    effect = idea.effect
    if effect is not None and effect.repeated and effect.p_value < SIGNIFICANT:
        return replace(idea, state=IdeaState.BETTER, why=f'held when repeated: {in_words(effect)}')
    if effect is not None and effect.difference <= 0.0:
        return replace(idea, state=IdeaState.DEAD, why=f'no gain: {in_words(effect)}')
    if idea.trials >= ENOUGH and idea.upper < best.lower:
        words = f'at most {idea.upper:.0%}, and the best has at least {best.lower:.0%}'
        return replace(idea, state=IdeaState.DEAD, why=words)
    if not went_on:
        words = 'its author went on from elsewhere'
        if effect is not None:
            words += f'; {in_words(effect)}'
        return replace(idea, state=IdeaState.DEAD, why=words)
    words = 'nothing speaks against it yet'
    if effect is not None:
        words = (
            f'not repeated yet: {in_words(effect)}'
            if not effect.repeated
            else (f'did not hold for certain: {in_words(effect)}')
        )
    return replace(idea, state=IdeaState.ALIVE, why=words)


def _carried(tree: IdeaTree, stated: dict[str, Idea]) -> dict[str, Idea]:
    """Let no idea be dead on the way to one that is better than what was there."""
    for commit in list(stated):
        if stated[commit].state >= IdeaState.BETTER:
            for idea in list(tree.ancestry(commit))[1:]:
                known = stated[idea.commit]
                if known.state is IdeaState.DEAD:
                    words = f'led on to {commit[:7]}'
                    stated[idea.commit] = replace(known, state=IdeaState.ALIVE, why=words)
    return stated


def in_words(effect: Effect) -> str:
    """Say what a comparison came to."""
    return (
        f'{effect.difference * 100:+.0f} points '
        f'[{effect.lower * 100:+.0f}, {effect.upper * 100:+.0f}] in {effect.pairs} pairs'
    )
