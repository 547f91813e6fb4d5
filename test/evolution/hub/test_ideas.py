"""Ideas: read from the commits, whoever has them on a branch."""

import pytest

from enpire_nodes.evolution.hub.ideas import trailers


def test_a_new_hub_has_none(hub):
    assert hub.ideas() == []


def test_an_idea_is_a_commit_with_what_it_says(hub, agent):
    first = agent.commit('Go slower\n\nIt jams.\n\nIdea: slower', policy__py='GAIN = 2\n')
    second = agent.commit(f'Go on\n\nParent: {first[:10]}', policy__py='GAIN = 3\n')
    agent.push()
    one, two = hub.ideas()
    assert (one.commit, one.parent, one.subject) == (first, hub.main, 'Go slower')
    assert (two.commit, two.parent, two.borrowed) == (second, first, ())
    assert trailers(one.body)['idea'] == ['slower']
    assert one.station == 's1'
    assert one.stamp_ns > 0
    assert hub.ideas('s2') == []


def test_what_was_borrowed_is_named_in_full(hub, agent, join):
    other = join('s2')
    theirs = other.commit('theirs', notes__txt='theirs\n')
    other.push()
    agent.git('fetch', '-q', 'origin')
    agent.git('cherry-pick', '-x', theirs)
    picked = agent.head()
    said = agent.commit(f'mine\n\nBorrowed-From: {theirs[:9]} (their notes)')
    assert agent.push().returncode == 0
    found = {idea.commit: idea for idea in hub.ideas()}
    assert found[picked].borrowed == (theirs,)
    assert found[said].borrowed == (theirs,)
    assert found[picked].station == 's1'
    assert found[theirs].station == 's2'


def test_one_cannot_take_the_name_of_a_station_that_has_not_got_it(hub, agent, join):
    other = join('s2')
    other.commit('theirs')
    other.push()
    agent.write('notes.txt', 'mine\n')
    agent.git('commit', '-qam', 'forged', GIT_COMMITTER_NAME='s2')
    agent.push()
    assert {idea.subject: idea.station for idea in hub.ideas()} == {
        'theirs': 's2', 'forged': 's1'
    }  # fmt: skip


def test_separators_in_a_message_do_not_split_it(hub, agent):
    agent.commit('tab\there\n\nand\r\nthere')
    agent.commit('next')
    agent.push()
    assert [idea.subject for idea in hub.ideas()] == ['tab\there', 'next']


@pytest.mark.parametrize(
    ('text', 'found'),
    [
        ('', {}),
        ('Idea: a\nidea: b', {'idea': ['a', 'b']}),
        ('Borrowed-From: 0123abc (why: that)', {'borrowed-from': ['0123abc (why: that)']}),
        ('no trailer\nEmpty:', {}),
    ],
)
def test_trailers(text, found):
    assert trailers(text) == found
