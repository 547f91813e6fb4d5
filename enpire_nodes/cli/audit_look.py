"""How long a person looked at a sheet: from ``enpire audit show`` to ``enpire audit label``.

The two are different processes of one boot, whose monotonic clock both read: the wall clock may be
set in between.
"""

from __future__ import annotations

import json
from pathlib import Path
import time

from enpire_nodes.common.clock import boot_id
from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_json

#: s that looking at a sheet is taken to last at most, when nobody says how long it was.
LONGEST = 600.0


def begin(note: Path) -> None:
    """Note that a sheet is shown from now on.

    :param note: file to keep it in.
    :raises OSError: it cannot be written.
    """
    write_json(note, {'boot': boot_id(), 'monotonic': time.monotonic()})


def seconds_since(note: Path) -> float:
    """Return for how many s a sheet has been shown, :data:`LONGEST` at most.

    :raises StationError: RUNNER_BAD_REQUEST, it was not shown since the machine was started.
    """
    try:
        shown = json.loads(note.read_text(encoding='utf-8'))
        if shown['boot'] == boot_id():
            return min(max(0.0, time.monotonic() - float(shown['monotonic'])), LONGEST)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # as if it had never been shown
    raise StationError(
        ErrorCode.RUNNER_BAD_REQUEST,
        'say how long it took you (--seconds), or look at it by `enpire audit show` first',
    )
