"""Ideas that change the code of a policy: what it looks at, feels for and does in contact."""

from __future__ import annotations

from collections.abc import Callable
from string import Template as Text
from textwrap import dedent, indent

from enpire_nodes.evolution.researcher.edits import after, before, Edit, Replace
from enpire_nodes.evolution.researcher.idea import Template, Values
from enpire_nodes.evolution.researcher.setting_ideas import SEARCH

_LINES = {
    'begin': '        self._period = 1.0 / control_rate\n',
    'goal': '        goal = np.array([0.0, 0.0, _DEEP])\n',
    'aimed': '        step = goal - tcp\n',
    'done': '        return step\n',
}
_MOVE = '            return Action(delta=self._search(features))\n'


def _code(**places: str) -> Callable[[Values], list[Edit]]:
    """Return a function of the parameters, which stand in the code as ``$name``, lengths in mm.

    :param places: code by where it goes: after ``begin`` or ``goal``, before ``aimed`` or
        ``done``.
    """

    def edits(values: Values) -> list[Edit]:
        made: list[Edit] = []
        for place, code in places.items():
            shown = {name: f'{value:g}' for name, value in values.items()}
            text = indent(Text(dedent(code).lstrip('\n')).substitute(shown), ' ' * 8)
            add = after if place in ('begin', 'goal') else before
            made.append(add(SEARCH, _LINES[place], text))
        return made

    return edits


_look = _code(
    begin='self._seen = None  # (2,) m, of the hand with the tip over the hole\n',
    goal="""
    if features['tip_valid'][0] > 0.5:
        seen = tcp[:2] - features['tip'][:2]
        self._seen = seen if self._seen is None else self._seen + $trust * (seen - self._seen)
    if self._seen is not None:
        goal[:2] = self._seen
    """,
)
_align = _code(
    begin='self._over = False  # whether it has been over the hole\n',
    aimed="""
    self._over = self._over or float(np.hypot(*(goal - tcp)[:2])) < 1e-3 * $near
    if not self._over:
        goal[2] = tcp[2]
    """,
)
_pause = _code(
    begin='self._still = 0.0  # s spent over the hole\n',
    aimed="""
    if float(np.hypot(*(goal - tcp)[:2])) < 0.003:
        self._still += self._period
    if self._still < $wait and tcp[2] > 0.052:
        goal[2] = max(goal[2], tcp[2])
    """,
)
_slide = _code(
    begin='self._angle, self._rim = 0.0, None  # rad, of the spiral; m, where it touched\n',
    done="""
    if self._rim is None and features['force'][2] > 1.0:
        self._rim, self._middle = float(tcp[2]), tcp[:2].copy()
    if self._rim is not None and tcp[2] > self._rim - 0.004:
        pitch = 1e-3 * $pitch
        self._angle += spiral_step(self._angle, pitch=pitch, length=0.04 * self._period)
        self._angle %= 2.0 * np.pi * 0.009 / pitch
        step[:2] = self._middle + archimedean(self._angle, pitch=pitch) - target[:2]
        press = 0.004 * (features['force'][2] - $press) * self._period
        step[2] = float(np.clip(press, -0.001, 0.001))
    """,
)
_yield = _code(
    done="""
    if tcp[2] < 0.046:  # in the hole, whose walls centre the pin: give way
        step[:2] = $share * (tcp[:2] - target[:2])
    """
)
_wiggle = _code(
    done="""
    if features['force'][2] > 1.0:
        turn = 2.0 * np.pi * $rate * float(features['elapsed'][0])
        step[:2] += 1e-3 * $wide * np.array([np.cos(turn), np.sin(turn)])
    """
)
_back_off = _code(
    begin='self._lift, self._bumps = 0.0, 0  # s still to go up; times that it hit the block\n',
    aimed="""
    if features['force'][2] > $force and self._lift <= 0.0:
        self._lift, self._bumps = 0.3, self._bumps + 1
    if self._bumps:  # by the golden angle: every place is a new one
        turn = 2.39996 * self._bumps
        goal[:2] += 1e-3 * $aside * np.array([np.cos(turn), np.sin(turn)])
    if self._lift > 0.0:
        self._lift -= self._period
        goal[2] = tcp[2] + 0.01
    """,
)
_lean = _code(
    aimed="""
    if features['force'][2] > 1.0:
        goal[0] += $gain * float(features['torque'][1])
        goal[1] -= $gain * float(features['torque'][0])
    """
)
_soft = _code(done='step[:2] *= $gain\n')
_elsewhere = _code(
    begin='self._turn = 2.39996 * (attempt - 1)  # rad, by the golden angle\n',
    aimed="""
    aside = 1e-3 * $aside * (self._turn > 0.0)
    goal[:2] += aside * np.array([np.cos(self._turn), np.sin(self._turn)])
    """,
)


def _spiral(values: Values) -> list[Edit]:
    used = 'from enpire_nodes.improvement import archimedean, spiral_step\n\n'
    return [before(SEARCH, '_SPEED = ', used), *_slide(values)]


def _smooth(values: Values) -> list[Edit]:
    averaged = Text(
        "            old = features['tcp'] if self._hand is None else self._hand\n"
        "            self._hand = old + $share * (features['tcp'] - old)\n"
        "            return Action(delta=self._search({**features, 'tcp': self._hand}))\n"
    ).substitute(values)
    begun = after('policy.py', '        self._motion.begin()\n', '        self._hand = None\n')
    return [Replace('policy.py', _MOVE, averaged), begun]


CODE = (
    Template(
        'aim-by-eye', 'aim',
        'Aiming where the cameras see the tip finds the hole more often, because the arm '
        'misreports its hand (weight of a new sighting {trust:g})',
        (_look,), {'trust': (0.3, 0.6, 1.0)}, adds=True,
    ),
    Template(
        'align-first', 'aim',
        'Going down only once the hand is within {near:g} mm of the axis misses fewer holes',
        (_align,), {'near': (1.0, 1.5, 2.0)}, adds=True,
    ),
    Template(
        'pause-above', 'aim',
        'Waiting {wait:g} s over the hole lets the arm settle, and misses fewer holes',
        (_pause,), {'wait': (0.3, 0.6)}, adds=True,
    ),
    Template(
        'spiral', 'contact',
        'On touch, a spiral of {pitch:g} mm pitch under {press:g} N slides the tip into the hole',
        (_spiral,), {'pitch': (1.5, 2.5), 'press': (1.5, 3.0)}, adds=True,
    ),
    Template(
        'give-way', 'force',
        'Giving way sideways in the hole by {share:g} of the strain keeps pins from jamming',
        (_yield,), {'share': (0.15, 0.3, 0.5)}, adds=True,
    ),
    Template(
        'wiggle', 'contact',
        'Circling by {wide:g} mm at {rate:g} Hz while it touches, the pin slips off the rim',
        (_wiggle,), {'wide': (0.5, 1.0, 2.0), 'rate': (2.0, 4.0)}, adds=True,
    ),
    Template(
        'back-off', 'contact',
        'Going up from {force:g} N and down again {aside:g} mm aside finds holes that one push '
        'misses',
        (_back_off,), {'force': (3.0, 6.0), 'aside': (2.0, 4.0)}, adds=True,
    ),
    Template(
        'lean', 'contact',
        'The torque tells on which side the tip is caught: following it by {gain:g} m/(N m) '
        'frees it',
        (_lean,), {'gain': (-0.03, -0.01, 0.01, 0.03)}, adds=True,
    ),
    Template(
        'soft-gain', 'motion',
        'Correcting {gain:g} of the sideways error at a time ends the overshoot that misses holes',
        (_soft,), {'gain': (0.25, 0.5)}, adds=True,
    ),
    Template(
        'smooth-hand', 'motion',
        'Averaging the reported hand (weight {share:g}) takes out the noise that misses holes',
        (_smooth,), {'share': (0.2, 0.4)}, adds=True,
    ),
    Template(
        'elsewhere', 'contact',
        'A second attempt {aside:g} mm aside finds holes that the first one missed',
        (_elsewhere,), {'aside': (2.0, 3.0, 4.0)}, adds=True, retries=True,
    ),
)  # fmt: skip
