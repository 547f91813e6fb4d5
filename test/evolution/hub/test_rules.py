"""The rules alone, on what no Git would make."""

import pytest

from enpire_nodes.evolution.hub.names import MAIN, NOTHING
from enpire_nodes.evolution.hub.rules import (
    check_commit,
    check_ref,
    check_trailers,
    check_tree,
    frozen_paths,
    Limits,
    parse_updates,
    path_fault,
    Update,
)
from enpire_nodes.evolution.hub.trees import Entry

OLD, NEW = 'a' * 40, 'b' * 40


def entry(path, blob='1', mode='100644', size=1):
    return Entry(path, mode, blob, size)


MAINS = [entry('PROGRAM.md'), entry('judge/a.py'), entry('.gitattributes'), entry('policy.py')]
FROZEN = frozen_paths('judge/\n')


@pytest.mark.parametrize(
    'ref', [MAIN, 'refs/notes/results-s1', 'refs/claims/x', 'refs/heads/station/s2', 'refs/tags/x']
)
def test_a_station_has_its_own_branch_alone(ref):
    assert check_ref(Update(OLD, NEW, ref), 's1')
    assert check_ref(Update(OLD, NEW, 'refs/heads/station/s1'), 's1') == []
    assert check_ref(Update(NOTHING, NEW, 'refs/heads/station/s1/x'), 's1') == []


@pytest.mark.parametrize('ref', [MAIN, 'refs/heads/station/s2', 'refs/notes/results-s1'])
def test_another_hub_deletes_claims_alone(ref):
    assert check_ref(Update(OLD, NEW, ref), '') == []
    assert check_ref(Update(OLD, NOTHING, ref), '')
    assert check_ref(Update(OLD, NOTHING, 'refs/claims/x'), '') == []
    assert check_ref(Update(OLD, NEW, 'refs/heads/other'), '')


def test_the_list_of_the_frozen_is_frozen():
    assert frozen_paths('') == ('FROZEN', 'PROGRAM.md', 'environment.json')
    assert frozen_paths('# why\n\n/judge/ \nFROZEN')[-1] == 'judge'


def test_equal_to_main_is_fine_and_the_rest_is_free():
    assert check_tree([*MAINS[:3], entry('policy.py', '2')], MAINS, FROZEN, Limits()) == []
    assert check_tree(MAINS[:3], MAINS, FROZEN, Limits()) == []


@pytest.mark.parametrize(
    ('entries', 'words'),
    [
        ([entry('PROGRAM.md', '2'), *MAINS[1:]], 'PROGRAM.md: frozen'),
        ([*MAINS, entry('environment.json')], 'environment.json: frozen'),
        ([*MAINS, entry('Environment.JSON')], 'spelling alone'),
        ([*MAINS, entry('POLICY.py')], 'spelling alone'),
        ([*MAINS, entry('\uff30ROGRAM.md')], 'spelling alone'),
        ([*MAINS, entry('judge /b.py')], 'spelling alone'),
        ([*MAINS[:2], entry('.gitattributes', '2')], 'can have filters run'),
        ([*MAINS, entry('a/.GITMODULES')], 'can have filters run'),
        ([*MAINS, entry('x', mode='100664')], 'mode 100664'),
        ([*MAINS, entry('x', mode='120000')], 'symbolic link'),
        ([*MAINS, entry('x', size=1_000_001)], '1000001 bytes'),
        ([*MAINS, *(entry(f'{n}', size=900_000) for n in range(20))], 'more than 16000000'),
        ([*MAINS, *(entry(f'{n}') for n in range(2000))], 'more than 2000'),
    ],
)
def test_what_is_wrong_with_a_tree_is_told(entries, words):
    assert words in '; '.join(check_tree(entries, MAINS, FROZEN, Limits()))


@pytest.mark.parametrize('path', ['a.py', 'a/b-c_d.e', 'größe/ü.py', '.gitignore'])
def test_paths_that_may_be(path):
    assert path_fault(path) == ''


@pytest.mark.parametrize(
    'path',
    ['../a', 'a/../b', '/a', 'a//b', '.git/config', 'a/.GIT', '.g\u200cit/x', '.git /x', 'a\\b',
     'a\nb', '\udcff', 'x' * 201, ''],
)  # fmt: skip
def test_paths_that_may_not_be(path):
    assert path_fault(path)


def test_messages():
    assert check_commit('Go slower\n\nIt jams: größer\n'.encode(), Limits(), orphan=False) == []
    assert check_commit(b'x', Limits(), orphan=True)
    assert check_commit(b' \n', Limits(), orphan=False)
    assert check_commit(b'\xff', Limits(), orphan=False)
    assert check_commit(b'a\x1b[2J', Limits(), orphan=False)
    assert check_commit(b'a' * 16_001, Limits(), orphan=False)


@pytest.mark.parametrize(
    ('name', 'value', 'fine'),
    [
        ('Idea', 'slower', True),
        ('Idea', 'x' * 121, False),
        ('PARENT', '0123abc', True),
        ('Parent', 'the last', False),
        ('Borrowed-From', 'a' * 40 + ' (its gains)', True),
        ('Borrowed-From', 'abc', False),
        ('Environment', 'a' * 64, True),
        ('Environment', 'mine', False),
        ('Signed-off-by', 'anything', True),
    ],
)
def test_trailers_that_mean_something_are_well_formed(name, value, fine):
    assert (check_trailers([(name, value)]) == []) is fine


def test_what_git_tells_a_hook():
    [update] = parse_updates(f'{NOTHING} {NEW} refs/heads/x\n')
    assert update.makes
    assert not update.deletes
    assert update.ref == 'refs/heads/x'
