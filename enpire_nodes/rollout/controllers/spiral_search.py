"""Contact search: touch the block, slide a spiral over it with a light press, feel the drop.

A failed attempt is not wasted: the next one of the same trial takes another track, turned and
shifted by half a pitch. If the last one dipped somewhere, as a pin does on the edge of a hole, the
next one searches around that place, and the one after it again around the reported one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from enpire_nodes.rollout.controllers.interface import Action, AttemptContext, Features
from enpire_nodes.rollout.controllers.motion import archimedean, spiral_step, towards
from enpire_nodes.rollout.controllers.settings import setting

_GOLDEN_ANGLE = 2.39996
#: m below the place of touch that tells an edge from the roughness and the drift of a flat top
_DIP = 0.0012
#: m below the reported rim without having felt anything: more than the arm's calibration is wrong
_SURE_DROP = 0.015
#: m short of the wanted depth that is deep enough: the pin may stand on the bottom of the hole
_SHORT = 0.008
#: of the sideways lead of the target over the tool, taken back each control period
_COMPLIANCE = 0.3


@dataclass(frozen=True, slots=True)
class SpiralSearchSettings:
    """Speeds, forces and the shape of the search."""

    grasp_height: float = setting(
        0.050, 'tool centre point above the tip of the pin', unit='m', minimum=0.0, maximum=0.2
    )
    align_speed: float = setting(
        0.03, 'sideways, while it moves over the hole', unit='m/s', minimum=0.001, maximum=0.2
    )
    descend_speed: float = setting(
        0.03, 'downwards, until it touches', unit='m/s', minimum=0.001, maximum=0.1
    )
    contact_force: float = setting(
        1.0, 'vertical force that counts as touching', unit='N', minimum=0.2, maximum=10.0
    )
    press_force: float = setting(
        1.5, 'vertical force to search with', unit='N', minimum=0.2, maximum=10.0
    )
    press_gain: float = setting(
        0.004,
        'vertical speed for each newton too much or too little',
        unit='m/(s N)',
        minimum=0.0,
        maximum=0.05,
    )
    pitch: float = setting(
        0.0025, 'growth of the radius in one turn', unit='m', minimum=0.0005, maximum=0.01
    )
    search_speed: float = setting(0.04, 'along the spiral', unit='m/s', minimum=0.002, maximum=0.1)
    radius: float = setting(
        0.011,
        'at which the spiral starts again from its centre',
        unit='m',
        minimum=0.001,
        maximum=0.03,
    )
    drop: float = setting(
        0.005,
        'descent below the place of touch that counts as having found the hole',
        unit='m',
        minimum=0.001,
        maximum=0.02,
    )
    push_speed: float = setting(
        0.03, 'downwards, in the hole', unit='m/s', minimum=0.001, maximum=0.1
    )
    depth: float = setting(
        0.030, 'of the tip below the rim at which it is done', unit='m', minimum=0.0, maximum=0.06
    )
    push_time: float = setting(
        1.0,
        'time that it keeps pushing at the end of the way',
        unit='s',
        minimum=0.0,
        maximum=10.0,
    )


class _Phase(Enum):
    ALIGN = 1
    DESCEND = 2
    SEARCH = 3
    PUSH = 4


class SpiralSearch:
    """Search for the hole by touch, around the place where the arm believes it to be."""

    Settings = SpiralSearchSettings

    def __init__(self, settings: SpiralSearchSettings) -> None:
        self._settings = settings
        self._dip: np.ndarray | None = None
        self._dipped = 0.0
        self._hinted = False
        self.reset(AttemptContext())

    def reset(self, context: AttemptContext) -> None:
        """Begin an attempt; the first of a trial forgets what was touched before."""
        dip, self._dip, self._dipped = self._dip, None, _DIP
        retry = context.attempt - 1
        self._period = 1.0 / context.control_rate
        self._phase, self._waited = _Phase.ALIGN, 0.0
        self._turn = retry * _GOLDEN_ANGLE
        # half a turn of the angle is half a pitch of radius: the tracks fall between the last ones
        self._first_angle = np.pi * (retry % 2)
        self._angle = self._first_angle
        hinted = dip is not None and retry > 0 and not self._hinted
        self._hinted = hinted
        self._centre = dip if hinted else np.zeros(2)
        self._rim = 0.0

    def step(self, features: Features) -> Action:
        """Decide one control period."""
        self._waited += self._period
        if self._phase is _Phase.ALIGN:
            return self._align(features)
        if self._phase is _Phase.DESCEND:
            return self._descend(features)
        if self._phase is _Phase.SEARCH:
            return self._search(features)
        return self._push(features)

    def _enter(self, phase: _Phase) -> None:
        self._phase, self._waited = phase, 0.0

    def _align(self, features: Features) -> Action:
        tcp = features['tcp']
        if np.hypot(*(tcp[:2] - self._centre)) < 0.0005 or self._waited > 2.0:
            self._enter(_Phase.DESCEND)
        return Action(delta=towards(tcp, self._centre, self._settings.align_speed * self._period))

    def _descend(self, features: Features) -> Action:
        settings, tcp = self._settings, features['tcp']
        if tcp[2] < settings.grasp_height - _SURE_DROP:
            self._rim = settings.grasp_height
            self._enter(_Phase.PUSH)
        elif features['force'][2] > settings.contact_force:
            self._rim = float(tcp[2])
            self._enter(_Phase.SEARCH)
        return Action(delta=np.array([0.0, 0.0, -settings.descend_speed * self._period]))

    def _search(self, features: Features) -> Action:
        settings, tcp, target = self._settings, features['tcp'], features['target']
        if self._rim - tcp[2] > self._dipped:
            self._dip, self._dipped = tcp[:2].copy(), self._rim - tcp[2]
        if tcp[2] < self._rim - settings.drop:
            self._enter(_Phase.PUSH)
            return self._push(features)
        self._angle += spiral_step(
            self._angle, pitch=settings.pitch, length=settings.search_speed * self._period
        )
        if settings.pitch * self._angle / (2.0 * np.pi) > settings.radius:
            self._angle, self._turn = self._first_angle, self._turn + _GOLDEN_ANGLE
        place = self._centre + archimedean(self._angle, pitch=settings.pitch, phase=self._turn)
        speed = settings.press_gain * (features['force'][2] - settings.press_force)
        down = np.clip(speed, -settings.push_speed, settings.push_speed) * self._period
        return Action(delta=np.append(place - target[:2], down))

    def _push(self, features: Features) -> Action:
        settings, tcp, target = self._settings, features['tcp'], features['target']
        bottom = self._rim - settings.depth
        if self._waited > settings.push_time + settings.depth / settings.push_speed:
            if tcp[2] < bottom + _SHORT:
                return Action(done=True)
            # stuck on an edge that felt like a drop: search on, around it
            self._centre = tcp[:2].copy()
            self._angle = self._first_angle
            self._enter(_Phase.SEARCH)
        # the walls of the hole centre the pin: give way sideways
        aside = _COMPLIANCE * (tcp[:2] - target[:2])
        down = max(-settings.push_speed * self._period, min(0.0, bottom - target[2]))
        return Action(delta=np.append(aside, down))
