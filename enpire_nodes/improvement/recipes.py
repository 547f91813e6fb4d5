"""Reading a recipe: a YAML file that is held against a tree of dataclasses, line by line.

The dataclasses are the workspace's own, so that whoever edits the training code adds a setting
where it is used. Their fields are made by :func:`setting` (with a description, a unit and a range)
or are such dataclasses themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import contextlib
from dataclasses import fields, is_dataclass
import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.rollout.controllers.settings import SettingSpec, specs

Recipe = TypeVar('Recipe')


class RecipeError(StationError):
    """A recipe that cannot be used: file, line, key, what is wrong, and what would be right."""

    def __init__(self, path: Path | str, line: int, key: str, reason: str) -> None:
        where = f'{path}:{line}' if line else f'{path}'
        super().__init__(
            ErrorCode.IMPROVEMENT_RECIPE_INVALID,
            f'{where}: {key}: {reason}' if key else f'{where}: {reason}',
        )
        self.line, self.key = line, key

    def __reduce__(self) -> tuple:
        return StationError, (self.code, self.message)


def read_recipe(path: Path | str, schema: type[Recipe]) -> Recipe:
    """Return the recipe that a file describes; what it leaves out takes its default.

    A schema may have a method ``problems()`` that yields pairs of a dotted key and what is wrong
    with it: for settings that do not fit together.

    :param schema: the dataclass of the whole recipe.
    :raises RecipeError: the file is missing or no YAML, or a key is unknown, given twice, or has a
        value of the wrong type or out of range.
    """
    path = Path(path)
    try:
        root = yaml.compose(path.read_text('utf-8'), Loader=yaml.SafeLoader)
    except OSError as error:
        raise RecipeError(path, 0, '', f'cannot be read: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise RecipeError(path, 0, '', f'is not UTF-8: {error}') from error
    except yaml.YAMLError as error:
        mark = getattr(error, 'problem_mark', None)
        line = mark.line + 1 if mark is not None else 0
        raise RecipeError(path, line, '', f'is no YAML: {_first_line(error)}') from error
    reader = _Reader(path)
    recipe = reader.build(schema, root, ())
    for key, reason in _problems(recipe):
        raise RecipeError(path, reader.line_of(key), key, reason)
    return recipe


def recipe_from(schema: type[Recipe], values: Mapping[str, Any]) -> Recipe:
    """Return the recipe of which :func:`dataclasses.asdict` made ``values``; checkpoints hold it.

    :raises StationError: IMPROVEMENT_CHECKPOINT_UNUSABLE, the schema has changed since.
    """
    below, names = _sections(schema), {item.name for item in fields(schema)}
    if not isinstance(values, Mapping):
        raise StationError(
            ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE,
            f'the weights were trained with {values!r} for the settings of {schema.__name__}, '
            'which is now a section; train again',
        )
    unknown = sorted(set(values) - names)
    if unknown:
        raise StationError(
            ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE,
            f'the weights were trained with the setting {unknown[0]!r}, which {schema.__name__} '
            'does not have; train again',
        )
    return schema(
        **{
            name: recipe_from(below[name], value) if name in below else value
            for name, value in values.items()
        }
    )


def describe(schema: type, indent: int = 0) -> str:
    """Return a recipe with every setting at its default, explained: the text of a new file."""
    pad, lines = '  ' * indent, []
    for spec in _scalars(schema):
        unit = f' [{spec.unit}]' if spec.unit else ''
        choices = f'; one of {", ".join(map(str, spec.choices))}' if spec.choices else ''
        lines += [f'{pad}# {spec.description}{unit}{choices}']
        lines += [f'{pad}{spec.name}: {_yaml(spec.default)}']
    for name, below in _sections(schema).items():
        lines += ['', f'{pad}{name}:  # {_words(below)}', describe(below, indent + 1)]
    return '\n'.join(lines)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, int] = {}

    def line_of(self, key: str) -> int:
        """Return the line of a key, or of the nearest section that is there."""
        while key and key not in self._lines:
            key = key.rpartition('.')[0]
        return self._lines.get(key, 0)

    def build(self, schema: type, node: yaml.Node | None, place: tuple[str, ...]) -> Any:
        """Make the dataclass of one section."""
        below, scalars = _sections(schema), {spec.name: spec for spec in _scalars(schema)}
        values: dict[str, Any] = {}
        for key, entry, line in self._entries(node, place):
            dotted = '.'.join((*place, key))
            if dotted in self._lines:
                raise RecipeError(self._path, line, dotted, 'is given twice')
            self._lines[dotted] = line
            if key in below:
                values[key] = self.build(below[key], entry, (*place, key))
            elif key in scalars:
                values[key] = self._value(scalars[key], entry, dotted)
            else:
                known = [*below, *scalars]
                raise RecipeError(
                    self._path, line, dotted, f'is no setting; {_suggest(key, known)}'
                )
        return schema(**values)

    def _entries(
        self, node: yaml.Node | None, place: tuple[str, ...]
    ) -> Iterator[tuple[str, yaml.Node, int]]:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(':null')):
            return
        if not isinstance(node, yaml.MappingNode):
            reason = 'must be a mapping of settings to values'
            raise RecipeError(self._path, node.start_mark.line + 1, '.'.join(place), reason)
        for key, value in node.value:
            yield str(key.value), value, key.start_mark.line + 1

    def _value(self, spec: SettingSpec, node: yaml.Node, dotted: str) -> Any:
        line = node.start_mark.line + 1
        try:
            value = yaml.SafeLoader('').construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, TypeError) as error:  # an odd tag, a 13th month
            reason = f'is no YAML: {_first_line(error)}'
            raise RecipeError(self._path, line, dotted, reason) from error
        # to YAML 1.1, 1e-4 is a word: it wants 1.0e-4
        if isinstance(spec.default, float) and isinstance(value, str) and not node.style:
            with contextlib.suppress(ValueError):
                value = float(value)
        try:
            return spec.check(value)
        except StationError as error:
            reason = error.message.removeprefix(f'{spec.name} = ')
            raise RecipeError(self._path, line, dotted, reason) from error


def _sections(schema: type) -> dict[str, type]:
    found = {}
    for item in fields(schema):
        factory = item.default_factory
        if isinstance(factory, type) and is_dataclass(factory):
            found[item.name] = factory
    return found


def _scalars(schema: type) -> tuple[SettingSpec, ...]:
    return specs(schema, leave=frozenset(_sections(schema)))


def _problems(recipe: Any) -> Iterable[tuple[str, str]]:
    find = getattr(recipe, 'problems', None)
    return find() if find else ()


def _suggest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f'did you mean {close[0]}?' if close else f'there are {", ".join(sorted(known))}'


def _words(schema: type) -> str:
    return (schema.__doc__ or '').strip().splitlines()[0].rstrip('.')


def _yaml(value: Any) -> str:
    quoted = '"' if isinstance(value, str) and not value.isprintable() else None
    return yaml.safe_dump(value, width=float('inf'), default_style=quoted).splitlines()[0]


def _first_line(error: Exception) -> str:
    return getattr(error, 'problem', None) or str(error).splitlines()[0]
