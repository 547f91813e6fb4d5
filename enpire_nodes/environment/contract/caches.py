"""Compiled caches: whether Python would run what a source file says.

Python takes ``__pycache__/x.cpython-311.pyc`` for ``x.py`` when the size and the time recorded in
it are those of the source; whoever can write there can let one file be read and another one run.
So a cache that Python would believe is compared with the source, compiled anew. One that Python
would not believe (the source is newer) is no danger: it is overwritten at the next import.
"""

from __future__ import annotations

from functools import cache
import hashlib
import importlib.util
import marshal
from pathlib import Path
from types import CodeType

_HEADER = 16  # magic, flags, then mtime and size, or the hash of the source
_HASHED, _CHECKED = 0b01, 0b10


@cache
def cache_of(source: Path) -> Path:
    """Return where this Python looks for the compiled form of ``source``."""
    return Path(importlib.util.cache_from_source(str(source)))


def file_hash(path: Path) -> str:
    """Return the sha256 of what Python would read, through links too; empty if it cannot."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ''


def cache_problem(source: Path, cache: Path) -> str:
    """Return in words how a cache would deceive; empty when it does not."""
    try:
        content = cache.read_bytes()
    except FileNotFoundError:
        return ''
    except OSError as error:
        return f'{cache} cannot be read ({error.strerror})'
    try:
        text = source.read_bytes()
        if not _believed(content, source, text):
            return ''
    except OSError as error:
        return f'{source} cannot be read ({error.strerror})'
    try:
        code = marshal.loads(content[_HEADER:])
    except Exception:  # noqa: BLE001 - who wrote this may have meant any of them
        return f'{cache} is damaged; delete it'
    if not isinstance(code, CodeType) or code != _compiled(text, code.co_filename):
        return f'{cache} was made of another text, and Python would run it; delete it'
    return ''


def _believed(content: bytes, source: Path, text: bytes) -> bool:
    if len(content) < _HEADER or content[:4] != importlib.util.MAGIC_NUMBER:
        return False
    flags = int.from_bytes(content[4:8], 'little')
    if flags & _HASHED:
        unchecked = not flags & _CHECKED
        return unchecked or content[8:16] == importlib.util.source_hash(text)
    status = source.stat()
    recorded = (
        int.from_bytes(content[8:12], 'little'),
        int.from_bytes(content[12:16], 'little'),
    )
    return recorded == (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)


def _compiled(text: bytes, name: str) -> CodeType | None:
    try:
        return compile(text, name, 'exec', dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
