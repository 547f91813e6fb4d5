"""The command itself: finding subcommands, and exit codes."""

from __future__ import annotations

import argparse
import sys
import types

import pytest

from enpire_nodes.cli import main as module
from enpire_nodes.cli.main import COMMANDS, main, make_parser
from enpire_nodes.common.errors import ErrorCode, StationError


@pytest.fixture
def command(monkeypatch):
    """Return a subcommand ``trials`` that does what the test says."""
    fake = types.ModuleType('enpire_nodes.cli.trials')

    def add_parser(subparsers):
        subparsers.add_parser('trials').set_defaults(run=lambda args: fake.body(args))

    fake.add_parser = add_parser
    monkeypatch.setitem(sys.modules, 'enpire_nodes.cli.trials', fake)
    return fake


def test_every_subcommand_is_there_and_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(['--help'])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)
    assert 'not available' not in shown


def test_only_the_module_that_is_asked_for_is_imported():
    choices = make_parser(['trials'])._subparsers._group_actions[0].choices
    assert list(choices) == ['trials']


def test_the_exit_code_is_the_subcommands(command):
    command.body = lambda args: 7
    assert main(['trials']) == 7


def test_an_error_of_the_station_is_one_line(command, capsys):
    def body(args: argparse.Namespace) -> int:
        raise StationError(ErrorCode.RUNNER_STATION_LOCKED, 'held by process 5; stop it first')

    command.body = body
    assert main(['trials']) == 1
    told = capsys.readouterr().err
    assert told == 'enpire trials: held by process 5; stop it first [RUNNER_STATION_LOCKED]\n'


def test_an_interrupt_is_130(command):
    def body(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    command.body = body
    assert main(['trials']) == 130


def test_a_subcommand_without_ros_says_how_to_get_it(monkeypatch, capsys):
    def refuse(name: str) -> object:
        raise ImportError("No module named 'rclpy'")

    monkeypatch.setattr(module, 'import_module', refuse)
    assert main(['run']) == 1
    assert 'make setup' in capsys.readouterr().err


def test_an_unknown_subcommand_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(['dance'])
    assert stopped.value.code == 2
