"""Which attempts fit into a dataset."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_support import made_attempt, made_trial
import numpy as np
import pytest

from enpire_nodes.common.errors import StationError
from enpire_nodes.improvement.lerobot.shape import Shape


def shape_of(attempt, **more):
    return Shape.of(made_trial('a', [attempt], **more), attempt, pictures=True)


def test_features_are_in_alphabetical_order_whatever_the_order_of_the_record():
    attempt = made_attempt()
    turned = replace(attempt, features=dict(reversed(attempt.features.items())))
    assert list(shape_of(turned).sizes) == ['elapsed', 'force', 'target', 'tcp']
    np.testing.assert_array_equal(
        shape_of(turned).state(turned.features), shape_of(attempt).state(attempt.features)
    )


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_a_state_is_taken_apart_as_it_was_put_together(widths):
    rng = np.random.default_rng(0)
    features = {f'f{k}': rng.random((3, n), dtype=np.float32) for k, n in enumerate(widths)}
    shape = Shape({name: rows.shape[1] for name, rows in features.items()}, {}, 30)
    found = shape.features(shape.state(features))
    assert list(found) == list(features)
    for name, rows in features.items():
        np.testing.assert_array_equal(found[name], rows)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda f: f.pop('target'), '`target`'),
        (lambda f: f.update(target=np.zeros((5, 2))), '`target`'),
        (lambda f: f.update(tcp=np.zeros(5)), 'tcp is'),
        (lambda f: f.update(tcp=np.zeros((4, 3))), 'tcp is'),
        (lambda f: f.update(tcp=np.full((5, 3), np.nan)), 'not finite'),
    ],
)
def test_what_cannot_be_exported_is_named(change, words):
    attempt = made_attempt(2)
    change(attempt.features)
    with pytest.raises(StationError, match=f'trial a attempt 2: .*{words}'):
        shape_of(attempt)


@pytest.mark.parametrize(
    'images',
    [
        np.zeros((5, 8, 6, 3), dtype=np.uint8),
        np.zeros((5, 8, 8, 3)),
        np.zeros((4, 8, 8, 3), dtype=np.uint8),
        np.zeros((5, 8), dtype=np.uint8),
    ],
)
def test_pictures_of_another_form_are_refused(images):
    with pytest.raises(StationError, match='pictures of left'):
        shape_of(replace(made_attempt(), images={'left': images}))


@pytest.mark.parametrize('rate', [0.0, 29.97, -30.0])
def test_a_rate_that_is_no_whole_number_is_refused(rate):
    with pytest.raises(StationError, match='rate of control'):
        shape_of(made_attempt(), control_rate=rate)


def test_another_rate_than_before_is_refused():
    shape = shape_of(made_attempt())
    other = made_trial('b', control_rate=20.0)
    with pytest.raises(StationError, match=r'trial b .*rate of control 20'):
        shape.check(other, other.attempts[0], pictures=True)
