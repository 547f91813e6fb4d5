"""Numbers in words."""

import pytest

from enpire_nodes.evolution.report.words import count, duration, minutes, money, percent, points


@pytest.mark.parametrize(
    ('value', 'digits', 'words'),
    [(None, 0, '–'), (1.0, 0, '100 %'), (0.9995, 0, '> 99 %'), (0.996, 0, '99.6 %'),
     (0.9418, 1, '94.2 %'), (0.0, 0, '0 %')],
)  # fmt: skip
def test_a_share_is_never_rounded_up_to_all(value, digits, words):
    assert percent(value, digits).replace('\xa0', ' ') == words


def test_spans():
    assert [duration(v) for v in (None, 5, 89.4, 120, 5400, 9780)] == [
        '–', '5 s', '89 s', '2 min', '1 h 30 min', '2 h 43 min',
    ]  # fmt: skip
    assert minutes(90.0) == '1.5'


def test_numbers():
    assert [count(v) for v in (None, 12, 9999, 26_900, 4_390_000, 2.1e9)] == [
        '–', '12', '9,999', '26.9 k', '4.39 M', '2.1 G',
    ]  # fmt: skip
    assert money(2.136, 'USD') == '2.14 USD'
    assert points(-0.42) == '\N{MINUS SIGN}42'
