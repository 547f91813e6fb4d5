"""The hub's pre-receive hook: what an agent cannot get around.

Git runs it before a push has moved any ref, with the new objects in quarantine. It says no by its
exit code, and why by words that reach whoever pushes. Whatever goes wrong within it is a no.
"""

from __future__ import annotations

import os
from pathlib import Path
import shlex
import sys

from enpire_nodes.common.errors import StationError
from enpire_nodes.common.writing import write_atomically
from enpire_nodes.evolution.hub.git import clean_environment
from enpire_nodes.evolution.hub.inspection import Inspection
from enpire_nodes.evolution.hub.rules import parse_updates

#: Who pushes; set by the socket that serves one station. Without it, it is another hub.
STATION_VARIABLE = 'ENPIRE_HUB_STATION'
_QUARANTINE = ('GIT_QUARANTINE_PATH', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES')


def main() -> int:
    """Check the updates on the standard input; return 0 to take them all, or none."""
    repository = Path(os.environ.get('GIT_DIR', '.')).absolute()
    kept = {name: os.environ[name] for name in _QUARANTINE if name in os.environ}
    # Git gives them relative to the hub; we run it elsewhere
    kept = {name: _absolute(value, repository) for name, value in kept.items()}
    station = os.environ.get(STATION_VARIABLE, '')
    wrong = []
    try:
        inspection = Inspection.of(repository, clean_environment(**kept))
        for update in parse_updates(sys.stdin.read()):
            wrong += inspection.check(update, station)
    except StationError as error:
        wrong.append(f'it could not be looked at: {error.message}')
    for words in wrong:
        sys.stderr.write(f'hub: refused {words}\n')
    return 1 if wrong else 0


def install(repository: Path) -> None:
    """Write the hook, for this interpreter and this package; an equal one is left alone.

    :raises OSError: it cannot be written.
    """
    package = Path(__file__).resolve().parents[3]
    # -I ignores PYTHONPATH, so that the package has to be named; -S needs nothing installed
    code = (
        f'import sys; sys.path.insert(0, {str(package)!r}); '
        f'from {__name__} import main; raise SystemExit(main())'
    )
    words = ' '.join(shlex.quote(word) for word in (sys.executable, '-I', '-S', '-c', code))
    content = f'#!/bin/sh\nexec {words}\n'.encode()
    path = repository / 'hooks' / 'pre-receive'
    if path.is_file() and path.read_bytes() == content and os.access(path, os.X_OK):
        return
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, content)
    path.chmod(0o755)


def _absolute(value: str, repository: Path) -> str:
    return os.pathsep.join(str(repository / part) for part in value.split(os.pathsep) if part)
