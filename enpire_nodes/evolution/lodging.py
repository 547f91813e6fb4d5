"""Where an agent lives: its clone, its home, its one command, and the sandbox around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import shlex
import shutil
import sys
import time

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.writing import write_atomically, write_json
from enpire_nodes.evolution.hub.clone import clone_for_agent
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.sandbox import bubblewrap, python
from enpire_nodes.sandbox.profile import graphics_devices, Profile, socket_path

#: Ports inside the sandbox, where the agent is alone on its 127.0.0.1.
MODEL_PORT, HUB_PORT = 8080, 9418
#: What no agent may change in its clone: what it is told, and what that is about.
_FROZEN = ('PROGRAM.md', 'FROZEN', 'environment.json')
_TOOL = 'enpire_nodes.evolution.tool'


@dataclass(frozen=True, slots=True)
class Lodging:
    """The folders of one agent; ``directory`` is the station's alone, what lies in it is not.

    :param run: of the station, whose trials the agent may read.
    :param sockets: by name: ``trial``, ``hub``, and ``model`` for an agent that needs one.
    """

    directory: Path
    run: Path
    station: str
    task: str
    station_file: str
    sockets: Mapping[str, Path]

    @property
    def workspace(self) -> Path:
        """Its clone of the hub."""
        return self.directory / 'workspace'

    @property
    def home(self) -> Path:
        """Its HOME: conversations lie in it, and last."""
        return self.directory / 'home'

    @property
    def tool(self) -> Path:
        """The command ``enpire`` that it works through."""
        return self.directory / 'bin' / 'enpire'

    def prepare(self, hub: Hub) -> None:
        """Make what is not there yet; only while no agent lives here.

        A clone that was wrecked is put aside, and a new one is made of what was pushed.

        :raises StationError: as of :func:`clone_for_agent`.
        :raises OSError: a folder cannot be made.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        _disarm(self.home)
        (self.run / 'trials').mkdir(parents=True, exist_ok=True)
        self.tool.parent.mkdir(parents=True, exist_ok=True)
        script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {_TOOL} "$@"\n'
        write_atomically(self.tool, script.encode())
        self.tool.chmod(0o755)
        if not is_clone(self.workspace):
            if self.workspace.exists():
                self.workspace.rename(
                    self.workspace.with_name(f'workspace-wrecked-{time.time_ns()}')
                )
            clone_for_agent(hub.path, self.workspace, self.station)
            local = self.workspace / '.enpire'
            if local.is_symlink() or local.is_file():  # somebody committed one
                local.unlink()
            elif local.exists():
                shutil.rmtree(local)
            local.mkdir()
            about = {
                'task': self.task,
                'station': f'/{self.station}',
                'station_file': self.station_file,
                'runs': [str(self.run)],
            }
            write_json(local / 'workspace.json', about)

    def unlock(self) -> None:
        """Remove locks that a killed Git left in the clone; only while no agent lives here.

        :raises OSError: one cannot be removed.
        """
        if not is_clone(self.workspace):
            return
        for folder, inner, names in os.walk(self.workspace / '.git'):  # follows no links
            inner[:] = [name for name in inner if name not in ('objects', 'hooks')]
            for name in names:
                if name.endswith('.lock'):
                    Path(folder, name).unlink(missing_ok=True)

    def sandboxed(self, argv: Sequence[str], environment: Mapping[str, str],
                  readable: tuple[Path, ...]) -> list[str]:  # fmt: skip
        """Return the command that runs an agent in its sandbox.

        :param readable: what its program needs beyond the base system.
        :raises StationError: SUPERVISOR_SANDBOX_MISSING, SUPERVISOR_BAD_REQUEST.
        """
        files = (Path(self.station_file),) if self.station_file else ()
        profile = Profile(
            workdir=self.workspace,
            writable=(self.workspace, self.home),
            readable=(self.run / 'trials', *files, *readable),
            frozen=tuple(self.workspace / name for name in _FROZEN),
            sockets=self.sockets,
            programs={'enpire': self.tool},
            environment={
                'HOME': str(self.home),
                'ENPIRE_TRIAL_SOCKET': socket_path('trial'),
                'ENPIRE_STATION': self.station,
                **environment,
            },
            devices=graphics_devices(),
        )
        ports = {'model': MODEL_PORT, 'hub': HUB_PORT}
        relays = {port: name for name, port in ports.items() if name in self.sockets}
        return bubblewrap.command(profile, bubblewrap.relayed(relays, argv))

    def unprotected(
        self, argv: Sequence[str], environment: Mapping[str, str]
    ) -> tuple[list[str], dict[str, str]]:
        """Return command and environment of an agent that runs with the station's own rights.

        :raises StationError: SUPERVISOR_SOCKET_FAILED, another program has a port.
        """
        ports = {'model': MODEL_PORT, 'hub': HUB_PORT}
        relays = [
            part
            for name, port in ports.items()
            if name in self.sockets
            for part in ('--relay', f'{port}={self.sockets[name]}')
        ]
        inherited = ('LANG', 'LD_LIBRARY_PATH', 'TMPDIR', 'TZ')
        kept = {name: os.environ[name] for name in inherited if name in os.environ}
        path = os.pathsep.join([str(self.tool.parent), os.environ.get('PATH', os.defpath)])
        return (
            [sys.executable, '-m', 'enpire_nodes.sandbox.inside', *relays, '--', *argv],
            {
                **kept,
                **python.environment(),
                'PATH': path,
                'HOME': str(self.home),
                'ENPIRE_TRIAL_SOCKET': str(self.sockets['trial']),
                'ENPIRE_STATION': self.station,
                **environment,
            },
        )


def is_clone(folder: Path) -> bool:
    """Tell whether a folder holds a Git repository of its own; none that a link leads to."""
    inside = folder / '.git'
    return inside.is_dir() and not inside.is_symlink() and (inside / 'HEAD').is_file()


def _disarm(home: Path) -> None:
    """Remove what would have the station write or wait elsewhere, where it writes settings.

    An agent that lived here may have left links out of its home, or pipes, under any name.
    """
    real = home.resolve()
    for path in [*home.iterdir(), *(inner for top in _folders(home) for inner in top.iterdir())]:
        away = path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real)
        odd = not path.is_symlink() and not path.is_dir() and not path.is_file()
        if away or odd or (path.is_symlink() and path.name.endswith('.tmp')):
            path.unlink()


def _folders(home: Path) -> list[Path]:
    return [path for path in home.iterdir() if path.is_dir() and not path.is_symlink()]


def must_be_sandboxed(*, external: bool, allowed_without: bool) -> bool:
    """Tell whether an agent runs in a sandbox here.

    :raises StationError: SUPERVISOR_SANDBOX_MISSING, an external agent would run without one and
        nobody has allowed that in plain words.
    """
    found = bubblewrap.availability()
    if found.usable:
        return True
    if external and not allowed_without:
        raise StationError(
            ErrorCode.SUPERVISOR_SANDBOX_MISSING,
            f'no external agent is run without a sandbox: {found.reason}. Or set '
            'allow_unsandboxed_agent of agent_supervisor: the agent then has every right of the '
            'user who runs the station, the network and the robot included',
        )
    return False
