"""Numbers in words, as the report's template uses them; a missing one is a dash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NOTHING = '–'


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share in percent, rounded down where it would else read 100 and is not."""
    if value is None:
        return NOTHING
    text = f'{value * 100:.{digits}f}'
    if value < 1.0 and float(text) >= 100.0:
        text = f'{value * 100:.{digits + 1}f}'
        text = text if float(text) < 100.0 else '> 99'
    return f'{text}\N{NO-BREAK SPACE}%'


def points(value: float | None) -> str:
    """Return a difference of shares in points."""
    return NOTHING if value is None else f'{value * 100:+.0f}'.replace('-', '\N{MINUS SIGN}')


def duration(seconds: float | None) -> str:
    """Return a span in the units that fit it."""
    if seconds is None:
        return NOTHING
    if seconds < 90.0:
        return f'{seconds:.0f} s'
    minutes = round(seconds / 60.0)
    return f'{minutes} min' if minutes < 90 else f'{minutes // 60} h {minutes % 60:02d} min'


def minutes(seconds: float | None) -> str:
    """Return a span in minutes."""
    return NOTHING if seconds is None else f'{seconds / 60.0:.1f}'


def count(value: float | None) -> str:
    """Return a large number with few digits."""
    if value is None:
        return NOTHING
    for limit, unit in ((1e9, ' G'), (1e6, ' M'), (1e4, ' k')):
        if abs(value) >= limit:
            scaled = value / (1e3 if unit == ' k' else limit)
            return f'{scaled:.3g}{unit}'
    return f'{value:,.0f}'


def money(value: float | None, currency: str) -> str:
    """Return a price."""
    return NOTHING if value is None else f'{value:.2f} {currency}'.strip()


def plain(name: str) -> str:
    """Return a name of a field or an enum as words."""
    return name.replace('_', ' ').lower()


FILTERS: dict[str, Callable[..., Any]] = {
    'percent': percent,
    'points': points,
    'duration': duration,
    'minutes': minutes,
    'count': count,
    'money': money,
    'plain': plain,
}
