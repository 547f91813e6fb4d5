"""All that was logged of a campaign, read up to given ends of its chains.

A report is made of one such reading and signed with the ends; whoever checks it later reads up to
the same ends, whatever has been appended since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution import journal
from enpire_nodes.evolution.records import (
    CampaignRecord,
    IdeaRecord,
    Job,
    JobChange,
    JobKind,
    ModelCall,
    Promotion,
)
from enpire_nodes.rollout.auditing.audits import Audits
from enpire_nodes.rollout.auditing.book import AuditBook
from enpire_nodes.rollout.confirmation import Block, blocks
from enpire_nodes.rollout.ledger import LedgerReader
from enpire_nodes.rollout.ledger.chain import (
    decode,
    Entry,
    GENESIS,
    INTERVAL,
    TRIAL_CLOSED,
    TRIAL_STARTED,
)
from enpire_nodes.rollout.record_json import from_json
from enpire_nodes.rollout.records import CANARY, StateInterval, TrialRecord

#: The chains that a campaign writes.
LEDGER, JOURNAL, AUDITS = 'ledger', 'journal', 'audits'


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number and digest of its last entry; 0 for an empty one."""

    sequence: int = 0
    digest: str = GENESIS

    @classmethod
    def of(cls, entries: list[Entry]) -> Head:
        """Return the end of some entries."""
        return cls(entries[-1].sequence, entries[-1].digest) if entries else cls()


class LedgerUntil(LedgerReader):
    """A ledger as it was when an entry had just been written, whatever is appended meanwhile.

    :param last: number of that entry; None for all there is now.
    :raises StationError: as of :class:`~enpire_nodes.rollout.ledger.LedgerReader`.
    """

    def __init__(self, run: Path, last: int | None) -> None:
        super().__init__(run)
        self._kept = [
            entry for entry in super().entries() if last is None or entry.sequence <= last
        ]

    def entries(self, kind: str | None = None, *, after: int = 0) -> Iterator[Entry]:
        """Yield the entries up to that one; see the base class."""
        return (
            entry for entry in self._kept if entry.sequence > after and kind in (None, entry.kind)
        )

    def trials_of_request(self, request_id: str) -> list[TrialRecord]:
        """Return the trials of one request as they were then."""
        found: dict[str, TrialRecord] = {}
        for kind in (TRIAL_STARTED, TRIAL_CLOSED):
            for entry in self.entries(kind):
                if entry.request_id == request_id:
                    found[entry.trial_id] = from_json(TrialRecord, entry.data)
        return list(found.values())


@dataclass(frozen=True)
class RunLog:
    """One reading of a run.

    :param ledger: its entries; likewise ``journal`` and ``audit_book``.
    :param confirmations: the declared blocks.
    """

    run: Path
    ledger: list[Entry]
    journal: list[Entry]
    audit_book: list[Entry]
    confirmations: list[Block]

    @classmethod
    def read(cls, run: Path, ends: Mapping[str, Head] | None = None) -> RunLog:
        """Read a run.

        :param ends: how far, by chain; all there is without it.
        :raises StationError: RUNNER_LEDGER_FAILED, there is no ledger, or a chain is broken;
            SUPERVISOR_STATE_UNREADABLE, no campaign was ever run here.
        """

        def kept(chain: str, entries: Any) -> list[Entry]:
            if ends is None:
                return list(entries)
            return list(takewhile(lambda entry: entry.sequence <= ends[chain].sequence, entries))

        last = ends[LEDGER].sequence if ends is not None else None
        with LedgerUntil(run, last) as ledger:
            rows, declared = list(ledger.entries()), blocks(ledger)
        lines = kept(JOURNAL, journal.read(run))
        if not any(entry.kind == journal.CAMPAIGN for entry in lines):
            raise StationError(
                ErrorCode.SUPERVISOR_STATE_UNREADABLE,
                f'{run} is no campaign: its journal names none; run one with `enpire research`',
            )
        return cls(Path(run), rows, lines, kept(AUDITS, AuditBook(run).news()), declared)

    @cached_property
    def own(self) -> list[Entry]:
        """The journal's entries of the newest campaign."""
        begins = [e for e in self.journal if e.kind == journal.CAMPAIGN]
        name = begins[-1].data['campaign']
        first = next(e.sequence for e in begins if e.data['campaign'] == name)
        return self.journal[first - 1 :]

    @property
    def ends(self) -> dict[str, Head]:
        """The ends of the chains."""
        return {
            LEDGER: Head.of(self.ledger),
            JOURNAL: Head.of(self.journal),
            AUDITS: Head.of(self.audit_book),
        }

    @cached_property
    def campaign(self) -> CampaignRecord:
        """What was asked for; of a campaign that was gone on with, the newest."""
        return list(self._records(CampaignRecord))[-1]

    @cached_property
    def start_ns(self) -> int:
        """When the campaign began, by the wall clock."""
        return self.own[0].wall_ns

    @cached_property
    def end_ns(self) -> int:
        """When it finished, or the newest entry of one that has not."""
        done = [entry.wall_ns for entry in self.of_kind(journal.FINISHED)]
        return done[-1] if done else max(self.journal[-1].wall_ns, self.ledger[-1].wall_ns)

    @cached_property
    def finished(self) -> dict[str, Any]:
        """How it ended; empty while it has not."""
        return next((dict(e.data) for e in self.of_kind(journal.FINISHED)[::-1]), {})

    @cached_property
    def closed(self) -> dict[str, tuple[int, TrialRecord]]:
        """The closed trials since the campaign began, with the wall clock of their ends, ns."""
        return {
            entry.trial_id: (entry.wall_ns, _closed_trial(entry.content, entry.digest))
            for entry in self.ledger
            if entry.kind == TRIAL_CLOSED and entry.wall_ns >= self.start_ns
        }

    @cached_property
    def trials(self) -> list[TrialRecord]:
        """The closed trials, canaries included."""
        return [trial for _, trial in self.closed.values()]

    @cached_property
    def graded(self) -> list[tuple[int, TrialRecord]]:
        """The trials that grade a recipe, with the wall clock of their ends, ns.

        Canaries do not, nor what a learner explored, nor demonstrations.
        """
        learning = {
            arm.request_id
            for job in self.jobs.values()
            if job.kind in (JobKind.EXPLORE, JobKind.DEMONSTRATE)
            for arm in job.arms
        }
        return [
            (ended, trial)
            for ended, trial in self.closed.values()
            if trial.requester != CANARY
            and trial.request_id not in learning
            and trial.controller_parameters.get('learned.explore') is not True
        ]

    @cached_property
    def counted(self) -> dict[str, dict[int, TrialRecord]]:
        """The graded trials that count, by request and seed."""
        found: dict[str, dict[int, TrialRecord]] = {}
        for _, trial in self.graded:
            if trial.counted:
                found.setdefault(trial.request_id, {})[trial.seed] = trial
        return found

    @cached_property
    def intervals(self) -> list[StateInterval]:
        """What the station did, the time before the campaign included."""
        return [from_json(StateInterval, e.data) for e in self.ledger if e.kind == INTERVAL]

    @cached_property
    def calls(self) -> list[ModelCall]:
        """The calls of the model."""
        return list(self._records(ModelCall))

    @cached_property
    def jobs(self) -> dict[str, Job]:
        """The jobs by their identifiers."""
        return {job.job_id: job for job in self._records(Job)}

    @cached_property
    def job_changes(self) -> dict[str, JobChange]:
        """The last change of each job."""
        return {change.job_id: change for change in self._records(JobChange)}

    @cached_property
    def ideas(self) -> list[tuple[int, IdeaRecord]]:
        """The commits that the supervisor fetched, and when, ns by the wall clock."""
        found: dict[str, tuple[int, IdeaRecord]] = {}
        for entry in self.of_kind(journal.IDEA):
            idea = journal.decoded(entry)
            found.setdefault(idea.commit, (entry.wall_ns, idea))
        return list(found.values())

    @cached_property
    def promotions(self) -> list[tuple[int, Promotion]]:
        """The moves of ``main``, and when, ns by the wall clock."""
        return [(e.wall_ns, journal.decoded(e)) for e in self.of_kind(journal.PROMOTION)]

    @cached_property
    def audits(self) -> Audits:
        """Where the audits of the judge stand."""
        audits = Audits()
        audits.take(self.audit_book)
        return audits

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the campaign's journal entries of a kind."""
        return [entry for entry in self.own if entry.kind == kind]

    def _records(self, record: type) -> Any:
        return journal.of_kind(self.own, record)


@lru_cache(maxsize=1 << 14)
def _closed_trial(content: str, digest: str) -> TrialRecord:
    """Return a trial from its entry; kept, for a run that goes on is read again and again."""
    return from_json(TrialRecord, {**decode(content), 'ledger_digest': digest})
