"""Statistics against those of NumPy."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from enpire_nodes.improvement.lerobot.summary import Pixels, QUANTILES, summarize

NUMBERS = st.floats(-1e3, 1e3, width=32)


@settings(deadline=None)
@given(arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=NUMBERS))
def test_numbers_are_summarized_as_numpy_does(values):
    found = summarize(values)
    exact = values.astype(np.float64)
    for name, wanted in (
        ('min', exact.min(0)), ('max', exact.max(0)), ('mean', exact.mean(0)),
        ('std', exact.std(0)), ('q50', np.median(exact, axis=0)),
    ):  # fmt: skip
        np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-9)
    assert found['count'] == [len(values)]


def test_a_column_of_scalars_has_lists_of_one_and_truth_is_one():
    found = summarize(np.array([True, False, False, False]))
    assert (found['min'], found['max'], found['mean']) == ([0.0], [1.0], [0.25])


PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(3), st.just(3), st.just(3)))


@settings(deadline=None)
@given(PICTURES, PICTURES)
def test_pixels_are_summarized_as_if_all_pictures_were_one_array(first, second):
    found = (Pixels.of(first) + Pixels.of(second)).summary()
    whole = np.concatenate([first, second]) / 255
    for name, wanted in (
        ('min', whole.min((0, 1, 2))), ('max', whole.max((0, 1, 2))),
        ('mean', whole.mean((0, 1, 2))), ('std', whole.std((0, 1, 2))),
    ):  # fmt: skip
        assert np.shape(found[name]) == (3, 1, 1)
        np.testing.assert_allclose(np.ravel(found[name]), wanted, rtol=1e-9, atol=1e-9)
    assert found['count'] == [len(whole)]
    for quantile in QUANTILES:
        wanted = np.quantile(whole, quantile, axis=(0, 1, 2), method='inverted_cdf')
        np.testing.assert_allclose(np.ravel(found[f'q{round(quantile * 100):02d}']), wanted)


def test_every_quantile_that_lerobot_asks_for_is_there():
    keys = {'min', 'max', 'mean', 'std', 'count', 'q01', 'q10', 'q50', 'q90', 'q99'}
    assert set(summarize(np.zeros((3, 2)))) == keys
    assert set(Pixels.of(np.zeros((1, 2, 2, 3), dtype=np.uint8)).summary()) == keys


def test_a_picture_of_one_colour_has_no_spread():
    found = Pixels.of(np.full((2, 4, 4, 3), 51, dtype=np.uint8)).summary()
    assert np.ravel(found['mean']) == pytest.approx([0.2] * 3)
    assert np.ravel(found['std']) == pytest.approx([0] * 3, abs=1e-12)
