"""The files of a commit, and their contents."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub.git import git, TooMuchError
from enpire_nodes.evolution.hub.trees import blobs, Entry, listing


def put(hub, content):
    return git(hub.path, 'hash-object', '-w', '--stdin', content=content).text


def test_names_come_as_they_are_whatever_is_in_them(hub):
    names = [b'a b', b'new\nline', b'tab\there', b'\xff', 'größe'.encode()]
    blob = put(hub, b'content')
    rows = [f'100644 blob {blob}\t'.encode() + name + b'\0' for name in names]
    rows.append(f'160000 commit {hub.main}\tsub\0'.encode())
    tree = git(hub.path, 'mktree', '-z', content=b''.join(rows)).text
    found = {entry.path: entry for entry in listing(hub.path, tree, files=10)}
    assert set(found) == {'a b', 'new\nline', 'tab\there', '\udcff', 'größe', 'sub'}
    assert found['a b'] == Entry('a b', '100644', blob, 7)
    assert found['sub'] == Entry('sub', '160000', hub.main, 0)


def test_a_listing_has_an_end(hub):
    with pytest.raises(TooMuchError):
        listing(hub.path, 'main', files=0)


def test_contents_are_read_byte_by_byte_and_once(hub):
    contents = [b'', b'\n', b'a\nb', b'\0\xff' * 5000]
    names = [put(hub, content) for content in contents]
    assert blobs(hub.path, [*names, *names], most=20_000) == dict(zip(names, contents))
    assert blobs(hub.path, [], most=0) == {}


def test_contents_have_an_end(hub):
    with pytest.raises(TooMuchError):
        blobs(hub.path, [put(hub, b'x' * 1000)], most=100)


def test_one_that_is_missing_is_named(hub):
    with pytest.raises(StationError, match='1111 missing') as caught:
        blobs(hub.path, ['1' * 40], most=1000)
    assert caught.value.code == ErrorCode.HUB_GIT_FAILED
