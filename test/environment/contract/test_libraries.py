"""Libraries are known by what their installer wrote down; what is loaded is held against that."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from importlib import import_module
from pathlib import Path
import site
import sys

import pytest

from enpire_nodes.environment.contract import libraries
from enpire_nodes.environment.contract.libraries import (
    altered_libraries,
    LIBRARIES,
    library_digests,
    library_problems,
    START_UP,
)


def test_libraries_are_known_by_version_and_content():
    found = library_digests()
    assert set(LIBRARIES) < set(found)
    for name in (*LIBRARIES, START_UP):
        number, digest = found[name].split()
        assert number[0].isdigit()
        assert len(digest) == 64
    assert list(library_problems(found)) == []


def test_another_library_is_named_with_both_versions():
    found = library_digests()
    frozen = {**found, 'numpy': f'1.0.0 {"0" * 64}', 'scipy': 'missing'}
    numpy, scipy = library_problems(frozen)
    assert 'library numpy is not the frozen one (1.0.0)' in numpy
    assert found['numpy'].split()[0] in numpy
    assert 'numpy/__init__.py' in numpy
    assert 'library scipy is not the frozen one (missing)' in scipy


def test_a_library_that_another_process_does_not_tell_is_named():
    (problem,) = library_problems({'numpy': '2.0 abc'}, {})
    assert problem == 'library numpy is not the frozen one (2.0): missing'


def test_this_process_runs_the_libraries_as_they_were_installed():
    assert altered_libraries() == []


class Installed:
    """A library of two modules below ``root``, as pip would have installed it."""

    def __init__(self, root: Path) -> None:
        self.root, self.about = root, root / 'toolbox-1.5.dist-info'
        self.file('').parent.mkdir()
        for name in ('__init__', 'more'):
            self.file(name).write_text(f'NAME = {name!r}\n')
        self.about.mkdir()
        text = 'Metadata-Version: 2.1\nName: toolbox\nVersion: 1.5\n'
        (self.about / 'METADATA').write_text(text)
        self.write_record()

    def file(self, name: str) -> Path:
        return self.root / 'toolbox' / f'{name}.py'

    def write_record(self) -> None:
        rows = ['toolbox-1.5.dist-info/RECORD,,', f'../../bin/tool,sha256={self.root.name},1']
        for name in ('__init__', 'more'):
            digest = urlsafe_b64encode(sha256(self.file(name).read_bytes()).digest()).decode()
            rows.append(f'toolbox/{name}.py,sha256={digest.rstrip("=")},9')
        (self.about / 'RECORD').write_text('\n'.join(rows))


@pytest.fixture
def toolbox(tmp_path, monkeypatch):
    monkeypatch.setattr(libraries, 'LIBRARIES', {'toolbox': 'toolbox'})
    monkeypatch.setattr(sys, 'dont_write_bytecode', True)
    monkeypatch.syspath_prepend(tmp_path)
    yield Installed(tmp_path)
    for name in ('toolbox', 'toolbox.more', 'toolbox.late'):
        sys.modules.pop(name, None)


def test_a_loaded_file_that_was_edited_is_named_whenever_that_was(toolbox):
    import_module('toolbox.more')
    assert altered_libraries() == []
    toolbox.file('more').write_text('NAME = 1\n')
    (problem,) = altered_libraries()
    assert problem == (
        'library toolbox is not as it was installed: toolbox.more runs from '
        f'{toolbox.file("more")}'
    )
    toolbox.file('more').unlink()
    assert len(altered_libraries()) == 1


def test_a_module_that_was_added_to_a_library_is_named(toolbox):
    toolbox.file('late').write_text('')
    import_module('toolbox.late')
    (problem,) = altered_libraries()
    assert 'toolbox.late runs from' in problem


def test_a_record_that_was_edited_with_its_file_is_another_library(toolbox):
    before = library_digests()['toolbox']
    assert before.startswith('1.5 ')
    toolbox.file('more').write_text('NAME = 1\n')
    toolbox.write_record()
    libraries._installed.cache_clear()
    assert library_digests()['toolbox'] != before


def test_the_same_library_elsewhere_is_the_same(toolbox, tmp_path, monkeypatch):
    before = library_digests()['toolbox']
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.syspath_prepend(tmp_path / 'elsewhere')
    Installed(tmp_path / 'elsewhere')
    assert library_digests()['toolbox'] == before


def test_a_copy_in_front_of_a_library_is_another_one(toolbox, tmp_path, monkeypatch):
    before = library_digests()['toolbox']
    front = tmp_path / 'front'
    (front / 'toolbox').mkdir(parents=True)
    (front / 'toolbox' / '__init__.py').write_text('')
    monkeypatch.syspath_prepend(front)
    (problem,) = library_problems({'toolbox': before})
    assert f'taken from {front}' in problem
    import_module('toolbox')  # though every file of it were as somewhere a record says
    assert library_digests()['toolbox'] != before


def test_a_library_without_a_record_is_known_by_its_first_file(toolbox):
    (toolbox.about / 'RECORD').unlink()
    libraries._installed.cache_clear()
    before = library_digests()['toolbox']
    assert altered_libraries() == []
    toolbox.file('__init__').write_text('NAME = 1\n')
    assert before.startswith('1.5 ')
    assert library_digests()['toolbox'] != before


# -- what Python runs before anything of ours --------------------------------------------------


@pytest.fixture
def packages(tmp_path, monkeypatch) -> Path:
    """Make a folder of installed packages in place of this machine's."""
    monkeypatch.setattr(site, 'getsitepackages', lambda: [str(tmp_path)])
    (tmp_path / 'paths.pth').write_text('/lab/enpire\n# import this\n')
    return tmp_path


def start_up() -> str:
    return library_digests()[START_UP]


@pytest.mark.parametrize('line', ['import os; os.nice(1)', 'import\tjudge_patch'])
def test_code_in_a_pth_file_is_noticed(packages, line):
    before = start_up()
    (packages / 'more.pth').write_text('/lab/more\n')
    assert start_up() == before  # where modules may come from besides is seen by other means
    (packages / 'zz.pth').write_text(f'{line}\n')
    (problem,) = library_problems({START_UP: before})
    assert problem.startswith('start-up code (*.pth, sitecustomize, usercustomize) is not as')


@pytest.mark.parametrize('name', libraries.START_MODULES)
def test_a_module_that_python_imports_unasked_is_noticed(tmp_path, monkeypatch, name):
    monkeypatch.delitem(sys.modules, name, raising=False)
    before = start_up()
    (tmp_path / f'{name}.py').write_text('print("hello")\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert start_up() != before


@pytest.mark.parametrize(
    ('name', 'act'),
    [
        *(
            (name, lambda patch, name=name: patch.setenv(name, '/evil'))
            for name in ('LD_AUDIT', 'LD_PRELOAD', 'PYTHONHOME')
        ),
        ('PYTHONPYCACHEPREFIX', lambda patch: patch.setattr(sys, 'pycache_prefix', '/evil')),
    ],
)
def test_what_makes_a_process_run_other_code_is_noticed(monkeypatch, name, act):
    before = library_digests()
    act(monkeypatch)
    (problem,) = library_problems(before)
    assert problem == f'{name} is not as it was frozen ({before[name]}): {library_digests()[name]}'
