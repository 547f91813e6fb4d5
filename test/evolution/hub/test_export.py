"""Exports: plain files, whole, read-only; nothing of what a hostile commit wishes for."""

import stat

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import export as module
from enpire_nodes.evolution.hub.export import discard
from enpire_nodes.evolution.hub.git import git


def commit(hub, *entries):
    """Put a commit into the hub that no push could; entries are (mode, name, content)."""
    lines = b''
    for mode, name, content in entries:
        kind = 'commit' if mode == '160000' else 'blob'
        blob = hub.main
        if kind == 'blob':
            blob = git(hub.path, 'hash-object', '-w', '--stdin', content=content).text
        lines += f'{mode} {kind} {blob}\t'.encode() + name + b'\0'
    tree = git(hub.path, 'mktree', '-z', content=lines).text
    return git(hub.path, 'commit-tree', '-p', hub.main, '-m', 'hostile', tree).text


def raw_tree(hub, name, content=b'x'):
    """Put a tree into the hub that Git's own commands would not make."""
    blob = git(hub.path, 'hash-object', '-w', '--stdin', content=content).text
    body = b'100644 ' + name + b'\0' + bytes.fromhex(blob)
    tree = git(
        hub.path, 'hash-object', '-t', 'tree', '-w', '--literally', '--stdin', content=body
    ).text
    return git(hub.path, 'commit-tree', '-p', hub.main, '-m', 'hostile', tree).text


def test_the_files_are_those_of_the_commit_and_nobody_may_write_them(hub, seed, tmp_path):
    folder = tmp_path / 'recipes' / 'one'
    hub.export('main', folder)
    files = {path.relative_to(folder): path for path in folder.rglob('*') if path.is_file()}
    assert set(files) == {p.relative_to(seed) for p in seed.rglob('*') if p.is_file()}
    for name, path in files.items():
        assert path.read_bytes() == (seed / name).read_bytes()
    for path in [folder, *folder.rglob('*')]:
        assert not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    assert [path.name for path in folder.parent.iterdir()] == ['one']


def test_what_may_be_run_stays_so(hub, tmp_path):
    made = commit(hub, ('100755', b'run.sh', b'true\n'), ('100644', b'not.sh', b''))
    hub.export(made, tmp_path / 'out')
    assert (tmp_path / 'out' / 'run.sh').stat().st_mode & 0o777 == 0o555
    assert (tmp_path / 'out' / 'not.sh').stat().st_mode & 0o777 == 0o444


def test_attributes_neither_leave_out_nor_change_a_file(hub, tmp_path):
    attributes = b'secret.py export-ignore\nid.py export-subst ident eol=crlf\n* filter=run\n'
    made = commit(
        hub,
        ('100644', b'.gitattributes', attributes),
        ('100644', b'secret.py', b'1\n'),
        ('100644', b'id.py', b'$Format:%H$ $Id$\n'),
    )
    hub.export(made, tmp_path / 'out')
    assert (tmp_path / 'out' / 'secret.py').read_bytes() == b'1\n'
    assert (tmp_path / 'out' / 'id.py').read_bytes() == b'$Format:%H$ $Id$\n'


@pytest.mark.parametrize(
    ('entry', 'words'),
    [
        (('120000', b'link', b'/etc/passwd'), 'no plain file'),
        (('160000', b'sub', b''), 'no plain file'),
        (('100644', b'big', b'x' * 1_000_001), '1000001 bytes'),
        (('100644', b'back\\slash', b''), 'backslash'),
        (('100644', b'new\nline', b''), 'cannot be seen'),
        (('100644', b'\xff', b''), 'not UTF-8'),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1].decode('latin-1')[:9],
)
def test_a_hostile_commit_is_refused_whole(hub, tmp_path, entry, words):
    made = commit(hub, ('100644', b'a.py', b''), entry)
    with pytest.raises(StationError, match=words) as caught:
        hub.export(made, tmp_path / 'out' / 'one')
    assert caught.value.code == ErrorCode.HUB_UNUSABLE
    assert not (tmp_path / 'out').exists() or not list((tmp_path / 'out').iterdir())


@pytest.mark.parametrize('name', [b'..', b'../../evil', b'/etc/evil', b'.git', b'.GIT', b'a//b'])
def test_no_path_leads_out_of_the_folder(hub, tmp_path, name):
    made = raw_tree(hub, name)
    with pytest.raises(StationError, match='not a path within'):
        hub.export(made, tmp_path / 'deep' / 'out')
    assert not (tmp_path / 'evil').exists()


def test_an_export_that_is_there_is_looked_at_again(hub, tmp_path):
    folder = tmp_path / 'out'
    hub.export('main', folder)
    hub.export('main', folder)
    (folder / 'policy.py').chmod(0o644)
    (folder / 'policy.py').write_text('GAIN = 666\n', 'utf-8')
    with pytest.raises(StationError, match='holds other files'):
        hub.export('main', folder)


def test_an_export_that_is_cut_short_leaves_nothing(hub, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(module, '_write', fail)
    with pytest.raises(StationError, match='No space left'):
        hub.export('main', tmp_path / 'out' / 'one')
    assert list((tmp_path / 'out').iterdir()) == []


def test_an_export_can_be_discarded(hub, tmp_path):
    hub.export('main', tmp_path / 'out')
    discard(tmp_path / 'out')
    discard(tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_an_unknown_commit_is_told(hub, tmp_path):
    with pytest.raises(StationError) as caught:
        hub.export('1' * 40, tmp_path / 'out')
    assert caught.value.code == ErrorCode.HUB_COMMIT_UNKNOWN
