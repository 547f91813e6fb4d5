"""Modules must come from where they belong; the attacks themselves are in test_attacks.py."""

from __future__ import annotations

from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
import sysconfig
from types import ModuleType

import pytest

from enpire_nodes.environment.contract import running
from enpire_nodes.environment.contract.files import core_files
from enpire_nodes.environment.contract.running import process_problems, shadow_problems

CODE = {'bench/__init__.py': Path('/lab/bench/__init__.py'), 'bench/a.py': Path('/lab/bench/a.py')}


def module(name: str, origin: str) -> ModuleType:
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, SourceFileLoader(name, origin), origin=origin)
    made.__spec__.has_location = True
    return made


def problems(name: str, origin: str) -> list[str]:
    return shadow_problems(CODE, {name: module(name, origin)})


def test_what_belongs_where_it_is_is_no_shadow():
    assert problems('bench', '/lab/bench/__init__.py') == []
    assert problems('bench.a', '/lab/bench/a.py') == []
    assert problems('bench.more.b', '/lab/bench/more/b.py') == []  # another folder's business
    assert problems('somebody', '/anywhere/somebody.py') == []
    assert problems('json', f'{sysconfig.get_path("stdlib")}/json/__init__.py') == []


@pytest.mark.parametrize(
    ('name', 'origin'),
    [
        ('bench', '/evil/bench/__init__.py'),
        ('bench.a', '/evil/a.py'),
        ('bench.more.b', '/evil/b.py'),
        ('json', '/evil/json.py'),
        ('statistics', '/lab/statistics.py'),
        ('sitecustomize', '/evil/sitecustomize.py'),
        ('json', f'{sysconfig.get_path("stdlib")}/../../../evil/json.py'),
    ],
)
def test_a_module_from_elsewhere_is_named_with_its_place(name, origin):
    (problem,) = problems(name, origin)
    assert name in problem
    assert origin in problem


def test_a_module_of_python_may_be_a_link_but_not_one_into_it(tmp_path, monkeypatch):
    """As Debian's ``sitecustomize.py``; whoever writes to Python's own folder needs no link."""
    library, outside = tmp_path / 'python3', tmp_path / 'etc'
    for folder in (library, outside):
        folder.mkdir()
    (outside / 'sitecustomize.py').touch()
    (library / 'sitecustomize.py').symlink_to(outside / 'sitecustomize.py')
    (library / 'statistics.py').touch()
    (outside / 'statistics.py').symlink_to(library / 'statistics.py')
    monkeypatch.setattr(running, '_standard_folders', lambda: (library,))
    assert problems('sitecustomize', str(library / 'sitecustomize.py')) == []
    assert problems('statistics', str(outside / 'statistics.py')) != []


def test_this_process_runs_the_frozen_files():
    assert process_problems(core_files().listing()) == []


def test_a_frozen_module_that_has_no_file_is_named():
    """As one that was made in memory and put in its place."""
    (problem,) = shadow_problems(CODE, {'bench.a': ModuleType('bench.a')})
    assert 'module bench.a runs from no file, not from /lab/bench/a.py' in problem


def test_built_in_modules_have_no_file_to_shadow():
    assert shadow_problems(CODE, {'sys': __import__('sys'), 'odd': None}) == []
