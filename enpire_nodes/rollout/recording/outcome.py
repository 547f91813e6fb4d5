"""Whether a closed bag is good enough for a trial."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.recording.session import Closed


def problem_of(
    closed: Closed, required: Collection[str], lost: Mapping[str, int]
) -> StationError | None:
    """Return what is wrong with a bag; None when it is whole and complete.

    :param required: topics that must have a message.
    :param lost: messages of each topic that the middleware gave up on.
    """
    if closed.error is not None or closed.report is None:
        return closed.error
    silent = closed.report.silent(required)
    if silent:
        return StationError(
            ErrorCode.RECORDER_TOPIC_MISSING,
            f'the bag has no message of {", ".join(silent)}: look at their nodes',
        )
    names = {*lost, *closed.dropped}
    missing = {name: lost.get(name, 0) + closed.dropped.get(name, 0) for name in names}
    counts = ', '.join(f'{count} of {name}' for name, count in sorted(missing.items()) if count)
    if counts:
        return StationError(
            ErrorCode.RECORDER_WRITE_FAILED,
            f'the bag lacks messages that were published ({counts}): the computer is overloaded '
            'or the disk too slow',
        )
    return None
