"""Making a hub: a bare repository whose ``main`` is one commit of a folder's files."""

from __future__ import annotations

from pathlib import Path
import secrets
import shutil

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.git import clean_environment, git
from enpire_nodes.evolution.hub.hook import install
from enpire_nodes.evolution.hub.inspection import Inspection, refused
from enpire_nodes.evolution.hub.names import INCOMING, MAIN

_SETTINGS = {
    'receive.denyNonFastForwards': 'true',
    'receive.denyDeletes': 'false',  # of branches the hook refuses it; a claim may be given back
    'receive.denyCurrentBranch': 'refuse',
    'receive.fsckObjects': 'true',
    'receive.maxInputSize': str(32 * 2**20),  # bytes of one push
    'receive.autogc': 'false',
    'receive.shallowUpdate': 'false',
    'receive.advertisePushOptions': 'false',
    'receive.unpackLimit': '100',
    'transfer.fsckObjects': 'true',
    'transfer.hideRefs': INCOMING.rstrip('/'),
    'core.fsync': 'committed',
    'core.logAllRefUpdates': 'true',
    'core.filesRefLockTimeout': '5000',  # ms
    'core.packedRefsTimeout': '5000',
    'gc.auto': '0',
    'maintenance.auto': 'false',
}


def create(path: Path, seed: Path) -> None:
    """Make the hub, whole or not at all.

    :param seed: folder with the files of the first commit; what its ``.gitignore`` names stays.
    :raises StationError: HUB_UNUSABLE, something is in the way, or a file of the seed is one that
        a hub does not take; HUB_GIT_FAILED.
    """
    path = path.absolute()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise _unusable(f'{path} is in the way; name a folder that is new')
    if not seed.is_dir():
        raise _unusable(f'{seed} is no folder; name one with the files of main')
    fresh = path.with_name(f'.{path.name}.{secrets.token_hex(4)}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        git(None, 'init', '--quiet', '--bare', '--template=', '--initial-branch=main', str(fresh))
        prepare(fresh)
        _first_commit(fresh, seed.absolute())
        wrong = Inspection(fresh).check_commits(MAIN)
        if wrong:
            raise _unusable(f'the files of {seed} make no hub: {refused(wrong)}')
        fresh.rename(path)
    except OSError as error:
        raise _unusable(f'{path} cannot be written: {error}') from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def prepare(path: Path) -> None:
    """Write settings and hook as this version has them; what is right is left alone.

    :raises StationError: HUB_UNUSABLE, it borrows objects from elsewhere, or cannot be written;
        HUB_GIT_FAILED.
    """
    if (path / 'objects' / 'info' / 'alternates').exists():
        raise _unusable(
            f'{path} borrows objects from another repository, which may change them: '
            'run `git repack -a -d` in it, and remove objects/info/alternates'
        )
    known = git(path, 'config', '--local', '--list', '-z').output.decode('utf-8', 'replace')
    there = dict(line.partition('\n')[::2] for line in known.split('\0') if line)
    for name, value in _SETTINGS.items():
        if there.get(name.lower()) != value:
            git(path, 'config', '--local', name, value)
    try:
        install(path)
    except OSError as error:
        raise _unusable(f'the hook of {path} cannot be written: {error}') from error


def _first_commit(path: Path, seed: Path) -> None:
    environment = clean_environment(GIT_INDEX_FILE=str(path / 'seed.index'))
    # no path is looked up from a folder that somebody could have put a repository into
    git(
        path, '-c', 'core.bare=false', f'--work-tree={seed}', 'add', '--all', '--', ':/',
        environment=environment,
    )  # fmt: skip
    tree = git(path, 'write-tree', environment=environment).text
    commit = git(path, 'commit-tree', '-m', 'Start from the template', tree).text
    git(path, 'update-ref', MAIN, commit, '')
    for left in path.glob('seed.index*'):
        left.unlink()


def _unusable(reason: str) -> StationError:
    return StationError(ErrorCode.HUB_UNUSABLE, reason)
