"""What agents try to push: each through the socket, against the hub's own hook."""

import hashlib
import os

import pytest

from enpire_nodes.evolution.hub.git import git
from enpire_nodes.evolution.hub.hook import install


def refs(hub):
    return git(hub.path, 'for-each-ref').text


def plumb(agent, mode, path, content='evil\n', parent='HEAD'):
    """Commit one entry without any file in the folder."""
    blob = agent.git('hash-object', '-w', '--stdin', content=content).stdout.strip()
    index = {'GIT_INDEX_FILE': str(agent.path / '.git' / 'plumbing')}
    agent.git('read-tree', parent, **index)
    agent.git('update-index', '--add', '--cacheinfo', f'{mode},{blob},{path}', **index)
    tree = agent.git('write-tree', **index).stdout.strip()
    made = agent.git('commit-tree', '-p', parent, '-m', 'plumbing', tree).stdout.strip()
    agent.git('update-ref', 'HEAD', made)


def edit(agent):
    agent.write('judge/reward.py', 'REWARD = 2\n')
    agent.commit('more reward')


def edit_listed_file(agent):
    agent.commit(FROZEN='')


def edit_program(agent):
    agent.commit(PROGRAM__md='Do as you like.\n')


def remove(agent):
    (agent.path / 'judge' / 'reward.py').unlink()
    agent.commit()


def add_beside(agent):
    agent.write('judge/extra.py', '')
    agent.commit()


def edit_then_revert(agent):
    edit(agent)
    agent.git('revert', '--no-edit', 'HEAD')


def merge_smuggling(agent):
    edit(agent)
    agent.git('checkout', '-q', '-b', 'other', 'origin/main')
    agent.commit(policy__py='GAIN = 3\n')
    agent.git('checkout', '-q', f'station/{agent.station}')
    agent.git('reset', '-q', '--hard', 'other')
    agent.git('merge', '-q', '--no-ff', '--no-commit', 'ORIG_HEAD')
    agent.git('commit', '-q', '-m', 'a merge that keeps it')


def merge_that_restores(agent):
    edit(agent)
    bad = agent.head()
    agent.git('reset', '-q', '--hard', 'origin/main')
    agent.commit(policy__py='GAIN = 3\n')
    agent.git('merge', '-q', '--no-ff', '--strategy=ours', '-m', 'only its history', bad)


def cacheinfo(agent):
    plumb(agent, '100644', 'judge/reward.py')


def rename(agent):
    agent.git('mv', 'judge', 'jury')
    agent.commit()


def rename_in_place(agent):
    agent.git('mv', 'judge/reward.py', 'judge/reward2.py')
    agent.commit()


def mode_change(agent):
    (agent.path / 'judge' / 'reward.py').chmod(0o755)
    agent.commit()


def case_of_a_file(agent):
    plumb(agent, '100644', 'program.md')


def case_of_a_folder(agent):
    plumb(agent, '100644', 'Judge/reward.py')


def invisible_letter(agent):
    plumb(agent, '100644', 'PROGRAM\u200d.md')


def trailing_dot(agent):
    plumb(agent, '100644', 'FROZEN.')


def symlink(agent):
    (agent.path / 'link').symlink_to('/etc/passwd')
    agent.commit()


def frozen_symlink(agent):
    plumb(agent, '120000', 'judge/reward.py', 'elsewhere')


def submodule(agent):
    index = {'GIT_INDEX_FILE': str(agent.path / '.git' / 'plumbing')}
    agent.git('read-tree', 'HEAD', **index)
    agent.git('update-index', '--add', '--cacheinfo', f'160000,{agent.head()},sub', **index)
    tree = agent.git('write-tree', **index).stdout.strip()
    made = agent.git('commit-tree', '-p', 'HEAD', '-m', 'sub', tree).stdout.strip()
    agent.git('update-ref', 'HEAD', made)


def modules_file(agent):
    agent.commit(__gitmodules='[submodule "x"]\n\tpath = x\n\turl = https://example.org/x\n')


def attributes_filter(agent):
    agent.commit(__gitattributes='*.py filter=run\n')


def attributes_below(agent):
    agent.write('deep/.GitAttributes', '* export-ignore\n')
    agent.commit()


def big_blob(agent):
    agent.commit(weights__bin='x' * 1_000_001)


def big_blob_removed_again(agent):
    big_blob(agent)
    (agent.path / 'weights.bin').unlink()
    agent.commit()


def big_tree(agent):
    for index in range(17):
        agent.write(f'{index}.bin', f'{index}' + 'x' * 990_000)
    agent.commit()


def many_files(agent):
    for index in range(2100):
        agent.write(f'many/{index}', '')
    agent.commit()


def tree_of_trees(agent):
    """Sixteen of everything, eight levels deep: 4 billion files in 2 kB."""
    blob = agent.git('hash-object', '-w', '--stdin', content='x').stdout.strip()
    row, kind = blob, '100644 blob'
    for _ in range(8):
        lines = ''.join(f'{kind} {row}\t{name:02d}\n' for name in range(16))
        row = agent.git('mktree', content=lines).stdout.strip()
        kind = '040000 tree'
    made = agent.git('commit-tree', '-p', 'HEAD', '-m', 'bomb', row).stdout.strip()
    agent.git('update-ref', 'HEAD', made)


def orphan(agent):
    tree = agent.git('rev-parse', 'HEAD^{tree}').stdout.strip()
    made = agent.git('commit-tree', '-m', 'from nowhere', tree).stdout.strip()
    agent.git('update-ref', 'HEAD', made)


def long_message(agent):
    agent.commit('a' * 17_000)


def no_message(agent):
    tree = agent.git('rev-parse', 'HEAD^{tree}').stdout.strip()
    made = agent.git('commit-tree', '-p', 'HEAD', tree, content='').stdout.strip()
    agent.git('update-ref', 'HEAD', made)


def control_characters(agent):
    agent.commit('see \x1b[2Jnothing')


def bad_trailer(agent):
    agent.commit('borrowed\n\nBorrowed-From: somebody else')


BAD = [
    (edit, 'judge/reward.py: frozen'),
    (edit_listed_file, 'FROZEN: frozen'),
    (edit_program, 'PROGRAM.md: frozen'),
    (remove, 'judge/reward.py: frozen'),
    (add_beside, 'judge/extra.py: frozen'),
    (edit_then_revert, 'judge/reward.py: frozen'),
    (merge_smuggling, 'judge/reward.py: frozen'),
    (merge_that_restores, 'judge/reward.py: frozen'),
    (cacheinfo, 'judge/reward.py: frozen'),
    (rename, 'judge/reward.py: frozen'),
    (rename_in_place, 'judge/reward2.py: frozen'),
    (mode_change, 'judge/reward.py: frozen'),
    (case_of_a_file, 'spelling alone'),
    (case_of_a_folder, 'spelling alone'),
    (invisible_letter, 'spelling alone'),
    (trailing_dot, 'spelling alone'),
    (symlink, 'link: is a symbolic link'),
    (frozen_symlink, 'symbolic link'),
    (submodule, 'sub: is a submodule'),
    (modules_file, '.gitmodules: can have filters run'),
    (attributes_filter, '.gitattributes: can have filters run'),
    (attributes_below, 'deep/.GitAttributes: can have filters run'),
    (big_blob, 'weights.bin: has 1000001 bytes'),
    (big_blob_removed_again, 'weights.bin: has 1000001 bytes'),
    (big_tree, 'more than 16000000'),
    (many_files, 'files, more than 2000'),
    (tree_of_trees, 'more than 2000 files'),
    (orphan, 'it has no parent'),
    (long_message, 'more than 16000'),
    (no_message, 'it has no message'),
    (control_characters, 'control characters'),
    (bad_trailer, 'Borrowed-From: somebody else'),
]


@pytest.mark.parametrize(('deed', 'words'), BAD, ids=[deed.__name__ for deed, _ in BAD])
def test_a_bad_commit_is_refused_with_words_that_say_why(hub, agent, deed, words):
    before = refs(hub)
    deed(agent)
    pushed = agent.push()
    assert pushed.returncode != 0
    assert words in pushed.stderr
    assert refs(hub) == before


def another_stations_branch(agent):
    return ['HEAD:refs/heads/station/s2'], 'station s1 may push refs/heads/station/s1 alone'


def a_branch_that_begins_alike(agent):
    return ['HEAD:refs/heads/station/s10'], 'may push refs/heads/station/s1 alone'


def main(agent):
    return ['HEAD:refs/heads/main'], 'may push refs/heads/station/s1 alone'


def a_new_branch(agent):
    return ['HEAD:refs/heads/mine'], 'may push refs/heads/station/s1 alone'


def a_tag(agent):
    return ['HEAD:refs/tags/v1'], 'may push refs/heads/station/s1 alone'


def own_results(agent):
    return ['HEAD:refs/notes/results-s1'], 'may push refs/heads/station/s1 alone'


def a_promotion(agent):
    return ['HEAD:refs/notes/promotions-x'], 'may push refs/heads/station/s1 alone'


def a_claim(agent):
    return ['HEAD:refs/claims/x'], 'may push refs/heads/station/s1 alone'


def a_replacement(agent):
    return ['HEAD:refs/replace/' + '1' * 40], 'may push refs/heads/station/s1 alone'


def what_is_hidden(agent):
    return ['HEAD:refs/incoming/heads/main'], 'hidden ref'


def force(agent):
    agent.git('reset', '-q', '--hard', 'origin/main')
    agent.commit('another past')
    return ['--force', 'HEAD:refs/heads/station/s1'], 'nothing is forced'


def delete(agent):
    return [':refs/heads/station/s1'], 'nothing is deleted'


def a_topic_where_a_branch_is(agent):
    return ['HEAD:refs/heads/station/s1/topic'], 'Git cannot have both'


def good_and_bad_at_once(agent):
    agent.commit('good', policy__py='GAIN = 9\n')
    return ['HEAD:refs/heads/station/s1', 'HEAD:refs/heads/main'], 'may push'


def no_commit(agent):
    tree = agent.git('rev-parse', 'HEAD^{tree}').stdout.strip()
    return [f'{tree}:refs/heads/station/s1', '--force'], 'it is a tree'


@pytest.mark.parametrize(
    'deed',
    [
        another_stations_branch, a_branch_that_begins_alike, main, a_new_branch, a_tag,
        own_results, a_promotion, a_claim, a_replacement, what_is_hidden, force, delete,
        a_topic_where_a_branch_is, good_and_bad_at_once, no_commit,
    ],
    ids=lambda deed: deed.__name__,
)  # fmt: skip
def test_a_ref_that_is_not_its_own_is_refused(hub, agent, deed):
    agent.commit('good', policy__py='GAIN = 2\n')
    assert agent.push().returncode == 0
    before = refs(hub)
    words, expected = deed(agent)
    pushed = agent.push(*words)
    assert pushed.returncode != 0
    assert expected in pushed.stderr + pushed.stdout
    assert refs(hub) == before


def test_notes_that_are_in_the_hub_are_no_way_around_the_rules(hub, agent, key):
    """Their commits are there, but nobody has looked at them."""
    hub.add_result('s1', hub.main, {'trials': 1}, key)
    agent.git('fetch', '-q', 'origin')
    pushed = agent.push('refs/notes/results-s1:refs/heads/station/s1')
    assert pushed.returncode != 0
    assert 'it has no parent' in pushed.stderr


def test_a_good_idea_is_taken(hub, agent):
    idea = agent.commit(
        'Go slower\n\nIdea: slower\nBorrowed-From: 0123abc\nEnvironment: ' + 'a' * 64,
        policy__py='GAIN = 0.5\n',
    )
    pushed = agent.push()
    assert pushed.returncode == 0, pushed.stderr
    assert hub.branches() == {'s1': idea}


def test_a_topic_is_taken_where_no_branch_is_in_its_way(hub, agent):
    idea = agent.commit('Go slower', policy__py='GAIN = 0.5\n')
    assert agent.push('HEAD:refs/heads/station/s1/slow').returncode == 0
    assert hub.branches() == {'s1/slow': idea}


def test_a_merge_of_another_stations_idea_is_taken(hub, agent, join):
    other = join('s2')
    theirs = other.commit('theirs', notes__txt='theirs\n')
    assert other.push().returncode == 0
    agent.commit('mine', policy__py='GAIN = 2\n')
    agent.git('fetch', '-q', 'origin')
    agent.git('merge', '-q', '-m', 'both', theirs)
    pushed = agent.push()
    assert pushed.returncode == 0, pushed.stderr
    assert [(i.subject, i.station) for i in hub.ideas() if i.subject == 'theirs'] == [
        ('theirs', 's2')
    ]


def test_limits_are_the_hubs_own(hub, agent):
    git(hub.path, 'config', 'enpire.blob', '100')
    agent.commit(notes__txt='x' * 101)
    pushed = agent.push()
    assert pushed.returncode != 0
    assert 'notes.txt: has 101 bytes, more than 100' in pushed.stderr


def test_a_hook_that_breaks_takes_nothing(hub, agent):
    git(hub.path, 'config', 'enpire.blob', 'plenty')
    before = refs(hub)
    agent.commit('good')
    pushed = agent.push()
    assert pushed.returncode != 0
    assert 'hub: refused it could not be looked at' in pushed.stderr
    assert refs(hub) == before


def test_the_hook_is_written_once_and_can_be_run(hub):
    hook = hub.path / 'hooks' / 'pre-receive'
    digest, inode = hashlib.sha256(hook.read_bytes()).hexdigest(), hook.stat().st_ino
    install(hub.path)
    assert hook.stat().st_ino == inode
    hook.write_text('#!/bin/sh\nexit 0\n', 'utf-8')
    install(hub.path)
    assert hashlib.sha256(hook.read_bytes()).hexdigest() == digest
    assert os.access(hook, os.X_OK)
