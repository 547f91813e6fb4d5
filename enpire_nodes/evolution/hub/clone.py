"""The agent's clone, made before the agent is let at it.

Whoever can write a clone can have programs run by Git in it. It is made with nobody's settings,
and after that Git is never run there with a work tree, outside the agent's sandbox.
"""

from __future__ import annotations

from pathlib import Path
import secrets
import shutil

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.names import branch, station_name

#: Where an agent finds the hub, inside its sandbox.
URL_INSIDE = 'git://127.0.0.1:9418/hub.git'
_DEADLINE = 120.0  # s


def clone_for_agent(hub: str | Path, folder: Path, station: str, *, url: str = URL_INSIDE) -> None:
    """Clone a hub for an agent: all of it, on the branch of its station.

    The branch goes on where the station's is, or begins at ``main``.

    :param hub: path of the hub, or its URL as this process reaches it.
    :param folder: must not exist, or be empty.
    :param url: of ``origin``, as the agent reaches it.
    :raises StationError: HUB_UNUSABLE, the folder is in the way; HUB_GIT_FAILED.
    """
    name = station_name(station)
    short = branch(name).removeprefix('refs/heads/')
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StationError(
            ErrorCode.HUB_UNUSABLE, f'{folder} is in the way of the clone; name a new one'
        )
    fresh = folder.with_name(f'.{folder.name}.{secrets.token_hex(4)}')
    inside = fresh / '.git'
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # neither links nor borrowed objects: the agent could change the hub through them
        git(
            None, 'clone', '--quiet', '--no-local', '--no-checkout', '--template=',
            '--branch=main', '--', str(hub), str(fresh), deadline=_DEADLINE,
        )  # fmt: skip
        remote = f'refs/remotes/origin/{short}'
        there = git(inside, 'rev-parse', '--verify', '--quiet', remote, accept=(0, 1)).text
        git(inside, 'update-ref', f'refs/heads/{short}', there or 'refs/heads/main')
        git(inside, 'symbolic-ref', 'HEAD', f'refs/heads/{short}')
        git(inside, 'update-ref', '-d', 'refs/heads/main')
        for setting, value in _settings(name, short):
            git(inside, 'config', '--add', setting, value)
        git(inside, 'config', 'remote.origin.url', url)
        git(inside, f'--work-tree={fresh}', 'read-tree', '-m', '-u', 'HEAD')
        fresh.rename(folder)
    except OSError as error:
        raise StationError(
            ErrorCode.HUB_UNUSABLE, f'the clone {folder} cannot be written: {error}'
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _settings(name: str, short: str) -> list[tuple[str, str]]:
    return [
        ('user.name', name),
        ('user.email', f'{name}@localhost'),
        (f'branch.{short}.remote', 'origin'),
        (f'branch.{short}.merge', f'refs/heads/{short}'),
        ('push.default', 'simple'),
        ('remote.origin.fetch', '+refs/notes/*:refs/notes/*'),
        ('gc.auto', '0'),
        ('commit.gpgSign', 'false'),
        ('advice.detachedHead', 'false'),
    ]
