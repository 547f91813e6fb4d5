"""Weights and learner states on the disk, named by what is in them.

::

    <directory>/<sha256>.safetensors   weights that a policy loads, with what describes them
    <directory>/<sha256>.state         the whole learner, to go on from after a crash
    <directory>/current.safetensors    a link to the weights that are published
    <directory>/learner.json           which state is the newest

Files are written whole and never changed; only the link and the pointer move, in one step each. A
station that looks at any moment finds weights that belong together.
"""

from __future__ import annotations

from collections.abc import Mapping
import contextlib
import hashlib
import json
import os
from pathlib import Path
import shutil
from typing import Any

import psutil

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import sync_directory, write_atomically, write_json

_WEIGHTS, _STATE = '.safetensors', '.state'
_POINTER = 'learner.json'


class DiskFullError(OSError):
    """The disk has less room than the station shall be left with."""


class CheckpointStore:
    """Checkpoints below ``directory``.

    :param minimum_free: bytes that must stay free on the disk: the station records there, too.
    :param keep: files of each kind that :meth:`prune` leaves.
    """

    def __init__(self, directory: Path, *, minimum_free: float = 1e9, keep: int = 20) -> None:
        self.directory = Path(directory)
        self._minimum_free, self._keep = minimum_free, keep

    def limit(self, *, minimum_free: float, keep: int) -> None:
        """Set what the constructor was not told yet, because it is in the recipe."""
        self._minimum_free, self._keep = minimum_free, keep

    @property
    def current(self) -> Path:
        """The link to the published weights; it may not exist yet."""
        return self.directory / ('current' + _WEIGHTS)

    def save_weights(self, tensors: Mapping[str, Any], about: Mapping[str, Any]) -> Path:
        """Write the weights of a policy and return their file; it is not published yet.

        :param tensors: torch tensors by name.
        :param about: JSON types that describe them: recipe, trials, updates.
        :raises DiskFullError: there is no room; nothing was written.
        """
        from safetensors.torch import save

        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        return self._write(save(plain, {'about': json.dumps(about, sort_keys=True)}), _WEIGHTS)

    def publish(self, weights: Path) -> None:
        """Let every policy that starts from now on load these weights."""
        staged = self.directory / f'.current.{os.getpid()}'
        staged.unlink(missing_ok=True)
        staged.symlink_to(weights.name)
        staged.replace(self.current)
        sync_directory(self.directory)

    def save_state(self, state: bytes, about: Mapping[str, Any]) -> Path:
        """Write a state of the learner, from which :meth:`newest_state` goes on.

        :param about: JSON types: how far it has come.
        :raises DiskFullError: there is no room; the state before is still the newest.
        """
        path = self._write(state, _STATE)
        write_json(self.directory / _POINTER, {'state': path.name, **about})
        return path

    def newest_state(self) -> tuple[bytes, dict[str, Any]] | None:
        """Return the newest state and what was said of it; None before the first.

        :raises StationError: IMPROVEMENT_CHECKPOINT_UNUSABLE, it is damaged.
        """
        pointer = self.directory / _POINTER
        if not pointer.is_file():
            return None
        try:
            about = json.loads(pointer.read_text('utf-8'))
            path = self.directory / about.pop('state')
            content = path.read_bytes()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _unusable(pointer, f'{type(error).__name__}: {error}') from error
        if hashlib.sha256(content).hexdigest() != path.stem:
            raise _unusable(path, 'its content is not what its name says')
        return content, about

    def prune(self) -> None:
        """Delete the oldest files, but never what is published or would be gone on from."""
        kept = {self.current.resolve().name}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept.add(json.loads((self.directory / _POINTER).read_text('utf-8'))['state'])
        for left in self.directory.glob('.*.tmp'):  # write_atomically names its process
            writer = left.name.split('.')[-2]
            if writer.isdigit() and not psutil.pid_exists(int(writer)):
                left.unlink(missing_ok=True)
        for kind, number in ((_WEIGHTS, self._keep), (_STATE, 2)):
            files = [path for path in self.directory.glob('*' + kind) if not path.is_symlink()]
            files.sort(key=lambda path: path.stat().st_mtime_ns)
            for path in files[:-number]:
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def _write(self, content: bytes, suffix: str) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.directory).free
        if free - len(content) < self._minimum_free:
            raise DiskFullError(
                f'{self.directory} has {free / 1e6:.0f} MB left, and the station is to keep '
                f'{self._minimum_free / 1e6:.0f} MB; nothing was written'
            )
        path = self.directory / (hashlib.sha256(content).hexdigest() + suffix)
        if path.is_file():
            os.utime(path)
        else:
            write_atomically(path, content)
        return path


def load_weights(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tensors of a checkpoint by name, and what describes them.

    :raises StationError: IMPROVEMENT_CHECKPOINT_UNUSABLE, it is missing or damaged.
    """
    from safetensors import safe_open, SafetensorError

    try:
        with safe_open(path, 'pt') as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, json.loads((file.metadata() or {})['about'])
    except (OSError, ValueError, KeyError, RecursionError, SafetensorError) as error:
        raise _unusable(path, f'{type(error).__name__}: {error}') from error


def describe_weights(path: Path) -> dict[str, Any]:
    """Return what describes a checkpoint, without its tensors and without torch.

    :raises StationError: IMPROVEMENT_CHECKPOINT_UNUSABLE, it is missing or damaged.
    """
    from safetensors import safe_open, SafetensorError

    try:
        with safe_open(path, 'np') as file:
            return json.loads((file.metadata() or {})['about'])
    except (OSError, ValueError, KeyError, RecursionError, SafetensorError) as error:
        raise _unusable(path, f'{type(error).__name__}: {error}') from error


def _unusable(path: Path, reason: str) -> StationError:
    return StationError(
        ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE,
        f'{path}: {reason}; delete it and train again, or name another one',
    )
