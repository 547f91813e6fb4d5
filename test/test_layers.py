"""Imports point one way: no part of the house knows of one above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / 'enpire_nodes'
#: Part of the house -> parts that it may import; everything may import ``common``.
MAY_IMPORT = {
    'common': set(),
    'ros': set(),
    'sandbox': set(),
    'simulation': set(),
    'tasks': set(),
    'environment': {'ros', 'tasks'},
    'drivers': {'environment', 'ros', 'simulation', 'tasks'},
    'rollout': {'environment', 'ros', 'sandbox', 'tasks'},
    'improvement': {'rollout', 'simulation', 'tasks'},
    'evolution': {'environment', 'improvement', 'rollout', 'ros', 'sandbox', 'tasks'},
    'bringup': {'ros', 'tasks'},
}
#: What is at the top, and may import anything.
TOP = {'benchmark', 'cli'}


def imported(part: str) -> Iterator[tuple[str, Path]]:
    """Yield the parts that a part imports, and where."""
    for path in (ROOT / part).rglob('*.py'):
        if 'template' in path.parts:
            continue  # code of workspaces, which nobody imports
        for node in ast.walk(ast.parse(path.read_text('utf-8'))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                head, _, rest = name.partition('.')
                if head == 'enpire_nodes' and rest:
                    yield rest.split('.')[0], path


def test_every_part_has_its_place():
    parts = {path.parent.name for path in ROOT.glob('*/__init__.py')}
    assert parts == set(MAY_IMPORT) | TOP


@pytest.mark.parametrize('part', sorted(MAY_IMPORT))
def test_imports_point_one_way(part):
    allowed = MAY_IMPORT[part] | {'common', part}
    wrong = {f'{path.relative_to(ROOT)}: {name}' for name, path in imported(part)
             if name not in allowed}  # fmt: skip
    assert wrong == set()
