"""What a sandbox lets its programs see: everything that is not named here is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from enpire_nodes.common.errors import ErrorCode, StationError

#: Where sockets and programs are found inside.
PLACE = Path('/run/enpire')
PROGRAMS = PLACE / 'bin'
#: What programs inside run as, whoever runs the station: never root.
USER = 1000
#: A folder of its own that every sandbox has, empty at first.
PRIVATE = Path('/tmp')
#: Folders that no profile may bring in whole: they hold what the sandbox is there to hide.
_NEVER = tuple(
    Path(name) for name in ('/', '/dev', '/etc', '/home', '/proc', '/root', '/run', '/sys', '/tmp')
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one sandbox is made of, beyond the base system and the Python environment.

    Paths are the same inside and outside, but for sockets and programs.

    :param workdir: where the program starts; brought in read-only unless it is named below, or
        is ``/tmp``, which is the sandbox's own.
    :param writable: files and folders that it may change.
    :param readable: files and folders that it may read.
    :param frozen: parts of the writable ones that it may not change; those that are not there
        are skipped. Freeze a whole entry of a writable folder: the parent of a frozen file deeper
        down can be moved away as a whole.
    :param sockets: name → Unix socket of the station, found at ``/run/enpire/<name>.sock``.
    :param programs: name → file, found at ``/run/enpire/bin/<name>``, which is first on ``PATH``.
    :param environment: all variables there are, but for ``PATH``, ``LANG``, ``TMPDIR``, the
        way to Python's packages, and ``HOME`` (``/tmp`` unless named).
    :param devices: device nodes, one by one: never a folder of them.
    """

    workdir: Path
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    frozen: tuple[Path, ...] = ()
    sockets: Mapping[str, Path] = field(default_factory=dict)
    programs: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[Path, ...] = ()

    def check(self) -> None:
        """Find what would let more in than is meant, or nothing at all.

        :raises StationError: SUPERVISOR_BAD_REQUEST, naming the path.
        """
        sources = (*self.sockets.values(), *self.programs.values())
        for path in (self.workdir, *self.writable, *self.readable, *sources):
            if not path.is_absolute() or not path.exists():
                raise _refusal(f'{path} is not there, or not an absolute path')
        places = () if self.workdir == PRIVATE else (self.workdir,)
        for path in (*places, *self.writable, *self.readable):
            if path in _NEVER or path.resolve() in (*_NEVER, Path.home()):
                raise _refusal(f'{path} holds more than a sandbox may see; name a folder below it')
        for path in (self.workdir, *self.writable, *self.readable, *self.frozen, *sources):
            self._check_links(path)

    def _check_links(self, path: Path) -> None:
        """Refuse a path that whoever wrote in here before may have pointed somewhere else."""
        for root in self.writable:
            if path == root or not path.is_relative_to(root):
                continue
            step = root
            for part in path.relative_to(root).parts:
                step /= part
                if step.is_symlink():
                    raise _refusal(
                        f'{step} is a symbolic link in a folder that the sandbox may change; '
                        'remove it'
                    )


def covers(folders: tuple[Path, ...], path: Path) -> bool:
    """Tell whether one of the folders is the path, or holds it."""
    return any(path == folder or path.is_relative_to(folder) for folder in folders)


def socket_path(name: str) -> str:
    """Return where a socket of a profile is found inside."""
    return str(PLACE / f'{name}.sock')


def graphics_devices(root: Path = Path('/dev')) -> tuple[Path, ...]:
    """List the nodes that CUDA needs, of all NVIDIA cards of this machine; none without one."""
    return tuple(
        path
        for pattern in ('nvidia[0-9]*', 'nvidiactl', 'nvidia-uvm*', 'nvidia-modeset')
        for path in sorted(root.glob(pattern))
    )


def _refusal(message: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_BAD_REQUEST, f'sandbox: {message}')
