"""Ideas that say the same are found; others of the same field are not."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from enpire_nodes.evolution.desk.similar import ALIKE, likeness, similar

IDEAS = [
    'A larger batch size makes the critic less noisy',
    'Search in a wider spiral',
    'Clone with images from the side camera',
]


@pytest.mark.parametrize(
    ('sentence', 'place'),
    [
        ('Increase the batch size so that critics are less noisy', 0),
        ('if I search a wider spiral then fewer trials fail', 1),
        ('Clone the images of the side camera', 2),
    ],
)
def test_another_wording_is_found(sentence, place):
    assert similar(sentence, IDEAS, least=0.4)[0][0] == place


def test_other_ideas_are_not_like_it():
    assert similar('Regularize the actor toward the demonstrations', IDEAS) == []
    assert all(likeness(a, b) < ALIKE for a in IDEAS for b in IDEAS if a is not b)


def test_the_most_alike_come_first_and_are_few():
    found = similar('Search in a wider spiral', ['Search wider', *[IDEAS[1]] * 9], most=3)
    assert [score for _, score in found] == [1.0, 1.0, 1.0]
    assert [place for place, _ in found] == [1, 2, 3]


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_a_symmetric_share(first, second):
    score = likeness(first, second)
    assert 0.0 <= score <= 1.0
    assert score == likeness(second, first)
    assert likeness(first, first) == 1.0
