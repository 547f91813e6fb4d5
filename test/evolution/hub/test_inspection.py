"""Looking at what another hub brings, and at limits; what agents push is with the hook."""

import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.hub import inspection as module
from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.inspection import Inspection, refused
from enpire_nodes.evolution.hub.names import branch, NOTHING
from enpire_nodes.evolution.hub.repository import Hub
from enpire_nodes.evolution.hub.rules import Limits, Update

CLAIM, NOTES = 'refs/claims/slower', 'refs/notes/results-s1'


def put(hub, content):
    return git(hub.path, 'hash-object', '-w', '--stdin', content=content).text


def commit(hub, *lines, parent=None, message='an idea'):
    """Commit entries of ``mktree``; the files of main when there are none."""
    tree = f'{hub.main}^{{tree}}'
    if lines:
        tree = git(hub.path, 'mktree', content='\n'.join(lines).encode() + b'\n').text
    return git(
        hub.path, 'commit-tree', '-p', parent or hub.main, '-F', '-', tree,
        content=message.encode(),
    ).text  # fmt: skip


def look(hub, ref, new, old=NOTHING):
    return Inspection.of(hub.path).check(Update(old, new, ref), '')


def test_a_claim_is_a_short_blob(hub):
    assert look(hub, CLAIM, put(hub, b'x' * 4096)) == []
    assert look(hub, CLAIM, put(hub, b'x' * 4097)) == [f'{CLAIM}: too long']
    assert look(hub, CLAIM, hub.main) == [f'{CLAIM}: it is a commit, and should be a blob']


@pytest.mark.parametrize('ref', [branch('s1'), NOTES])
def test_a_branch_and_notes_are_commits(hub, ref):
    assert look(hub, ref, put(hub, b'x')) == [f'{ref}: it is a blob, and should be a commit']


def test_notes_are_plain_and_of_bounded_size(hub, monkeypatch):
    monkeypatch.setattr(module, '_NOTE', 10)
    name, other = 'a' * 40, 'b' * 40
    small, big = put(hub, b'x' * 10), put(hub, b'x' * 11)
    assert look(hub, NOTES, commit(hub, f'100644 blob {small}\t{name}')) == []
    wrong = commit(hub, f'100644 blob {big}\t{name}', f'120000 blob {small}\t{other}')
    assert look(hub, NOTES, wrong) == [f'{NOTES}: {path} is no note' for path in (name, other)]


def test_notes_that_stand_for_billions_are_refused(hub):
    row, kind = put(hub, b'x'), '100644 blob'
    for _ in range(8):
        lines = [f'{kind} {row}\t{name:02d}' for name in range(16)]
        row = git(hub.path, 'mktree', content='\n'.join(lines).encode() + b'\n').text
        kind = '040000 tree'
    bomb = commit(hub, f'040000 tree {row}\t00')
    assert look(hub, NOTES, bomb) == [f'{NOTES}: more notes than can be']


@pytest.mark.parametrize('ref', [branch('s1'), NOTES])
def test_nothing_is_forced(hub, ref):
    old, new = commit(hub), commit(hub, message='another past')
    assert look(hub, ref, commit(hub, parent=old), old) == []
    [words] = look(hub, ref, new, old)
    assert words == f'{ref}: it does not go on from {old[:10]}; nothing is forced'


def test_more_new_commits_than_a_push_may_have(hub):
    git(hub.path, 'config', 'enpire.commits', '2')
    two = commit(hub, parent=commit(hub))
    assert look(hub, branch('s1'), two) == []
    [words] = look(hub, branch('s1'), commit(hub, parent=two))
    assert 'more than 2 new commits' in words
    git(hub.path, 'update-ref', branch('s1'), two)
    assert look(hub, branch('s1'), commit(hub, parent=two), two) == []


def test_a_text_beyond_all_measure_is_not_read(hub):
    [words] = look(hub, branch('s1'), commit(hub, message='a' * 40_000))
    assert 'bytes of text, more than 16000' in words


def test_an_early_commit_is_looked_at_whatever_comes_after(hub):
    bad = commit(hub, message='see \x1b[2Jnothing')
    [words] = look(hub, branch('s1'), commit(hub, parent=bad))
    assert words.startswith(f'{branch("s1")}: commit {bad[:10]}: ')


def test_one_push_is_told_twelve_sentences_at_most(hub):
    blob = put(hub, b'x')
    links = [f'120000 blob {blob}\tlink{index:02d}' for index in range(30)]
    assert len(look(hub, branch('s1'), commit(hub, *links))) == 12
    assert refused([str(n) for n in range(14)]).endswith('; 11; and 2 more')
    assert refused(['a', 'b']) == 'a; b'


def test_without_a_list_the_list_itself_is_still_frozen(tmp_path, seed):
    (seed / 'FROZEN').unlink()
    hub = Hub.create(tmp_path / 'free.git', seed=seed)
    kept = git(hub.path, 'ls-tree', 'main').text.splitlines()
    mine = [*kept, f'100644 blob {put(hub, b"")}\tFROZEN']
    [words] = look(hub, branch('s1'), commit(hub, *mine))
    assert 'FROZEN: frozen' in words


def test_limits_are_those_of_the_hub_or_the_usual(hub):
    assert Inspection.of(hub.path).limits == Limits()
    git(hub.path, 'config', 'enpire.files', '7')
    assert Inspection.of(hub.path).limits == Limits(files=7)


def test_what_cannot_be_looked_at_is_no_yes(hub):
    with pytest.raises(StationError) as caught:
        look(hub, branch('s1'), '1' * 40)
    assert caught.value.code == ErrorCode.HUB_GIT_FAILED
