"""Tokens over time: none is lost, none is counted twice, none before it was spent."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from enpire_nodes.evolution.accounting import tokens
from enpire_nodes.evolution.records import ModelCall, Tokens

S = 10**9
T0 = 1_700_000_000 * S


def call(start=0.0, first=0.0, end=0.0, **counts):
    made = [T0 + round(value * S) for value in (start, end, first)]
    return ModelCall('c', 'messages', 'm', made[0], made[1], made[2], 200, True, Tokens(**counts))


calls = st.lists(
    st.builds(
        lambda start, wait, write, fresh, output: call(
            start, start + wait, start + wait + write, fresh=fresh, output=output, cached=3
        ),
        st.floats(0, 500), st.floats(0, 50), st.floats(0, 40),
        st.integers(0, 10**6), st.integers(0, 10**5),
    ),
    max_size=8,
)  # fmt: skip


def test_input_counts_at_the_start_and_output_while_it_is_written():
    found = tokens.series([call(10, 50, 110, fresh=600, output=60)], T0, T0 + 180 * S)
    assert found.counts['fresh'].tolist() == [600, 0, 0]
    assert found.counts['output'] == pytest.approx([10, 50, 0])
    assert found.per_minute()['output'] == pytest.approx([10, 50, 0])
    assert found.cumulative()['output'] == pytest.approx([10, 60, 60])
    assert found.total == pytest.approx([610, 50, 0])


def test_an_answer_without_a_length_falls_into_one_bin():
    found = tokens.series([call(60, 60, 60, output=7)], T0, T0 + 120 * S)
    assert found.counts['output'].tolist() == [0, 7]


@given(calls, st.sampled_from([1.0, 17.0, 60.0]))
def test_no_token_is_lost_or_doubled(made, step):
    found = tokens.series(made, T0, T0 + 600 * S, step=step)
    spent = tokens.total(made)
    assert np.sum(found.counts['fresh']) == spent.fresh
    assert np.sum(found.total) == pytest.approx(spent.total)


@given(calls, st.floats(0, 700), st.floats(0, 700))
def test_what_was_spent_only_grows(made, one, other):
    early, late = (tokens.until(made, T0 + round(t * S)) for t in sorted((one, other)))
    assert early.total <= late.total
    assert tokens.until(made, T0 + 1000 * S) == tokens.total(made)
    assert tokens.until(made, T0 - 1) == Tokens()


@given(calls, st.lists(st.integers(0, 700), max_size=5))
def test_many_instants_at_once(made, seconds):
    instants = [T0 + t * S for t in seconds]
    found = tokens.totals_at(made, instants)
    assert found == pytest.approx([tokens.until(made, t).total for t in instants], abs=len(made))


def test_half_of_an_answer():
    spent = tokens.until([call(0, 10, 20, fresh=5, output=100, reasoning=40)], T0 + 15 * S)
    assert spent == Tokens(fresh=5, output=50, reasoning=20)


def test_bins_need_a_length():
    with pytest.raises(ValueError, match='no bins'):
        tokens.series([], T0, T0 + S, step=0.0)
