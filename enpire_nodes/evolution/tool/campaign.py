"""The commands of the agent that are not about one job: status, history, ideas, budgets."""

from __future__ import annotations

import argparse
import os
import sys

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.evolution.desk.views import to_json
from enpire_nodes.evolution.tool.answer import Answer, Place
from enpire_nodes.evolution.tool.words import (
    budget_lines,
    history_lines,
    job_lines,
    status_lines,
    table,
)


def status(place: Place, args: argparse.Namespace) -> Answer:
    """Show where the campaign stands."""
    data = place.desk.status()
    words = str(data.get('next', '')) or '`enpire history` shows what was tried'
    return Answer(data, status_lines(data), words)


def history(place: Place, args: argparse.Namespace) -> Answer:
    """Show what was tried."""
    view = place.desk.history()
    words = view.words or "claim an idea that is not in this list: `enpire idea 'sentence'`"
    return Answer(to_json(view), history_lines(view, everything=args.all), words)


def idea(place: Place, args: argparse.Namespace) -> Answer:
    """Claim a hypothesis."""
    sentence = ' '.join(args.sentence)
    data = place.desk.idea(sentence)
    lines = [str(data.get('message', '')) or ('claimed' if data.get('claimed') else 'taken')]
    earlier = data.get('similar') or []
    if earlier:
        rows = [
            (
                str(item.get('commit', ''))[:10],
                f'{100 * float(item.get("likeness") or 0.0):.0f} %',
                str(item.get('outcome', '')) or '-',
                str(item.get('subject', '')),
            )
            for item in earlier
        ]
        lines += ['earlier ideas like it:', *table(rows, ('commit', 'alike', 'outcome', 'idea'))]
    if not data.get('claimed', True):
        return Answer(data, lines, 'another station tests this now: choose another idea')
    key = str(data.get('key', ''))
    trailer = f" --trailer 'Idea: {key}'" if key else ''
    again = 'say in the commit what you do differently than those; then ' if earlier else ''
    words = f'{again}edit, then `git commit -am "<that sentence>"{trailer}`'
    return Answer(data, lines, f'{words}, then `enpire trial submit`')


def publish(place: Place, args: argparse.Namespace) -> Answer:
    """Propose HEAD for ``main``."""
    clone = place.clone
    clone.clean()
    weights = clone.weights(args.weights)
    clone.push(place.station)
    job = place.desk.publish(clone.head(), place.desk.store(weights) if weights else '')
    words = f'`enpire trial wait {job.job_id}`: it is tested against main on fresh seeds'
    return Answer(to_json(job), job_lines(job), words)


def budget(place: Place, args: argparse.Namespace) -> Answer:
    """Show what may still be used."""
    lines = place.desk.budget()
    words = 'when one is used up, the campaign ends: publish what is good before that'
    return Answer([to_json(line) for line in lines], budget_lines(lines), words)


def peers(place: Place, args: argparse.Namespace) -> Answer:
    """Show the news of the other stations."""
    text = place.desk.peers()
    words = (
        '`git fetch` and `git cherry-pick -x COMMIT` take a recipe over; name it in a trailer '
        '`Borrowed-From: COMMIT`, and test it here'
    )
    return Answer({'text': text}, text.splitlines() or ['no other station has news'], words)


def train(place: Place, args: argparse.Namespace) -> Answer:
    """Become ``python train.py``: the code is the clone's own, and signals reach it."""
    folder = place.clone.path
    if not (folder / 'train.py').is_file():
        raise StationError(ErrorCode.SUPERVISOR_BAD_REQUEST, f'{folder} has no train.py')
    os.chdir(folder)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, 'train.py', *args.rest])
