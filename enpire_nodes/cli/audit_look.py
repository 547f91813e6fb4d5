"""How long a person looked at a sheet: from ``enpire audit show`` to ``enpire audit label``.

The two are different processes of one boot, whose monotonic clock both read: the wall clock may be
set in between.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
import time

from enpire_nodes.common.clock import boot_id
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_json

_LOG = logging.getLogger(__name__)
#: s that looking at a sheet is taken to last at most, when nobody says how long it was.
LONGEST = 600.0


def begin(note: Path) -> None:
    """Note that a sheet is shown from now on.

    :param note: file to keep it in, until :func:`end`.
    :raises StationError: RUNNER_BAD_REQUEST, it cannot be written.
    """
    try:
        write_json(note, {'boot': boot_id(), 'monotonic': time.monotonic()})
    except OSError as error:
        raise StationError(
            ErrorCode.RUNNER_BAD_REQUEST,
            f'cannot note in {note} when you began to look: {error.strerror}; label it with '
            '--seconds, or make the run writable',
        ) from error


def seconds_since(note: Path) -> float:
    """Return for how many s a sheet has been shown, :data:`LONGEST` at most.

    :raises StationError: RUNNER_BAD_REQUEST, it was not shown since the machine was started.
    """
    try:
        shown = json.loads(note.read_text(encoding='utf-8'))
        if shown['boot'] and shown['boot'] == boot_id():
            return min(max(0.0, time.monotonic() - float(shown['monotonic'])), LONGEST)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # as if it had never been shown
    raise StationError(
        ErrorCode.RUNNER_BAD_REQUEST,
        'say how long it took you (--seconds), or look at it by `enpire audit show` first',
    )


def end(note: Path) -> None:
    """Forget a look, once its time is in the book: it must not be counted for another label."""
    try:
        note.unlink(missing_ok=True)
    except OSError as error:  # the label stands
        _LOG.warning(
            '%s cannot be removed (%s): remove it, or give your next label of this trial its '
            '--seconds, or the same time is booked twice', note, error.strerror,
        )  # fmt: skip
