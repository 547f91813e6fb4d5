"""Scenes of the pin task that a judge must tell apart, drawn at random by their kind.

Two props let physics do what a clean bench never shows: a plug raises the bottom of the hole, as
dirt would, and a card hangs between a camera and the block. Lengths in m, angles in rad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TYPE_CHECKING

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.geometry import quaternion_from_matrix
from enpire_nodes.tasks.api import Pose
from enpire_nodes.tasks.pin_insertion import scene
from enpire_nodes.tasks.pin_insertion.grasping import HAND_DOWN
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.staging import Staging

if TYPE_CHECKING:
    import mujoco

#: Every kind of scene, and whether it is a success.
KINDS: Mapping[str, bool] = {
    'inserted': True,
    'on_rim': False,
    'beside': False,
    'behind': False,
    'tilted': False,
    'half_inserted': False,
    'held': False,
    'missing': False,
    'lying': False,
    'occluded': False,
    'wrong_hole_force': False,
}

_UP = np.array([0.0, 0.0, 1.0])
_LEVEL = np.array([0.0, 0.0, 0.0, 1.0])
_AWAY = Pose(np.array([-0.6, 0.9, -0.6]), _LEVEL)
_PLUG_HALF = 0.020
_CARD = (0.045, 0.030)  # half of its width and of its height
_CARD_COLOURS = (
    (0.30, 0.30, 0.32, 1.0),
    (0.08, 0.08, 0.09, 1.0),
    (0.85, 0.85, 0.83, 1.0),
    (0.86, 0.66, 0.54, 1.0),  # a hand of flesh
)
_TRIES = 1000  # draws of a place before the tray counts as too small
_FULL = 'the tray has no place for a pin beside the block; enlarge tray.size'
_HIDDEN = ('on_rim', 'beside', 'behind', 'tilted', 'half_inserted', 'held', 'missing')


@dataclass(slots=True, eq=False)
class _Draw:
    """One scene in the making: where its block stands, and where dice come from."""

    hole: np.ndarray  # (3,) centre of the edge
    cameras: Mapping[str, Camera]
    rng: np.random.Generator

    def uniform(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def heading(self) -> np.ndarray:
        """Return a level (3,) unit vector."""
        angle = self.uniform(0.0, 2.0 * np.pi)
        return np.array([np.cos(angle), np.sin(angle), 0.0])


class PinStager:
    """Draws scenes; see :class:`~enpire_nodes.tasks.staging.Stager`.

    :param settings: of the task.
    """

    kinds = KINDS

    def __init__(self, settings: PinInsertionSettings) -> None:
        self._settings = settings
        self._makers: dict[str, Callable[[_Draw], Staging]] = {
            kind: getattr(self, f'_{kind}') for kind in KINDS
        }

    def add_props(self, spec: mujoco.MjSpec) -> None:
        """Add the plug and the card, out of the way."""
        import mujoco

        plug = spec.worldbody.add_body(name='plug', mocap=True, pos=_AWAY.position)
        plug.add_geom(
            name='plug',
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            size=[self._settings.block.hole_radius - 0.0005, _PLUG_HALF, 0],
            rgba=(0.02, 0.36, 0.36, 1.0),
        )
        card = spec.worldbody.add_body(name='card', mocap=True, pos=_AWAY.position)
        card.add_geom(
            name='card',
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[*_CARD, 0.001],
            contype=0,
            conaffinity=0,
        )

    def stage(self, kind: str, cameras: Mapping[str, Camera], rng: np.random.Generator) -> Staging:
        """Draw a scene.

        :raises KeyError: an unknown kind.
        :raises ValueError: the tray is too small for it.
        """
        block, tray = self._settings.block, self._settings.tray
        place = np.array(block.centre) + rng.uniform(-block.spread, block.spread, 2)
        floor = np.array([*place, tray.height])
        draw = _Draw(floor + block.height * _UP, cameras, rng)
        staged = self._makers[kind](draw)
        return replace(staged, placed={'block': Pose(floor, _LEVEL), **staged.placed})

    def shows(self, kind: str, truth: Mapping[str, Any]) -> bool:
        """Tell whether a scene that came to rest is what its kind says."""
        tip, axis = truth['pin_tip'] - truth['hole_position'], truth['pin_axis']
        beside, upright = float(np.hypot(*tip[:2])), float(axis[2])
        if bool(truth['success']) is not KINDS[kind]:
            return False
        if kind == 'on_rim':
            return upright > 0.95 and abs(tip[2]) < 0.003
        if kind == 'beside':
            return tip[2] < -0.010 and beside > self._settings.block.radius and upright > 0.5
        if kind == 'behind':
            return beside > self._settings.block.radius and upright > 0.95
        if kind == 'tilted':
            return 0.001 < truth['depth'] < 0.018 and 0.5 < upright < 0.985
        if kind == 'half_inserted':
            return -0.001 < truth['depth'] < 0.017 and upright > 0.93 and beside < 0.004
        if kind == 'held':
            return tip[2] > -0.018 and upright > 0.8
        if kind == 'missing':
            return tip[2] < -0.3
        if kind == 'lying':
            return upright < 0.4
        return True

    def _staging(self, draw: _Draw, pin: Pose, hand: np.ndarray, **other: Any) -> Staging:
        """Return a scene whose fixture is off by what the reset's eyes are off by."""
        seen = draw.hole + draw.rng.normal(0.0, 0.001, 3)
        other.setdefault('width', self._settings.grasp.open_width)
        return Staging(
            Pose(seen, _LEVEL), Pose(hand, HAND_DOWN.copy()), free={'pin': pin}, **other
        )

    def _pin(self, tip: np.ndarray, axis: np.ndarray = _UP) -> Pose:
        """Return the pose of a pin by its lower end and its direction."""
        axis = axis / np.linalg.norm(axis)
        other = np.array([1.0, 0.0, 0.0]) if abs(axis[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
        first = np.cross(other, axis)
        first /= np.linalg.norm(first)
        turn = np.stack([first, np.cross(axis, first), axis], axis=1)
        return Pose(tip + self._settings.pin.length / 2.0 * axis, quaternion_from_matrix(turn))

    def _gripped(
        self, draw: _Draw, tip: np.ndarray, *, slip: float, tilt: float = 0.0, **other: Any
    ) -> Staging:
        """Return a scene with the pin in the hand, ``slip`` higher in it than it should be."""
        axis = np.array([0.0, np.sin(tilt), np.cos(tilt)])  # the pads let it turn about x alone
        hand = tip + (self._settings.grasp.height - slip) * axis
        return self._staging(
            draw,
            self._pin(tip, axis),
            hand,
            gripped='pin',
            width=2.0 * self._settings.pin.radius,
            wait=0.2,
            **other,
        )

    def _left(self, draw: _Draw, pin: Pose, **other: Any) -> Staging:
        """Return a scene whose pin the hand has let go, around it or well above the block."""
        tip = pin.position - self._settings.pin.length / 2.0 * _UP
        if other.pop('around', False):
            hand = tip + (self._settings.grasp.height + draw.uniform(-0.004, 0.012)) * _UP
        else:
            hand = draw.hole + draw.rng.uniform(-0.02, 0.02, 3) + 0.115 * _UP
        return self._staging(draw, pin, hand, **other)

    def _plug(self, draw: _Draw, depth: float) -> dict[str, Pose]:
        """Return the plug that makes the hole ``depth`` deep."""
        return {'plug': Pose(draw.hole - (depth + _PLUG_HALF) * _UP, _LEVEL)}

    def _inserted(self, draw: _Draw) -> Staging:
        bottom = self._settings.block.hole_depth
        depth = bottom if draw.chance(0.5) else draw.uniform(0.024, bottom)
        tip = draw.hole - max(depth - draw.uniform(0.0, 0.003), 0.023) * _UP
        tip = tip + draw.uniform(0.0, 0.0006) * draw.heading()
        placed = self._plug(draw, depth) if depth < bottom else {}
        return self._gripped(
            draw,
            tip,
            slip=draw.uniform(-0.003, 0.006),
            tilt=draw.uniform(-0.03, 0.03),
            press=draw.uniform(0.0, 0.004),
            placed=placed,
        )

    def _on_rim(self, draw: _Draw) -> Staging:
        block = self._settings.block
        aside = draw.uniform(block.hole_radius + 0.001, block.radius - 0.004)
        tip = draw.hole + aside * draw.heading() + 0.0002 * _UP
        return self._left(draw, self._pin(tip), around=draw.chance(0.5))

    def _beside(self, draw: _Draw) -> Staging:
        block, pin = self._settings.block, self._settings.pin
        gap = draw.uniform(0.0015, 0.016)
        for _ in range(_TRIES):
            out = draw.heading()
            foot = draw.hole + (block.radius + pin.radius + gap) * out
            if self._within_tray(foot, pin.radius + 0.001):
                break
        else:
            raise ValueError(_FULL)
        foot[2] = self._settings.tray.height + 0.0003
        if draw.chance(0.5):  # standing
            return self._left(draw, self._pin(foot), around=draw.chance(0.3))
        lean = np.arctan2(gap, block.height) * draw.uniform(0.8, 1.0)
        foot[2] += pin.radius * np.sin(lean)
        return self._left(draw, self._pin(foot, np.cos(lean) * _UP - np.sin(lean) * out), wait=0.5)

    def _behind(self, draw: _Draw) -> Staging:
        """Stand or hold it where a camera sees it in line with the hole."""
        block, pin = self._settings.block, self._settings.pin
        least = block.radius + pin.radius + 0.002
        for _ in range(_TRIES):
            camera = draw.cameras[str(draw.rng.choice(self._settings.cameras))]
            line = draw.hole - camera.position
            line = np.array([*line[:2], 0.0]) / np.hypot(*line[:2])
            across = np.array([-line[1], line[0], 0.0])
            away = draw.uniform(least, 0.090) * (1.0 if draw.chance(0.75) else -1.0)
            spot = draw.hole + away * line + draw.uniform(-0.004, 0.004) * across
            if self._within_tray(spot, pin.radius + 0.001):
                break
        else:
            raise ValueError(_FULL)
        floor = self._settings.tray.height
        if draw.chance(0.6):
            tip = np.array([*spot[:2], floor + 0.0003])
            return self._left(draw, self._pin(tip), around=draw.chance(0.3))
        tip = np.array([*spot[:2], floor + draw.uniform(0.004, 0.04)])
        return self._gripped(draw, tip, slip=draw.uniform(-0.004, 0.008))

    def _tilted(self, draw: _Draw) -> Staging:
        block, pin = self._settings.block, self._settings.pin
        depth = draw.uniform(0.003, 0.014)
        room = 2.0 * (block.hole_radius - pin.radius)
        lean = np.arctan2(room, depth) * draw.uniform(0.5, 0.9)
        out = draw.heading()
        tip = draw.hole - (depth - pin.radius * np.sin(lean)) * _UP - room / 2.5 * out
        return self._left(
            draw,
            self._pin(tip, np.cos(lean) * _UP + np.sin(lean) * out),
            placed=self._plug(draw, depth),
            wait=0.6,
        )

    def _half_inserted(self, draw: _Draw) -> Staging:
        depth = draw.uniform(0.0, 0.016)
        tip = draw.hole - (depth - 0.0003) * _UP + draw.uniform(0.0, 0.001) * draw.heading()
        placed = self._plug(draw, depth)
        if draw.chance(0.5):
            return self._left(draw, self._pin(tip), placed=placed, around=draw.chance(0.5))
        # the arm takes the pin to be deeper than it is: it was pushed up in the fingers
        slip = min(0.022, max(0.0, 0.018 - depth) + draw.uniform(0.0, 0.006))
        return self._gripped(draw, tip, slip=slip, press=draw.uniform(0.0, 0.003), placed=placed)

    def _held(self, draw: _Draw) -> Staging:
        if draw.chance(0.5):  # over the hole
            tip = draw.hole + draw.uniform(0.0, 0.012) * draw.heading()
            return self._gripped(
                draw, tip + draw.uniform(0.002, 0.03) * _UP, slip=draw.uniform(-0.004, 0.008)
            )
        depth = draw.uniform(0.002, 0.014)  # in it, and not deep enough to be let go
        tip = draw.hole - depth * _UP
        return self._gripped(
            draw, tip, slip=draw.uniform(-0.006, 0.0), press=draw.uniform(0.0, 0.004)
        )

    def _missing(self, draw: _Draw) -> Staging:
        gone = Pose(_AWAY.position + [0.1, 0.0, 0.0], _LEVEL)
        hand = draw.hole + [*draw.rng.uniform(-0.02, 0.02, 2), draw.uniform(0.03, 0.12)]
        width = draw.uniform(0.0, self._settings.grasp.open_width)
        return self._staging(draw, gone, hand, width=width)

    def _lying(self, draw: _Draw) -> Staging:
        tray, pin = self._settings.tray, self._settings.pin
        along = draw.heading()
        if draw.chance(0.5):  # across the block
            middle = draw.hole + draw.uniform(0.0, 0.018) * draw.heading()
            middle = middle + (pin.radius + 0.0003) * _UP
        else:
            spot = scene.free_spot(self._settings, draw.rng, draw.hole[:2], 0.042)
            middle = np.array([*spot, tray.height + pin.radius + 0.0003])
        return self._left(draw, self._pin(middle - pin.length / 2.0 * along, along), wait=0.5)

    def _occluded(self, draw: _Draw) -> Staging:
        """Hide part of a camera's view of another scene, by a card or by the other hand."""
        staged = self._makers[str(draw.rng.choice(_HIDDEN))](draw)
        camera = draw.cameras[str(draw.rng.choice(self._settings.cameras))]
        near = draw.uniform(0.72, 0.86)  # from the camera to the hole
        if draw.chance(0.25):
            spot = draw.hole + draw.uniform(-0.01, 0.03) * _UP
            return replace(
                staged,
                other_hand=Pose(
                    camera.position + near * (spot - camera.position), HAND_DOWN.copy()
                ),
            )
        reach = _CARD[1] / near
        height = float(
            draw.rng.choice(
                [
                    draw.uniform(0.024, 0.045) + reach,  # its lower edge cuts the pin short
                    draw.uniform(0.000, 0.015) - reach,  # its upper edge hides the pin's foot
                    draw.uniform(0.000, 0.030),
                ]
            )
        )
        spot = draw.hole + height * _UP
        spot = spot + draw.uniform(-0.02, 0.02) * camera.rotation[:, 0]
        card = Pose(
            camera.position + near * (spot - camera.position),
            quaternion_from_matrix(camera.rotation),
        )
        colour = _CARD_COLOURS[int(draw.rng.integers(len(_CARD_COLOURS)))]
        return replace(staged, placed={**staged.placed, 'card': card}, colours={'card': colour})

    def _wrong_hole_force(self, draw: _Draw) -> Staging:
        """Let walls be felt where no success is: shallow, on the edge, or in the cradle."""
        cradle, tray = self._settings.cradle, self._settings.tray
        where = draw.uniform(0.0, 1.0)
        if where < 0.4:
            depth = draw.uniform(0.003, 0.016)
            tip = draw.hole - (depth - 0.0003) * _UP
            return self._gripped(
                draw,
                tip,
                slip=min(0.022, 0.020 - depth + draw.uniform(0.0, 0.006)),
                tilt=draw.uniform(-0.06, 0.06),
                press=draw.uniform(0.0, 0.003),
                placed=self._plug(draw, depth),
            )
        if where < 0.7:
            bore = np.array([*cradle.centre, tray.height + cradle.floor + 0.0005])
            return self._gripped(draw, bore, slip=draw.uniform(-0.002, 0.008))
        aside = draw.uniform(0.003, 0.020)
        tip = draw.hole + aside * draw.heading() + 0.0003 * _UP
        return self._gripped(
            draw, tip, slip=draw.uniform(0.014, 0.022), press=draw.uniform(0.002, 0.006)
        )

    def _within_tray(self, spot: np.ndarray, margin: float) -> bool:
        tray = self._settings.tray
        room = np.asarray(tray.size) / 2.0 - margin
        return bool((np.abs(spot[:2] - tray.centre) < room).all())
