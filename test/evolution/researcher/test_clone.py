"""Ideas as commits of a real clone and hub."""

from git_support import git
import pytest

from enpire_nodes.common.errors import StationError
from enpire_nodes.evolution.researcher.repository import Repository


@pytest.fixture
def clone(tmp_path):
    seed, hub, place = tmp_path / 'seed', tmp_path / 'hub.git', tmp_path / 'clone'
    seed.mkdir()
    git(seed, 'init', '-q', '-b', 'main')
    (seed / 'policy.py').write_text('x = 1\n')
    git(seed, 'add', '.')
    git(seed, 'commit', '-q', '-m', 'Start')
    git(tmp_path, 'clone', '-q', '--bare', str(seed), str(hub))
    git(hub, 'config', 'receive.denyNonFastForwards', 'true')
    git(tmp_path, 'clone', '-q', str(hub), str(place))
    repository = Repository(place, '/station_1')
    repository.fetch()
    return repository


def message(parent, idea, borrowed=''):
    return f'A sentence\n\nIdea: {idea}\nParent: {parent}\n{borrowed}'


def add(repository, parent, value, idea):
    files = {'policy.py': f'x = {value}\n'}
    commit = repository.commit(parent, files, message(parent, idea))
    repository.push(commit, idea)
    return commit


def test_siblings_are_read_back_with_what_they_say(clone):
    main = clone.main
    first, second = add(clone, main, 2, 'one a=1'), add(clone, main, 3, 'two')
    ideas = {made.commit: made for made in clone.ideas()}
    assert set(ideas) == {first, second}
    assert (ideas[first].idea, ideas[first].parent) == ('one a=1', main)
    assert ideas[first].subject == 'A sentence'
    assert clone.files(first)['policy.py'] == 'x = 2\n'
    assert git(clone.path, 'rev-parse', f'{second}^') == main
    assert git(clone.path, 'status', '--porcelain') == ''


def test_a_station_with_one_branch_gets_its_ideas_in_a_row(clone):
    main = clone.main
    git(clone.path, 'push', '-q', 'origin', f'{main}:refs/heads/station/station_1')
    clone.fetch()
    first, second = add(clone, main, 2, 'one'), add(clone, main, 3, 'two')
    ideas = {made.commit: made for made in clone.ideas()}
    assert ideas[second].parent == main
    assert git(clone.path, 'rev-parse', f'{second}^') == first
    assert clone.files(second)['policy.py'] == 'x = 3\n'


def test_what_another_station_made_is_told_apart(clone):
    other = Repository(clone.path, 'station_2')
    mine, its = add(clone, clone.main, 2, 'one'), add(other, clone.main, 3, 'two')
    assert {made.commit: made.own for made in clone.ideas()} == {mine: True, its: False}
    assert {made.commit: made.own for made in other.ideas()} == {mine: False, its: True}


def test_a_hub_that_is_gone_is_said(clone):
    git(clone.path, 'remote', 'set-url', 'origin', str(clone.path / 'nowhere'))
    with pytest.raises(StationError, match='git fetch'):
        clone.fetch()
