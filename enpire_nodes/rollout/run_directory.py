"""Where a run keeps its files.

::

    <run>/ledger.sqlite               the ledger; the truth
    <run>/ledger.lock                 held by the one runner that writes it
    <run>/trials/<trial_id>/bag/      the rosbag: <trial_id>_0.mcap and metadata.yaml
    <run>/trials/<trial_id>/trial.json  the closed record, for people and scripts
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import re

from enpire_nodes.common.errors import ErrorCode, StationError

_TRIAL_ID = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,127}')


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The layout of one run below ``path``."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The ledger's database."""
        return self.path / 'ledger.sqlite'

    @property
    def lock(self) -> Path:
        """The file that the one writer of the ledger holds locked."""
        return self.path / 'ledger.lock'

    @property
    def trials(self) -> Path:
        """Where the trials lie, one directory each."""
        return self.path / 'trials'

    def trial(self, trial_id: str) -> Path:
        """Return the directory of a trial.

        :raises StationError: RUNNER_BAD_REQUEST, the identifier is no plain file name.
        """
        if not _TRIAL_ID.fullmatch(trial_id):
            raise StationError(
                ErrorCode.RUNNER_BAD_REQUEST,
                f'trial id {trial_id!r}: use letters, digits, ".", "_" and "-", 128 at most',
            )
        return self.trials / trial_id

    def bag(self, trial_id: str) -> Path:
        """Return the directory of a trial's bag."""
        return self.trial(trial_id) / 'bag'

    def trial_json(self, trial_id: str) -> Path:
        """Return the file of a trial's closed record."""
        return self.trial(trial_id) / 'trial.json'

    def relative(self, path: Path) -> str:
        """Return ``path`` as records name it: relative to the run, with forward slashes."""
        return path.relative_to(self.path).as_posix()
