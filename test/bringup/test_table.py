"""The table of nodes agrees with the package and with the code."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import enpire_nodes
from enpire_nodes.bringup.nodes import CONTAINER
from enpire_nodes.bringup.table import COMPOSITIONS, NODES

ROOT = Path(enpire_nodes.__file__).parents[1]


def installed_executables() -> dict[str, str]:
    tree = ast.parse((ROOT / 'setup.py').read_text())
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == 'NODES':
            return ast.literal_eval(statement.value)
    raise AssertionError('setup.py has no NODES')


def test_every_executable_is_installed_from_the_module_of_the_table() -> None:
    installed = installed_executables()
    wanted = {entry.executable: entry.location.split(':')[0] for entry in NODES.values()}
    wanted[CONTAINER] = 'enpire_nodes.bringup.container'
    assert {name: installed.get(name) for name in wanted} == wanted


@pytest.mark.parametrize('name', list(NODES))
def test_every_node_can_be_imported_and_run(name: str) -> None:
    module_name, attribute = NODES[name].location.split(':')
    module = import_module(module_name)
    assert getattr(module, attribute).__doc__
    assert callable(module.main)


@pytest.mark.parametrize('name', list(COMPOSITIONS))
def test_compositions_name_nodes_that_exist_once(name: str) -> None:
    named = [node for group in COMPOSITIONS[name] for node in group]
    assert set(named) <= set(NODES)
    assert len(set(named)) == len(named)
