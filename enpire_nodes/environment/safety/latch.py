"""The emergency stop's memory: a file that outlives the process.

The file is written before ``~/estop`` answers and says ``estopped: true`` until a person re-arms.
A file that cannot be understood counts as an emergency stop.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
import json
import os
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError

FILE_NAME = 'estop.json'


@dataclass(frozen=True, slots=True)
class LatchState:
    """Whether the emergency stop is latched, and why."""

    estopped: bool
    reason: str


class EstopLatch:
    """The latch in one run directory.

    :param directory: where the file lies; it must exist and be writable.
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self.path = self._directory / FILE_NAME

    def open(self) -> LatchState:
        """Read the latch, and prove that it can be written.

        :raises StationError: the directory is missing or not writable, so that an emergency stop
            could not be remembered; the gate must not start.
        """
        if not self._directory.is_dir():
            raise StationError(
                ErrorCode.GATE_ESTOPPED,
                f'the run directory {str(self._directory)!r} for the emergency-stop latch does '
                'not exist; create it, or set `run_directory`',
            )
        state = self._read()
        self.save(state)
        return state

    def save(self, state: LatchState) -> None:
        """Write the latch so that a crash leaves the old file or the new one, never a part.

        :raises StationError: it could not be written; the old file is untouched.
        """
        temporary = self.path.with_name(f'.{FILE_NAME}.{os.getpid()}.tmp')
        try:
            with temporary.open('w', encoding='utf-8') as stream:
                json.dump(asdict(state), stream)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.path)
            descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StationError(
                ErrorCode.GATE_ESTOPPED,
                f'the emergency-stop latch {self.path} cannot be written ({error}); free the '
                'disk or repair its permissions',
            ) from error

    def _read(self) -> LatchState:
        try:
            data = json.loads(self.path.read_text(encoding='utf-8'))
        except FileNotFoundError:
            return LatchState(estopped=False, reason='')
        except (OSError, ValueError) as error:
            return self._unreadable(str(error))
        if (
            not isinstance(data, dict)
            or not isinstance(data.get('estopped'), bool)
            or not isinstance(data.get('reason'), str)
        ):
            return self._unreadable('it does not say whether it is latched')
        return LatchState(data['estopped'], data['reason'])

    def _unreadable(self, cause: str) -> LatchState:
        return LatchState(
            estopped=True,
            reason=f'the latch {self.path} could not be read ({cause}): taken as latched',
        )
