"""What the scripted model has the agents do at a station: find an idea, test it, propose it."""

from __future__ import annotations

from dataclasses import replace
import shlex
from string import Template

from scripted_model import Step

from agents_night.scripts import numbered
from enpire_nodes.evolution.records import Tokens

IDEA = 'Aiming where the cameras see the tip finds the hole more often'
_FILE = 'algorithms/search.py'
_EDIT = Template("""
from pathlib import Path
path = Path('$file')
text = path.read_text()
begin = '        self._period = 1.0 / control_rate\\n'
goal = '        goal = np.array([0.0, 0.0, _DEEP])\\n'
seen = '''\\
        if features['tip_valid'][0] > 0.5:
            self._seen = tcp[:2] - features['tip'][:2]
        if self._seen is not None:
            goal[:2] = self._seen
'''
if '_seen' not in text:
    text = text.replace(begin, begin + '        self._seen = None  # (2,) m\\n')
    path.write_text(text.replace(goal, goal + seen))
""").substitute(file=_FILE)
_JOB = 'enpire trial result --json | sed -n \'s/.*"job_id": *"\\([^"]*\\)".*/\\1/p\' | head -1'
#: An agent that was started again begins with the script anew: it asks only when it has no job.
_ASK = (
    "enpire trial wait --max 1 | grep -q 'not over yet' || "
    'enpire trial submit -n 3 --against main || true'
)
_WAIT = 'enpire trial wait --max 8 || true'


def _begin() -> list[Step]:
    return [
        Step(shell='enpire status', think='Look first.'),
        Step(shell=f'python3 -c {shlex.quote(_EDIT)} && git diff --stat'),
        Step(shell=f'enpire idea {shlex.quote(IDEA)} || true'),
        Step(shell=f'git diff --quiet || git commit -qam {shlex.quote(IDEA)}'),
        Step(shell=_ASK),
        *[Step(shell=_WAIT)] * 3,
        Step(shell='enpire trial result || true'),
        Step(shell=f'enpire trial log "$({_JOB})" || true'),
    ]


def testing() -> list[Step]:
    """Have trials run for as long as it is played; never propose anything."""
    return numbered([*_begin(), Step(shell=f'{_ASK}; {_WAIT}')])


def proposing() -> list[Step]:
    """Test the idea, propose it, and end the turn."""
    last = [
        Step(shell='enpire publish || true'),
        *[Step(shell=_WAIT)] * 3,
        Step(shell='enpire history || true'),
        Step(shell='enpire budget || true'),
        Step(say='The idea is proposed.'),
    ]
    return numbered([*_begin(), *last])


def spending(tokens: int) -> list[Step]:
    """Go on for ever, at ``tokens`` of fresh input a step."""
    return [replace(numbered([Step(shell=_WAIT)])[0], tokens=Tokens(tokens, 0, 0, 100, 70))]
