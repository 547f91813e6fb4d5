"""The interpreter and its packages, found again inside."""

from pathlib import Path
import subprocess
import sys

from sandbox_support import LIMIT, shut

from enpire_nodes.sandbox import bubblewrap, python


def test_the_same_interpreter_runs_inside_and_finds_its_packages(worlds):
    script = 'import sys, numpy, enpire_nodes; print(sys.executable, sys.prefix, numpy.__file__)'
    argv = [sys.executable, '-c', script]
    outside = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, check=True)
    assert shut(worlds('station').profile, *argv) == outside.stdout


def test_nothing_of_the_sources_but_the_package_is_there(worlds):
    root = Path(python.__file__).parents[2]
    said = shut(worlds('station').profile, 'ls', '-A', str(root)).split()
    assert set(said) <= {'enpire_nodes', Path(sys.prefix).name}


def test_every_link_on_the_way_to_an_interpreter_is_followed(tmp_path, monkeypatch):
    real = tmp_path / 'python-3.11.9' / 'bin' / 'python3.11'
    real.parent.mkdir(parents=True)
    real.touch()
    (tmp_path / 'python-3.11').symlink_to('python-3.11.9')
    program = tmp_path / 'venv' / 'bin' / 'python'
    program.parent.mkdir(parents=True)
    program.symlink_to('../../python-3.11/bin/python3.11')
    monkeypatch.setattr(sys, 'executable', str(program))
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'venv'))
    monkeypatch.setattr(sys, 'base_prefix', str(tmp_path / 'python-3.11.9'))
    found = set(python.folders())
    assert {tmp_path / name for name in ('venv', 'python-3.11', 'python-3.11.9')} <= found


def test_the_systems_own_python_needs_no_folder(monkeypatch):
    for name in ('prefix', 'base_prefix'):
        monkeypatch.setattr(sys, name, '/usr')
    monkeypatch.setattr(sys, 'executable', '/usr/bin/python3')
    assert all(folder.name == 'enpire_nodes' for folder in python.folders())


def test_the_files_of_the_sandbox_are_installed():
    root = Path(bubblewrap.__file__).parents[2]
    code = (
        'import setuptools, runpy\n'
        'setuptools.setup = lambda **given: print(given["package_data"]["enpire_nodes"])\n'
        'runpy.run_path("setup.py")'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=root, capture_output=True, text=True, timeout=LIMIT,
        check=True,
    )  # fmt: skip
    assert 'sandbox/etc/*' in done.stdout


def test_accounts_are_those_of_the_sandbox(worlds):
    said = shut(worlds('station').profile, 'cat', '/etc/passwd')
    assert said == (Path(bubblewrap.__file__).parent / 'etc' / 'passwd').read_text('utf-8')


def test_a_name_of_the_sandbox_itself_is_known(worlds):
    script = 'import socket; print(socket.gethostbyname("localhost"), socket.gethostname())'
    assert shut(worlds('station').profile, sys.executable, '-c', script).split() == [
        '127.0.0.1',
        'station',
    ]
