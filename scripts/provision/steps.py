"""Steps that are repeated only when what they were made from has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import contextmanager
import fcntl
import hashlib
from pathlib import Path
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def digest(*parts: str, files: Iterable[Path] = ()) -> str:
    """Return the sha256 over words, and over names and contents of files."""
    total = hashlib.sha256()
    for part in parts:
        total.update(f'{len(part)}:{part}'.encode())
    for path in sorted(files):
        content = path.read_bytes()
        total.update(f'{path.name}:{len(content)}:'.encode() + content)
    return total.hexdigest()


class Steps:
    """Runs steps, and remembers in small files what each was last made from.

    :param folder: of those files. Removing it makes every step run again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def done(self, name: str, inputs: str) -> bool:
        """Tell whether a step was completed with these inputs."""
        mark = self.folder / name
        return mark.exists() and mark.read_text() == inputs

    def forget(self, name: str) -> None:
        """Make a step run again."""
        (self.folder / name).unlink(missing_ok=True)

    def run(self, name: str, inputs: str, announcement: str, action: Callable[[], None]) -> bool:
        """Run a step unless it was completed with the same inputs.

        The mark is taken away first and set last: an interrupted step is run again.

        :return: whether it ran.
        """
        if self.done(name, inputs):
            return False
        self.forget(name)
        print(f'set-up: {announcement} ...', flush=True)
        start = time.monotonic()
        action()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(inputs)
        print(f'set-up: {announcement}: {time.monotonic() - start:.0f} s', flush=True)
        return True


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the set-up of this tree, so that a second one waits for the first."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('set-up: waiting for another set-up of this tree', flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
