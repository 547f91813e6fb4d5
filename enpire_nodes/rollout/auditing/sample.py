"""Which trials a person is asked to label: drawn by a keyed hash of the trial's identifier.

What this protects against: somebody who reads the run directory, the parameters of the nodes and
this code, and knows a trial's identifier, still cannot tell before its end whether it is watched,
and so cannot behave on the watched trials alone. The key lies outside of every run, readable by
the station's user only (``$ENPIRE_KEYS`` or ``~/.config/enpire``), and the draw is written down
only after the verdict. The same trial is drawn again after a restart: nobody can repeat a draw
until it suits them.

What it does not protect against: a program that runs as the station's user can read the key. The
policy must therefore run in its sandbox, where neither that folder nor the run is to be seen.
"""

from __future__ import annotations

import hmac
from pathlib import Path
import secrets

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.keys import keys_directory, write_new

_BYTES = 32
KEY_FILE = 'audit.key'


class Sampler:
    """Draws a share of all trials.

    :param key: secret bytes.
    :param share: 0 to 1.
    """

    def __init__(self, key: bytes, share: float) -> None:
        if not 0.0 <= share <= 1.0:
            raise ValueError(f'share {share} must lie between 0 and 1')
        self._key, self._below = key, int(share * 2**64)

    def draws(self, trial_id: str) -> bool:
        """Whether this trial is drawn; always the same answer for the same key and trial."""
        value = hmac.digest(self._key, trial_id.encode(), 'sha256')
        return int.from_bytes(value[:8], 'big') < self._below


def audit_key(directory: Path | None = None) -> bytes:
    """Return the key of the draws; made on first use.

    :param directory: where it lies; :func:`keys_directory` when omitted.
    :raises StationError: ENVIRONMENT_KEY_UNUSABLE, others may read it, or it cannot be read.
    """
    path = (directory or keys_directory()) / KEY_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            write_new(path, secrets.token_bytes(_BYTES))
        mode = path.stat().st_mode & 0o777
        key = path.read_bytes()
    except OSError as error:
        raise StationError(
            ErrorCode.ENVIRONMENT_KEY_UNUSABLE,
            f'cannot read or make the key {path}: {error.strerror}; check the folder, or name '
            'another one by ENPIRE_KEYS',
        ) from error
    if mode & 0o077 or len(key) != _BYTES:
        raise StationError(
            ErrorCode.ENVIRONMENT_KEY_UNUSABLE,
            f'{path} must be {_BYTES} bytes that nobody else may read (mode {mode:o}): '
            f'chmod 600 it if it was never shown to anybody, else remove it',
        )
    return key
