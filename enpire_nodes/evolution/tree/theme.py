"""Colours of all drawings, and how a drawing becomes SVG that follows a page's colours.

The colours of states and activities are of Okabe and Ito's set, which colour-blind people can
tell apart; nothing is told by colour alone.
"""

from __future__ import annotations

import io
import re

import matplotlib as mpl
from matplotlib.figure import Figure

from enpire_nodes.evolution.tree.model import IdeaState
from enpire_nodes.rollout.records import Activity

PAPER, INK, SOFT, LINE = '#ffffff', '#1c2430', '#667180', '#d5dae1'
BLUE, GREEN, ORANGE, SKY, PURPLE, RED = (
    '#0072b2', '#00875f', '#d98200', '#56a8dc', '#b5669a', '#c9511a',
)  # fmt: skip
DEAD = '#9aa3af'
WORK, BAND = '#dfeaf4', '#c3dcef'

STATES = {
    IdeaState.UNTESTED: DEAD,
    IdeaState.DEAD: DEAD,
    IdeaState.ALIVE: SKY,
    IdeaState.BETTER: BLUE,
    IdeaState.CONFIRMED: GREEN,
    IdeaState.MAIN: GREEN,
}
ACTIVITIES = {
    Activity.RESETTING: SKY,
    Activity.EXECUTING: BLUE,
    Activity.VERIFYING: PURPLE,
    Activity.IDLE_WAITING_AGENT: '#e8c26a',
    Activity.IDLE_NO_WORK: '#e3e6ea',
    Activity.FAULTED: RED,
    Activity.ESTOPPED: '#7a2c0c',
    Activity.OFFLINE: '#b9c0c9',
}

#: What each colour is called in a page's style sheet; see the report's template.
NAMES = {
    PAPER: 'paper', INK: 'ink', SOFT: 'soft', LINE: 'line', BLUE: 'blue', GREEN: 'green',
    ORANGE: 'orange', SKY: 'sky', PURPLE: 'purple', RED: 'red', DEAD: 'dead', WORK: 'work',
    BAND: 'band', ACTIVITIES[Activity.IDLE_WAITING_AGENT]: 'waiting',
    ACTIVITIES[Activity.IDLE_NO_WORK]: 'idle', ACTIVITIES[Activity.OFFLINE]: 'offline',
    ACTIVITIES[Activity.ESTOPPED]: 'estop',
}  # fmt: skip

FONTS = ['DejaVu Sans', 'sans-serif']
_SETTINGS = {'svg.fonttype': 'none', 'svg.hashsalt': 'enpire', 'font.family': FONTS}
_PROLOGUE = re.compile(r'^.*?(?=<svg)', re.DOTALL)
_META = re.compile(r'<metadata>.*?</metadata>', re.DOTALL)


def svg(figure: Figure) -> str:
    """Return a figure as an SVG file; the same figure gives the same text."""
    stream = io.StringIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(stream, format='svg', metadata={'Date': None})
    return stream.getvalue()


def inline_svg(figure: Figure, *, prefix: str, label: str) -> str:
    """Return a figure as an element of a page, in the page's colours.

    :param prefix: of the identifiers, so that several figures fit into one page.
    :param label: what it shows, for those who can not see it.
    """
    text = _META.sub('', _PROLOGUE.sub('', svg(figure)))
    for colour, name in NAMES.items():
        text = re.sub(rf'(?<!&){colour}\b', f'var(--{name})', text)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf'\g<1>{prefix}-', text)
    head, rest = text.split('>', 1)
    head = re.sub(r'\s(width|height)="[^"]*"', '', head)
    return f'{head} role="img" aria-label="{label}">{rest}'
