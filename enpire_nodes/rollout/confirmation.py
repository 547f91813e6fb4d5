"""Confirmation blocks: trials whose number, seeds and recipe were declared before the first one.

A fixed bound such as Clopper-Pearson's holds only for a block that was not chosen by its outcome.
The declaration is the request's own entry in the ledger, written before its first trial; this
checks from the ledger alone that what was run is what was declared, all of it and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import REQUEST, TRIAL_STARTED
from enpire_nodes.rollout.records import RequestRecord, TrialRecord
from enpire_nodes.rollout.statistics import summarize, Summary


@dataclass(frozen=True, slots=True)
class Block:
    """A confirmation block and what came of it.

    :param request: the declaration.
    :param summary: of its trials; a trial left out for an infrastructure cause breaks the block.
    :param problems: why it confirms nothing, in words; empty when its bounds may be quoted.
    """

    request: RequestRecord
    summary: Summary
    problems: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether the block was run as declared, to its end."""
        return not self.problems


def read_block(ledger: LedgerReader, request_id: str) -> Block:
    """Return a block as the ledger has it.

    :raises StationError: RUNNER_BAD_REQUEST, there is no such request, or it declared no block.
    """
    request = ledger.request(request_id)
    if request is None or not request.confirmation:
        why = 'is unknown' if request is None else 'was not declared as a confirmation block'
        raise StationError(
            ErrorCode.RUNNER_BAD_REQUEST,
            f'request {request_id} {why}; declare one with `enpire run --confirm`',
        )
    return _block(ledger, request, _order(ledger))


def blocks(ledger: LedgerReader) -> list[Block]:
    """Return every block of a ledger in the order of their declarations."""
    order = _order(ledger)
    requests = [ledger.request(request_id) for request_id in order.declared]
    return [_block(ledger, request, order) for request in requests if request.confirmation]


@dataclass(frozen=True, slots=True)
class _Order:
    """When requests were declared and first worked on: the sequence of the entry, by request."""

    whole: bool
    declared: Mapping[str, int]
    begun: Mapping[str, int]


def _order(ledger: LedgerReader) -> _Order:
    declared: dict[str, int] = {}
    begun: dict[str, int] = {}
    for entry in ledger.entries():
        if entry.kind == REQUEST:
            declared.setdefault(entry.request_id, entry.sequence)
        elif entry.kind == TRIAL_STARTED:
            begun.setdefault(entry.request_id, entry.sequence)
    return _Order(ledger.verify().whole, declared, begun)


def _block(ledger: LedgerReader, request: RequestRecord, order: _Order) -> Block:
    trials = ledger.trials_of_request(request.request_id)
    problems = [] if order.whole else ['the ledger is not whole']
    declared = order.declared[request.request_id]
    if order.begun.get(request.request_id, declared) < declared:
        problems.append('a trial of it started before it was declared')
    problems += _differences(request, trials)
    return Block(request, summarize(trials), tuple(problems))


def _differences(request: RequestRecord, trials: Sequence[TrialRecord]) -> Iterator[str]:
    closed = [trial for trial in trials if trial.closed]
    if len(closed) != request.trials or len(trials) != request.trials:
        yield f'{len(closed)} of the {request.trials} declared trials are closed'
    if [trial.seed for trial in trials] != list(request.seeds[: len(trials)]):
        yield 'the seeds are not the declared ones'
    for trial in closed:
        if not trial.counted:
            yield f'trial {trial.trial_id} is left out of the rates: {trial.message}'
    for what, wanted, found in (
        ('commit', request.commit, {trial.commit for trial in trials}),
        (
            'environment',
            request.environment_digest,
            {trial.environment_digest for trial in trials},
        ),
        ('number of attempts', request.max_attempts, {t.max_attempts for t in trials}),
    ):
        if found - {wanted}:
            yield f'the {what} of a trial is not the declared one'
    digests = {trial.controller_digest for trial in closed if trial.controller_digest}
    if len(digests) > 1:
        yield 'the controller changed within the block'
