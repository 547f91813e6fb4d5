"""The journal of a campaign: everything that the supervisor does and pays for, in one chain.

``<run>/research/journal.jsonl`` is written before anything that it tells is acted on, so that a
supervisor that was killed finds out from it where it was. It holds no key and no text of a model.
"""

from __future__ import annotations

from collections.abc import Iterator
import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from enpire_nodes.evolution.records import (
    CampaignRecord,
    IdeaRecord,
    Job,
    JobChange,
    ModelCall,
    Promotion,
)
from enpire_nodes.rollout.ledger.chain import Entry
from enpire_nodes.rollout.ledger.line_book import LineBook
from enpire_nodes.rollout.record_json import from_json, to_json

FILE_NAME = 'journal.jsonl'

#: Kinds of entries, and the record that each holds.
CAMPAIGN, CALL, IDEA, JOB, JOB_CHANGE, PROMOTION = (
    'campaign', 'call', 'idea', 'job', 'job_change', 'promotion',
)  # fmt: skip
RECORDS: dict[str, type] = {
    CAMPAIGN: CampaignRecord,
    CALL: ModelCall,
    IDEA: IdeaRecord,
    JOB: Job,
    JOB_CHANGE: JobChange,
    PROMOTION: Promotion,
}
#: Entries that hold a plain mapping.
#: ``agent``: event (started, session, ended, paused, resumed, stalled), and what belongs to it.
AGENT = 'agent'
#: ``budget``: event (warning, used), name, used, limit.
BUDGET = 'budget'
#: ``result``: the signed result of an idea, as its note in the hub has it.
RESULT = 'result'
#: ``gpu``: seconds, share: how busy the GPU was over a span that ended now.
GPU = 'gpu'
#: ``human``: seconds, why: a person's time.
HUMAN = 'human'
#: ``finished``: outcome, message, ledger_head: digest of the ledger's last entry.
FINISHED = 'finished'

_KIND_OF = {record: kind for kind, record in RECORDS.items()}
Record = TypeVar('Record')


def research_directory(run: Path) -> Path:
    """Return where a run keeps what belongs to its research."""
    return Path(run) / 'research'


class Journal(LineBook):
    """The journal of one run.

    :param run: the run directory.
    """

    def __init__(self, run: Path) -> None:
        super().__init__(research_directory(run) / FILE_NAME)

    def record(self, record: Any) -> Entry:
        """Put one of :data:`RECORDS` on the disk.

        :raises StationError: as of :meth:`append`.
        """
        return self.append(_KIND_OF[type(record)], to_json(record))

    def note(self, kind: str, /, **data: Any) -> Entry:
        """Put a plain entry on the disk."""
        return self.append(kind, {name: _plain(value) for name, value in data.items()})


def decoded(entry: Entry) -> Any:
    """Return the record of an entry, or its mapping when it holds none."""
    record = RECORDS.get(entry.kind)
    return entry.data if record is None else from_json(record, entry.data)


def read(run: Path) -> list[Entry]:
    """Return all entries of a run's journal; none when it has no journal.

    :raises StationError: RUNNER_LEDGER_FAILED, naming the first entry that was changed.
    """
    return Journal(run).news()


def of_kind(entries: list[Entry], record: type[Record]) -> Iterator[Record]:
    """Yield the records of one type."""
    kind = _KIND_OF[record]
    return (decoded(entry) for entry in entries if entry.kind == kind)


def _plain(value: Any) -> Any:
    return to_json(value) if dataclasses.is_dataclass(value) else value
