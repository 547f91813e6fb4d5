"""The key of a model provider: where it comes from, and how it is kept from everybody else."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path
import stat

from enpire_nodes.common.errors import ErrorCode, StationError

#: Fewer characters would be found in texts that have nothing to do with the key.
_SHORTEST = 8


class ModelKey:
    """A key; it shows itself only to whoever calls :meth:`reveal`."""

    __slots__ = ('_secret', 'source')

    def __init__(self, secret: str, source: str = 'memory') -> None:
        bare = secret.strip()
        if len(bare) < _SHORTEST or not bare.isascii() or not bare.isprintable() or ' ' in bare:
            raise _unusable(
                f'what {source} holds is no key: it is short, or not one plain word; a model '
                'server that wants none is used without one'
            )
        self._secret, self.source = bare, source

    @classmethod
    def load(
        cls,
        variable: str = '',
        file: Path | str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ModelKey | None:
        """Read the key from an environment variable, else from a file.

        :param variable: its name; an empty one, or one that is not set, is passed over.
        :param file: owned by the user and readable by nobody else; None for none.
        :param environment: that of this process when omitted.
        :return: None when neither is named.
        :raises StationError: SUPERVISOR_KEY_MISSING; one is named and there is no key in it, or
            others may read the file.
        """
        environment = os.environ if environment is None else environment
        if variable and environment.get(variable, '').strip():
            return cls(environment[variable], f'the environment variable {variable}')
        if file is not None and str(file):
            return cls(_read(Path(file).expanduser()), f'the file {file}')
        if variable:
            raise _unusable(
                f'the environment variable {variable} is not set; set it to the key of the model '
                'provider, or name a file that holds it'
            )
        return None

    def reveal(self) -> str:
        """Return the key itself: for the header of a request to the provider, and nothing else."""
        return self._secret

    def __repr__(self) -> str:
        return f'ModelKey(from {self.source})'

    def __reduce__(self) -> tuple:
        raise TypeError('a key is neither copied nor stored')


class Redactor:
    """Blanks a key out of a stream, wherever the stream is cut; lengths stay the same.

    It holds back at most the last bytes that the key may begin in.
    """

    def __init__(self, key: ModelKey | None) -> None:
        self._secret = key.reveal().encode() if key is not None else b''
        self._blank = b'*' * len(self._secret)
        self._held = b''

    def feed(self, data: bytes) -> bytes:
        """Return what may pass of ``data`` and of what was held back."""
        secret = self._secret
        if not secret:
            return data
        data = self._held + data if self._held else data
        if secret in data:
            data = data.replace(secret, self._blank)
        keep = _overlap(data, secret)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep] if keep else data

    def end(self) -> bytes:
        """Return what is still held back."""
        held, self._held = self._held, b''
        return held

    def text(self, words: str) -> str:
        """Return ``words`` without the key."""
        secret = self._secret.decode()
        return words.replace(secret, '***') if secret else words

    def shows(self, words: str) -> bool:
        """Whether ``words`` hold the key."""
        return bool(self._secret) and self._secret.decode() in words


def _overlap(data: bytes, secret: bytes) -> int:
    """Return how many bytes at the end of ``data`` the secret may begin with."""
    tail = data[-(len(secret) - 1) :]
    begin = tail.find(secret[:1])
    while begin >= 0:
        if secret.startswith(tail[begin:]):
            return len(tail) - begin
        begin = tail.find(secret[:1], begin + 1)
    return 0


def _read(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, 'rb') as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _unusable(f'{path} is no file')
            if status.st_mode & 0o077:
                raise _unusable(f'others may read the key in {path}; run: chmod 600 {path}')
            if status.st_uid not in (os.geteuid(), 0):
                raise _unusable(f'the key in {path} belongs to another user')
            return stream.read(64 * 1024).decode('ascii', 'replace')
    except OSError as error:
        raise _unusable(f'the key in {path} cannot be read: {error.strerror}') from error


def _unusable(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_KEY_MISSING, words)
