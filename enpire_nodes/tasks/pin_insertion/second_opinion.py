"""How deep the pin stands, measured once more, by another method than the judge's.

The judge (``verify``) segments by hue, looks at each picture by itself, lets a hand feel for
walls, and takes votes. Here colours are told apart in the plane of a* and b* of CIELAB with a
threshold that each picture sets itself (Otsu), the upper end of the pin is triangulated from both
pictures, its axis is where the planes of both pictures cut, heights are measured from the foot of
the block that is seen, not from the cradle, and of the hand it only matters where it is and
whether it holds something; no force is used. Code, thresholds and weighing are its own; the
settings it reads are those of the scene's measures and colours. What it cannot do is tell what a
camera cannot see: then it is UNCERTAIN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.pin_insertion.second_sight import (
    chroma_of,
    colour_of,
    find_foot,
    find_stick,
    likeness_to,
)
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.second_opinion import Opinion

_DEEP, _SHALLOW = 0.0205, 0.018  # m: surely a success from here on, surely none up to here
_NEAR, _FAR = 0.007, 0.010  # m, of the axis from the block's middle at the rim's height
_UPRIGHT, _LEANING = 0.20, 0.30  # rad
_MISS = 0.005  # m, rays of the two pictures that pass each other further meet in no pin
_CLEAR = 0.010  # m that the hand must be above a pin that it has let go
_HELD = (0.007, 0.018)  # m between fingers that have closed on a pin
_PAST = 0.012  # m from the block's middle at which a pin in one picture cannot be in its hole
_PICTURES = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One picture; pixels are continuous, the centre of the first one is (0.5, 0.5).

    :param foot: (2,) px, lowest point of the block below its middle; None when it is not there.
    :param top: (2,) px, where the pin ends up the picture; None when there is none.
    :param line: (2,) unit vector along it.
    """

    foot: np.ndarray | None
    top: np.ndarray | None
    line: np.ndarray | None


@dataclass(frozen=True, slots=True)
class _Measure:
    """The pin in space; lengths in m, tilt in rad."""

    depth: float
    aside: float
    tilt: float
    miss: float
    height: float  # of its upper end, in ``world``


class PinSecondOpinion:
    """See :class:`~enpire_nodes.tasks.second_opinion.SecondOpinion`.

    :param settings: of the task.
    :param cameras: calibrated, by name; the first two of the task are used.
    """

    def __init__(self, settings: PinInsertionSettings, cameras: Mapping[str, Camera]) -> None:
        self._settings = settings
        self._cameras = {name: cameras[name] for name in settings.cameras}
        vision = settings.vision
        self._pin_colour = colour_of(vision.pin_hue)
        self._block_colour = colour_of(vision.block_hue)

    def opine(self, frames: Mapping[str, Sequence[Frame]], states: Sequence[ArmState]) -> Opinion:
        """Ask the hand, which must be empty, and then the newest pictures, which must agree."""
        count = min([_PICTURES, *(len(frames.get(name, ())) for name in self._cameras)])
        if count == 0 or not states:
            return Opinion(Outcome.UNCERTAIN, 'a picture of each camera and the hand are needed')
        if _HELD[0] < states[-1].gripper_width < _HELD[1]:
            width = states[-1].gripper_width * 1e3
            return Opinion(Outcome.FAILURE, f'the hand holds something {width:.1f} mm wide')
        opinions = [
            self._look(
                {name: frames[name][-index].image for name in self._cameras},
                float(states[-1].position[2]),
            )
            for index in range(count, 0, -1)
        ]
        if len({opinion.outcome for opinion in opinions}) == 1:
            return opinions[-1]
        reasons = '; then '.join(opinion.reason for opinion in opinions)
        return Opinion(Outcome.UNCERTAIN, f'the pictures differ: {reasons}')

    def _look(self, images: Mapping[str, np.ndarray], hand: float) -> Opinion:
        seen = {name: self._see(name, image) for name, image in images.items()}
        blind = [name for name, view in seen.items() if view.foot is None]
        bare = [name for name, view in seen.items() if view.foot is not None and view.top is None]
        if bare:
            # a pin in the hole stands out of it by 30 mm, and a whole block hides none of that
            return Opinion(Outcome.FAILURE, f'no pin in sight of {", ".join(bare)}')
        past = [name for name in seen if name not in blind and self._past(name, seen[name])]
        if past:
            return Opinion(Outcome.FAILURE, f'the pin is not over the block in {", ".join(past)}')
        if blind:
            return Opinion(Outcome.UNCERTAIN, f'{", ".join(blind)} does not see the whole block')
        measure = self._measure(seen)
        words = (
            f'depth {measure.depth * 1e3:.1f} mm, {measure.aside * 1e3:.1f} mm from the middle, '
            f'tilted {np.rad2deg(measure.tilt):.0f} deg, rays miss by {measure.miss * 1e3:.1f} mm'
        )
        return Opinion(_outcome(measure, hand), words)

    # -- one picture --------------------------------------------------------------------------

    def _see(self, name: str, image: np.ndarray) -> _Seen:
        chroma = chroma_of(image)
        foot = find_foot(likeness_to(chroma, self._block_colour), *self._expected(name))
        top, line = find_stick(likeness_to(chroma, self._pin_colour))
        return _Seen(foot, top, line)

    def _expected(self, name: str) -> tuple[float, float]:
        """Return how broad and how high the side of the block is in a picture, in px."""
        block, camera = self._settings.block, self._cameras[name]
        place = np.array([*block.centre, self._settings.tray.height])
        ray = place - camera.position
        scale = float(camera.matrix[1, 1]) / float(np.linalg.norm(ray))
        level = float(np.linalg.norm(ray[:2]) / np.linalg.norm(ray))
        return 2.0 * block.radius * scale, block.height * level * scale

    def _past(self, name: str, view: _Seen) -> bool:
        """Whether the pin in one picture, wherever it is in space, stands beside the block."""
        breadth, height = self._expected(name)
        rim = view.foot - [0.0, height]
        gap = rim - view.top
        aside = abs(float(gap[0] * view.line[1] - gap[1] * view.line[0]))
        return aside > _PAST * breadth / (2.0 * self._settings.block.radius)

    # -- both pictures ------------------------------------------------------------------------

    def _measure(self, seen: Mapping[str, _Seen]) -> _Measure:
        settings = self._settings
        names = list(seen)
        middle = self._middle({name: seen[name].foot for name in names})
        lift = {name: self._lift(name, seen[name].foot, middle) for name in names}
        origins, rays, normals = [], [], []
        for name in names:
            camera, view = self._cameras[name], seen[name]
            top = view.top + [0.0, lift[name]]
            away = _level(middle - camera.position[:2])
            # the outline ends at the far edge of the end face: seen from a camera that stands
            # nearer by the pin's radius, its middle is there
            origins.append(camera.position - settings.pin.radius * np.array([*away, 0.0]))
            rays.append(camera.rays(top)[0])
            pair = camera.rays(np.stack([top, top - 20.0 * view.line]))
            normals.append(np.cross(pair[0], pair[1]))
        top, miss = _meet(origins, rays)
        axis = np.cross(normals[0], normals[1])
        axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
        axis = axis if axis[2] >= 0.0 else -axis
        rim = settings.tray.height + settings.block.height
        upright = max(float(axis[2]), 0.2)
        above = (float(top[2]) - rim) / upright
        at_rim = top[:2] - axis[:2] * above
        return _Measure(
            depth=settings.pin.length - above,
            aside=float(np.linalg.norm(at_rim - middle)),
            tilt=float(np.arccos(np.clip(axis[2], 0.0, 1.0))),
            miss=miss,
            height=float(top[2]),
        )

    def _middle(self, feet: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return where the planes through each camera and the block's middle cut: (2,) m."""
        rows, values = [], []
        for name, foot in feet.items():
            camera = self._cameras[name]
            ray = camera.rays(foot)[0][:2]
            across = np.array([-ray[1], ray[0]]) / np.linalg.norm(ray)
            rows.append(across)
            values.append(across @ camera.position[:2])
        return np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]

    def _lift(self, name: str, foot: np.ndarray, middle: np.ndarray) -> float:
        """Return the px to add to rows, so that the block's foot is where it must be."""
        camera, settings = self._cameras[name], self._settings
        nearest = middle - settings.block.radius * _level(middle - camera.position[:2])
        expected = camera.project(np.array([*nearest, settings.tray.height]))[0]
        return float(expected[1] - foot[1])


def _outcome(measure: _Measure, hand: float) -> Outcome:
    if measure.miss > _MISS:
        return Outcome.UNCERTAIN
    if hand - measure.height < _CLEAR:
        return Outcome.FAILURE  # it has not let go
    out = measure.depth <= _SHALLOW or measure.aside >= _FAR or measure.tilt >= _LEANING
    if out:
        return Outcome.FAILURE
    deep = measure.depth >= _DEEP and measure.aside <= _NEAR and measure.tilt <= _UPRIGHT
    return Outcome.SUCCESS if deep else Outcome.UNCERTAIN


def _meet(origins: Sequence[np.ndarray], rays: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """Return the (3,) point nearest to all rays, and how far in m the furthest passes it."""
    projectors = [np.eye(3) - np.outer(ray, ray) for ray in rays]
    moment = sum(p @ o for p, o in zip(projectors, origins, strict=True))
    point = np.linalg.solve(sum(projectors), moment)
    misses = [
        float(np.linalg.norm(p @ (point - o))) for p, o in zip(projectors, origins, strict=True)
    ]
    return point, max(misses)


def _level(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
