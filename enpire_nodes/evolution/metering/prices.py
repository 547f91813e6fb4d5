"""What tokens cost: a list that the lab keeps, since providers change theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
import math
from pathlib import Path
from typing import Any

import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.metering.usage import Usage

SCHEMA = 'enpire/prices/1'


@dataclass(frozen=True, slots=True)
class Price:
    """Price of a million tokens by class; NaN where the list does not say.

    :param hour: of what is written into a cache that keeps it for an hour; as ``written`` when
        the list does not say.
    """

    fresh: float = math.nan
    cached: float = math.nan
    written: float = math.nan
    hour: float = math.nan
    output: float = math.nan

    def of(self, usage: Usage) -> float:
        """Return what a call costs; NaN when it took tokens whose price is unknown."""
        tokens, hour = usage.tokens, self.written if math.isnan(self.hour) else self.hour
        parts = (
            (tokens.fresh, self.fresh),
            (tokens.cached, self.cached),
            (tokens.written - usage.hour, self.written),
            (usage.hour, hour),
            (tokens.output, self.output),
        )
        return sum(count * price for count, price in parts if count) / 1e6


class PriceList:
    """Prices by model.

    :param models: name of a model, or a pattern of the shell such as ``name-*`` -> its price. A
        name goes before a pattern, and a longer pattern before a shorter one.
    :param currency: of all of them; empty when there are none.
    """

    def __init__(self, models: Mapping[str, Price] | None = None, currency: str = '') -> None:
        self.currency = currency
        entries = {name.lower(): price for name, price in (models or {}).items()}
        self._models = dict(sorted(entries.items(), key=lambda entry: _rank(entry[0])))

    def __len__(self) -> int:
        return len(self._models)

    @classmethod
    def load(cls, path: Path | str) -> PriceList:
        """Read a list.

        :raises StationError: SUPERVISOR_BAD_REQUEST; it cannot be read, or an entry is wrong.
        """
        try:
            content = yaml.load(Path(path).read_text(encoding='utf-8'), _UniqueKeys)
            return cls._of(content)
        except OSError as error:
            raise _bad(path, f'cannot be read: {error.strerror}') from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise _bad(path, f'is not valid YAML: {error}') from error
        except _Fault as fault:
            raise _bad(path, str(fault)) from fault

    @classmethod
    def _of(cls, content: Any) -> PriceList:
        top = _mapping('the file', content, ('schema', 'currency', 'models'))
        if top.get('schema') != SCHEMA:
            raise _Fault(f'schema must be {SCHEMA!r}, not {top.get("schema")!r}')
        currency, models = top.get('currency', ''), top.get('models') or {}
        if not isinstance(currency, str) or (models and not currency):
            raise _Fault(f'currency must be a text such as USD, not {currency!r}')
        if not isinstance(models, Mapping):
            raise _Fault('models must be a mapping of names to prices')
        prices = {name: _price(name, entry) for name, entry in models.items()}
        if len({name.lower() for name in prices}) < len(prices):
            raise _Fault('models: two names differ in nothing but capitals')
        return cls(prices, currency)

    def find(self, model: str) -> Price | None:
        """Return the price of a model, or None when it is not in the list."""
        name = model.lower()
        for pattern, price in self._models.items():
            if pattern == name or fnmatchcase(name, pattern):
                return price
        return None

    def price(self, model: str, usage: Usage) -> float:
        """Return what a call costs; NaN when that is unknown, and 0 for no tokens at all."""
        if not usage.tokens.total:
            return 0.0
        price = self.find(model)
        return math.nan if price is None else price.of(usage)


class _Fault(Exception):  # noqa: N818, it is never seen outside
    """One entry of the file is wrong."""


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Make the mapping, if its keys differ."""
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key {key!r} is given twice', node.start_mark
                )
        return super().construct_mapping(node, deep)


def _price(name: Any, entry: Any) -> Price:
    if not isinstance(name, str) or not name.strip():
        raise _Fault(f'models: {name!r} is no name of a model; put it in quotes')
    key = f'models.{name}'
    given = _mapping(key, entry, [field.name for field in fields(Price)])
    for kind, number in given.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise _Fault(f'{key}.{kind}: must be a number, not {number!r}')
        if not 0.0 <= number < math.inf:
            raise _Fault(f'{key}.{kind}: must be 0 or more, not {number!r}')
    for kind in ('fresh', 'output'):
        if kind not in given:
            raise _Fault(f'{key}: the price of {kind} tokens is missing')
    return Price(**{kind: float(number) for kind, number in given.items()})


def _mapping(key: str, content: Any, known: Iterable[str]) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise _Fault(f'{key} must be a mapping')
    for name in content:
        if name not in known:
            raise _Fault(f'{key}: {name!r} is unknown; known: {", ".join(known)}')
    return content


def _rank(pattern: str) -> tuple[bool, int]:
    return any(sign in pattern for sign in '*?['), -len(pattern)


def _bad(path: Path | str, words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_BAD_REQUEST, f'price list {path}: {words}')
