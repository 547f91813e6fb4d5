"""Files by their content: weights that an agent hands in, kept once, under their sha256."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path
import re

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_atomically

_DIGEST = re.compile(r'[0-9a-f]{64}')


@dataclass(frozen=True, slots=True)
class Artifacts:
    """A content-addressed store below ``path``."""

    path: Path

    def store(self, content: bytes) -> str:
        """Keep some content; return its sha256.

        :raises OSError: it cannot be written.
        """
        digest = hashlib.sha256(content).hexdigest()
        place = self._place(digest)
        if not place.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(place, content)
            place.chmod(0o444)
        return digest

    def file(self, digest: str) -> Path:
        """Return the file of a digest.

        :raises StationError: HUB_ARTIFACT_UNKNOWN, there is none.
        """
        if not _DIGEST.fullmatch(digest) or not self._place(digest).is_file():
            raise StationError(
                ErrorCode.HUB_ARTIFACT_UNKNOWN,
                f'there are no weights {digest[:12]!r} in the store; hand them in first',
            )
        return self._place(digest)

    def damaged(self) -> list[Path]:
        """Return the files whose content is not what their name says."""
        return [
            path
            for path in sorted(self.path.glob('??/*.safetensors'))
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem
        ]

    def _place(self, digest: str) -> Path:
        return self.path / digest[:2] / f'{digest}.safetensors'
