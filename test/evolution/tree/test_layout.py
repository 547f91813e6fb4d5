"""The plan of a drawing: rows, lanes, and lines that never cross, for any tree."""

from hypothesis import given
from hypothesis import strategies as st

from enpire_nodes.evolution.tree.layout import arrange
from enpire_nodes.evolution.tree.model import Idea, IdeaState, IdeaTree


@st.composite
def trees(draw, most=150):
    count = draw(st.integers(0, most))
    ideas = {}
    for number in range(count):
        parent = f'c{draw(st.integers(0, number - 1))}' if number else ''
        state = draw(st.sampled_from(IdeaState))
        idea = Idea(f'c{number}', parent, 's', 'a', float(number), trials=number % 3, state=state)
        ideas[idea.commit] = idea
    return IdeaTree(ideas, 'c0' if count else '')


@given(trees())
def test_every_idea_has_a_row_of_its_own(tree):
    rows = sorted(place.row for place in arrange(tree).places.values())
    assert rows == list(range(len(tree.ideas)))


@given(trees())
def test_children_are_below_and_never_left_of_their_parents(tree):
    layout = arrange(tree)
    for commit, place in layout.places.items():
        parent = tree.ideas[commit].parent
        if parent:
            assert place.row > layout.places[parent].row
            straight = layout.straight[parent] == commit
            assert place.lane == layout.places[parent].lane + (not straight)


@given(trees())
def test_the_winning_path_is_one_straight_line(tree):
    layout = arrange(tree)
    assert {layout.places[commit].lane for commit in tree.winning} <= {0}


@given(trees())
def test_no_idea_lies_on_a_line_between_others(tree):
    layout = arrange(tree)
    at = {(place.lane, place.row) for place in layout.places.values()}
    for commit, place in layout.places.items():
        parent = tree.ideas[commit].parent
        if parent:
            above = layout.places[parent]
            assert not at & {(above.lane, row) for row in range(above.row + 1, place.row)}


@given(trees())
def test_lanes_are_few(tree):
    off = max(1, len(tree.ideas))
    assert arrange(tree).lanes <= 2 + off.bit_length()
