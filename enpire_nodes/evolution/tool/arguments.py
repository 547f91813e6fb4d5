"""The options of the command ``enpire`` inside the sandbox."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WAIT = 8.0  # s; command lines of agents push what takes longer into the background


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what was asked for; ``rest`` holds the options of ``train`` that are its own."""
    parser = make_parser()
    args, rest = parser.parse_known_args(argv)
    if rest and args.command != 'train':
        parser.error(f'unrecognized arguments: {" ".join(rest)}')
    args.rest = rest
    return args


def make_parser() -> argparse.ArgumentParser:
    """Return the parser; ``command`` and ``action`` name what to do."""
    parser = argparse.ArgumentParser(
        prog='enpire', description='Ask the station for trials, and see what came of them.'
    )
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    _add(commands, 'status', 'where the campaign stands')
    _add_trial(commands)
    _add(commands, 'train', "run this folder's train.py; options are passed on to it")
    history = _add(commands, 'history', 'what was tried, by all stations, and what came of it')
    history.add_argument('--all', action='store_true', help='the oldest ones too')
    idea = _add(commands, 'idea', 'claim a hypothesis; says which earlier ones are like it')
    idea.add_argument('sentence', nargs='+')
    publish = _add(commands, 'publish', 'propose HEAD for main: re-tested, then confirmed')
    _add_weights(publish)
    _add(commands, 'budget', 'what may still be used')
    _add(commands, 'peers', 'news of the other stations')
    return parser


def _add_trial(commands: Any) -> None:
    trial = commands.add_parser('trial', help='robot trials of your commit')
    actions = trial.add_subparsers(dest='action', metavar='ACTION', required=True)
    submit = _add(actions, 'submit', 'push HEAD and queue trials of it')
    submit.add_argument('-n', '--trials', type=int, default=10, help='of each commit (10)')
    submit.add_argument('--attempts', type=int, default=1, help='at most, in each trial (1)')
    submit.add_argument(
        '--against', default='', metavar='COMMIT', help='in turn with it, on the same seeds'
    )
    submit.add_argument(
        '--seeds-of', default='', metavar='JOB', help='draw the same starts as an earlier job'
    )
    submit.add_argument(
        '--explore', action='store_true', help='ungraded, with noise: experience to learn from'
    )
    _add_weights(submit)
    wait = _add(actions, 'wait', 'wait for a job, a few seconds at a time')
    _add_job(wait)
    wait.add_argument('--max', type=float, default=_WAIT, metavar='S', help='seconds (8)')
    _add_job(_add(actions, 'result', 'what a job came to'))
    _add_job(_add(actions, 'cancel', 'run no more trials of a job'))
    log = _add(actions, 'log', 'what happened in a trial, or in the failures of a job')
    log.add_argument('of', metavar='TRIAL|JOB')
    for name, text in (('picture', 'what a camera saw'), ('clip', 'the same, as a film')):
        shown = _add(actions, name, text)
        shown.add_argument('trial', metavar='TRIAL')
        shown.add_argument('--camera', default='', help='the last by name if not given')
        shown.add_argument('-o', '--output', type=Path, metavar='FILE')
        if name == 'picture':
            shown.add_argument('--moment', type=float, default=0.5, help='share of the trial')


def _add(commands: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument('--json', action='store_true', help='as JSON')
    return parser


def _add_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('job', nargs='?', default='', metavar='JOB', help='the newest by default')


def _add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--weights', type=Path, metavar='FILE', help='default: those that `enpire train` published'
    )
