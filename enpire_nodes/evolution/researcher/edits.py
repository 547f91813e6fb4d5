"""Edits of source files that say where they belong, and refuse to be made anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re

from enpire_nodes.common.errors import ErrorCode, StationError

RECIPE = 'recipe.yaml'


def _refuse(words: str) -> StationError:
    return StationError(ErrorCode.SUPERVISOR_JOB_REFUSED, words)


@dataclass(frozen=True, slots=True)
class Replace:
    """Put ``new`` where the ``anchor`` is; it must be in the file exactly once."""

    path: str
    anchor: str
    new: str

    def __call__(self, text: str) -> str:
        """Return the edited text."""
        if text.count(self.anchor) != 1:
            raise _refuse(
                f'{self.path}: {self.anchor.strip()[:60]!r} is there {text.count(self.anchor)} '
                'times and should be there once; the idea does not fit this version'
            )
        return text.replace(self.anchor, self.new)


def before(path: str, anchor: str, new: str) -> Replace:
    """Return an edit that adds text before an anchor."""
    return Replace(path, anchor, new + anchor)


def after(path: str, anchor: str, new: str) -> Replace:
    """Return an edit that adds text after an anchor."""
    return Replace(path, anchor, anchor + new)


@dataclass(frozen=True, slots=True)
class Constant:
    """Give a constant of a module another number; tuples of constants have an index."""

    path: str
    name: str
    value: float

    def __call__(self, text: str) -> str:
        """Return the edited text, with the comment of the line kept."""
        line = re.compile(rf'^((?:\w+, )*{self.name}(?:, \w+)* = )([^#\n]+?)( *#.*)?$', re.M)
        found = line.findall(text)
        if len(found) != 1:
            raise _refuse(f'{self.path}: no constant {self.name}; the idea does not fit')
        names = [name.strip() for name in found[0][0].rstrip(' =').split(',')]
        values = [value.strip() for value in found[0][1].split(',')]
        if len(names) != len(values):
            raise _refuse(f'{self.path}: {self.name} is no number; the idea does not fit')
        values[names.index(self.name)] = f'{self.value:g}'
        return line.sub(lambda m: m[1] + ', '.join(values) + (m[3] or ''), text)


@dataclass(frozen=True, slots=True)
class Setting:
    """Give a setting of the recipe another value; its comment stays.

    :param key: ``section.name``, or ``name`` at the top.
    """

    key: str
    value: object
    path: str = RECIPE

    def __call__(self, text: str) -> str:
        """Return the edited text."""
        section, _, name = self.key.rpartition('.')
        lines, inside = text.splitlines(keepends=True), not section
        for at, line in enumerate(lines):
            if section and re.match(r'\w', line):
                inside = line.startswith(section + ':')
            head = re.match(rf'{"  " if section else ""}{name}: ', line)
            if inside and head:
                value = self.value
                shown = str(value).lower() if isinstance(value, bool) else f'{value}'
                lines[at] = f'{head[0]}{shown}\n'
                return ''.join(lines)
        raise _refuse(f'{self.path}: no setting {self.key}; the idea does not fit')


Edit = Replace | Constant | Setting


def apply(files: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Return the files that change, edited; Python files among them still compile.

    :raises StationError: SUPERVISOR_JOB_REFUSED, an edit does not fit, or changes nothing.
    """
    changed: dict[str, str] = {}
    for edit in edits:
        if edit.path not in files:
            raise _refuse(f'{edit.path} is not there; the idea does not fit this version')
        changed[edit.path] = edit(changed.get(edit.path, files[edit.path]))
    changed = {path: text for path, text in changed.items() if text != files[path]}
    if not changed:
        raise _refuse('the idea changes nothing here')
    for path, text in changed.items():
        if path.endswith('.py'):
            try:
                compile(text, path, 'exec')
            except SyntaxError as error:
                raise _refuse(f'{path} would not parse: {error}') from error
    return changed
