"""Training beside the trials: one at a time, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import time

from enpire_nodes.evolution.researcher.rehearsal import write_files

_DEADLINE = 3600.0  # s that a training may take


class Trainer:
    """Runs ``train.py`` of a commit on the demonstrations of the workspace.

    :param files: returns the files of a commit by their paths.
    :param local: folder of the workspace with ``workspace.json`` and ``replay``.
    :param store: keeps weights and returns their sha256.
    :param say: is told why a training failed.
    """

    def __init__(
        self,
        files: Callable[[str], dict[str, str]],
        local: Path,
        store: Callable[[bytes], str],
        say: Callable[[str], None] = print,
    ) -> None:
        self._files, self._local, self._store, self._say = files, local, store, say
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._commit, self._began = '', 0.0
        #: sha256 of the weights of each commit that was trained; empty when training failed.
        self.weights: dict[str, str] = {}

    @property
    def usable(self) -> bool:
        """Whether there is anything to train on."""
        replay = self._local / 'replay'
        return (self._local / 'workspace.json').is_file() and any(replay.glob('*'))

    @property
    def busy(self) -> bool:
        """Whether a training is under way."""
        return self._process is not None

    def start(self, commit: str) -> None:
        """Begin to train a commit, unless another is being trained."""
        if self.busy:
            return
        files = self._files(commit)
        self._folder, self._commit = Path(tempfile.mkdtemp(prefix='train-')), commit
        write_files(files, self._folder)
        local = self._folder / '.enpire'
        local.mkdir()
        shutil.copy(self._local / 'workspace.json', local)
        (local / 'replay').symlink_to((self._local / 'replay').absolute())
        with (self._folder / 'log').open('wb') as log:
            self._process = subprocess.Popen(
                [sys.executable, 'train.py'], cwd=self._folder, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self._began = time.monotonic()

    def ready(self, commit: str) -> bool:
        """Return whether a commit has weights; begins to train it if it has not."""
        self.wait(0.0)
        if commit not in self.weights and self.usable:
            self.start(commit)
        return bool(self.weights.get(commit))

    def wait(self, seconds: float) -> None:
        """Wait for the training that is under way, at most this long, and take its weights.

        One that takes longer than an hour is ended, and has failed.
        """
        if self._process is None:
            return
        try:
            code = self._process.wait(max(0.01, seconds))
        except subprocess.TimeoutExpired:
            if time.monotonic() - self._began < _DEADLINE:
                return
            self._process.kill()
            code = self._process.wait(10.0)
        made = self._folder / '.enpire' / 'checkpoints' / 'current.safetensors'
        good = code == 0 and made.is_file()
        self.weights[self._commit] = self._store(made.read_bytes()) if good else ''
        if not good:
            last = (self._folder / 'log').read_text('utf-8', 'replace').strip().splitlines()[-1:]
            words = f'training {self._commit[:10]} failed (exit code {code})'
            self._say(': '.join([words, *last]))
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """End what is under way."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10.0)
            shutil.rmtree(self._folder, ignore_errors=True)
            self._process = None
