"""Where secrets of the station's user lie, and how one is made."""

from __future__ import annotations

import os
from pathlib import Path
import secrets


def keys_directory() -> Path:
    """Return the folder of what nobody but the station's user may change."""
    named = os.environ.get('ENPIRE_KEYS')
    return Path(named).expanduser() if named else Path.home() / '.config' / 'enpire'


def write_new(path: Path, content: bytes, *, mode: int = 0o600) -> bool:
    """Write a file whole, unless it is there: of two that start together both find the same.

    :param mode: of the file, whatever the umask.
    :return: whether it was this call that made it.
    :raises OSError: it could not be written.
    """
    fresh = path.with_name(f'.{path.name}.{os.getpid()}.{secrets.token_hex(4)}')
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, 'wb') as stream:
            os.fchmod(descriptor, mode)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    return True
