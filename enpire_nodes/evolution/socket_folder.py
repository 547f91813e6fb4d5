"""Where the sockets of a campaign are: a folder with a short name, and none is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import tempfile

_PREFIX = 'enpire-'


@contextmanager
def socket_folder(directory: Path) -> Iterator[Path]:
    """Give a folder that only its user may enter, and that ``<directory>/sockets`` leads to.

    The name of a socket may have 107 bytes, which a run directory can exceed. What a supervisor
    that was killed left behind is found by the link, and removed.

    :raises OSError: it cannot be made.
    """
    link = directory / 'sockets'
    if link.is_symlink():
        old = Path(os.readlink(link))
        if old.parent == Path(tempfile.gettempdir()) and old.name.startswith(_PREFIX):
            shutil.rmtree(old, ignore_errors=True)
        link.unlink()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder:
        link.symlink_to(folder)
        try:
            yield Path(folder)
        finally:
            link.unlink(missing_ok=True)
