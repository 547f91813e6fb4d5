"""The hash chain of ledger and audit book: a digest covers an entry and the digest before it.

A changed, removed, inserted or reordered entry breaks the chain at a place that
:func:`check_chain` names. Cutting entries off the end leaves a valid chain: that shows only
against digests kept elsewhere (``trial.json``, the ``trial`` topic, the hub).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
import hashlib
import json
import time
from typing import Any

#: What the first entry follows.
GENESIS = '0' * 64

#: The first entry of every process that writes: station, owner, boot.
SESSION = 'session'
REQUEST = 'request'
TRIAL_STARTED = 'trial_started'
TRIAL_CLOSED = 'trial_closed'
INTERVAL = 'interval'
#: Anything else worth keeping, for example the declaration of a confirmation block.
NOTE = 'note'


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a ledger or of an audit book.

    :param sequence: counts up by one from 1.
    :param wall_ns: when it was written, by the system clock.
    :param monotonic_ns: the same by the monotonic clock of that boot.
    :param content: canonical JSON of the record.
    :param digest: sha256 in hex over everything above and ``previous``.
    """

    sequence: int
    kind: str
    wall_ns: int
    monotonic_ns: int
    trial_id: str
    request_id: str
    content: str
    previous: str
    digest: str

    def expected_digest(self) -> str:
        """Return what ``digest`` must be."""
        covered = [
            self.previous,
            self.sequence,
            self.kind,
            self.wall_ns,
            self.monotonic_ns,
            self.trial_id,
            self.request_id,
            self.content,
        ]
        return hashlib.sha256(canonical_json(covered).encode()).hexdigest()

    @property
    def data(self) -> dict[str, Any]:
        """The content, decoded."""
        return decode(self.content)

    def exported(self) -> dict[str, Any]:
        """Return the entry as one JSON object, content decoded."""
        return {
            'sequence': self.sequence,
            'kind': self.kind,
            'wall_ns': self.wall_ns,
            'monotonic_ns': self.monotonic_ns,
            'trial_id': self.trial_id,
            'request_id': self.request_id,
            'content': self.data,
            'previous': self.previous,
            'digest': self.digest,
        }

    @classmethod
    def imported(cls, line: Mapping[str, Any]) -> Entry:
        """Return the entry that :meth:`exported` wrote, digests untouched."""
        return cls(**{**line, 'content': canonical_json(line['content'])})

    @classmethod
    def following(
        cls,
        sequence: int,
        head: str,
        kind: str,
        content: str,
        *,
        trial_id: str = '',
        request_id: str = '',
    ) -> Entry:
        """Return a new entry, written now.

        :param sequence: of the entry before it; 0 when there is none.
        :param head: digest of the entry before it; :data:`GENESIS` when there is none.
        :param content: canonical JSON.
        """
        now, ticks = time.time_ns(), time.monotonic_ns()
        entry = cls(sequence + 1, kind, now, ticks, trial_id, request_id, content, head, '')
        return replace(entry, digest=entry.expected_digest())


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of the chain found.

    :param entries: how many were good.
    :param head: digest of the last good one.
    :param bad_sequence: the first bad entry; None when the chain is whole.
    :param problem: what is wrong with it, in words.
    """

    entries: int
    head: str
    bad_sequence: int | None = None
    problem: str = ''

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.bad_sequence is None


def canonical_json(data: Any) -> str:
    """Return the one JSON text of ``data``: keys sorted, no spaces, no NaN.

    :raises ValueError: there is a NaN or an infinity in it.
    """
    return json.dumps(
        data, sort_keys=True, separators=(',', ':'), ensure_ascii=False, allow_nan=False
    )


def decode(content: str) -> dict[str, Any]:
    """Return the record of an entry's content."""
    return json.loads(content)


@dataclass(slots=True)
class ChainWalk:
    """A walk along a chain that can be gone on with later.

    :param sequence: of the last good entry; 0 before the first.
    :param head: its digest.
    """

    sequence: int = 0
    head: str = GENESIS
    _started: set[str] = field(default_factory=set, init=False)
    _closed: set[str] = field(default_factory=set, init=False)

    def take(self, entry: Entry) -> str:
        """Go on to an entry; return why it cannot be the next one, empty when it is."""
        problem = self._problem(entry)
        if problem:
            return problem
        if entry.kind == TRIAL_STARTED:
            self._started.add(entry.trial_id)
        elif entry.kind == TRIAL_CLOSED:
            self._closed.add(entry.trial_id)
        self.sequence, self.head = entry.sequence, entry.digest
        return ''

    def _problem(self, entry: Entry) -> str:
        if entry.sequence != self.sequence + 1:
            return f'entry {self.sequence + 1} is missing'
        if entry.previous != self.head:
            return 'it does not follow the entry before it'
        if entry.digest != entry.expected_digest():
            return 'its content was changed after it was written'
        if entry.kind == TRIAL_STARTED and entry.trial_id in self._started:
            return f'trial {entry.trial_id} is started twice'
        if entry.kind == TRIAL_CLOSED and entry.trial_id not in self._started:
            return f'trial {entry.trial_id} is closed without having been started'
        if entry.kind == TRIAL_CLOSED and entry.trial_id in self._closed:
            return f'trial {entry.trial_id} is closed twice'
        return ''


def check_chain(entries: Iterable[Entry]) -> ChainReport:
    """Walk the entries in order; stop at the first one that cannot be right."""
    walk = ChainWalk()
    for entry in entries:
        problem = walk.take(entry)
        if problem:
            return ChainReport(walk.sequence, walk.head, entry.sequence, problem)
    return ChainReport(walk.sequence, walk.head)
