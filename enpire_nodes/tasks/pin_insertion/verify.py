"""The judge: cameras, learned eyes and the felt force vote on whether the pin is in the hole.

It knows pictures and arm states alone. It shares the geometry of sight with the reset, and nothing
else. With learned eyes it is never more willing to say SUCCESS than without; see ``ballot``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
import hashlib

import numpy as np

from enpire_nodes.common.cameras import Camera
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import ArmState, Frame
from enpire_nodes.tasks.api import Judgement, Outcome, Vote
from enpire_nodes.tasks.eye import Eye, WrongPictureError
from enpire_nodes.tasks.motion import same_picture
from enpire_nodes.tasks.pin_insertion.ballot import CAMERA, count_votes, EYE
from enpire_nodes.tasks.pin_insertion.evidence import feel, Reading, sight
from enpire_nodes.tasks.pin_insertion.settings import PinInsertionSettings
from enpire_nodes.tasks.pin_insertion.vision import analyse, Eyes, View

_KEPT_FRAMES, _KEPT_STATES = 30, 6000
_AHEAD = 0.1  # s that a camera's clock may be ahead of the station's


@dataclass(slots=True, eq=False)
class _Seen:
    """A picture and, once it was looked at, what it shows."""

    frame: Frame
    repeated: bool
    view: View | None = None
    score: float = float('nan')
    """What the learned eye says; NaN when there is none, or when it cannot read the picture."""


class PinVerifier:
    """Judges attempts at the pin task; see :class:`~enpire_nodes.tasks.api.Verifier`.

    :param settings: of the task.
    :param cameras: calibrated, by name.
    :param eyes: learned ones, by camera; None judges by geometry and force alone.
    :param digest: sha256 over code and settings; the eyes' own are added to it.
    :raises ValueError: eyes are there, but not one for each camera.
    """

    def __init__(
        self,
        settings: PinInsertionSettings,
        cameras: Mapping[str, Camera],
        eyes: Mapping[str, Eye] | None = None,
        *,
        digest: str,
    ) -> None:
        self._learned = dict(eyes or {})
        if self._learned and set(self._learned) != set(settings.cameras):
            raise ValueError(f'there are eyes for {sorted(self._learned)}, not {settings.cameras}')
        self.digest, self._settings = _joined(digest, self._learned), settings
        self._names = settings.cameras
        self._cameras = {name: cameras[name] for name in self._names}
        self._eyes = Eyes(self._cameras, settings)
        self._seen = {name: deque(maxlen=_KEPT_FRAMES) for name in self._names}
        self._states: deque[ArmState] = deque(maxlen=_KEPT_STATES)

    def add_frame(self, name: str, frame: Frame) -> None:
        """Take in a picture of a camera; others than the task's own are ignored."""
        if name not in self._seen:
            return
        kept = self._seen[name]
        if kept and frame.stamp <= kept[-1].frame.stamp:
            return
        kept.append(_Seen(frame, any(same_picture(seen.frame, frame) for seen in kept)))

    def add_arm_state(self, state: ArmState) -> None:
        """Take in a state of the working arm."""
        self._states.append(state)

    def ready(self, *, settle_start: float, settled: float, min_frames: int = 0) -> bool:
        """Tell whether enough fresh evidence is there; a repeated picture is not fresh."""
        needed = min_frames or self._settings.verify.frames
        enough = True
        for name in self._names:
            fresh = [seen for seen in self._fresh(name, settled) if not seen.repeated]
            for seen in fresh:
                self._look(name, seen)
            enough = enough and len(fresh) >= needed
        return enough and bool(self._window(settle_start, settled))

    def decide(
        self, *, now: float, settle_start: float, settled: float, min_frames: int = 0
    ) -> Judgement:
        """Judge by what is there."""
        needed = min_frames or self._settings.verify.frames
        readings = self._readings(settled, needed)
        votes, codes = [], []
        for name in self._names:
            vote, code = self._camera_vote(name, readings[name], now, settled, needed)
            votes.append(vote)
            codes.append(code)
        seen_by = list(zip(self._names, votes, codes))
        for name, camera_vote, camera_code in seen_by if self._learned else ():
            vote, code = self._eye_vote(name, camera_vote, camera_code, settled, needed)
            votes.append(vote)
            codes.append(code)
        vote, code = feel(self._window(settle_start, settled), now, self._settings)
        votes.append(vote)
        codes.append(code)
        stamps = [kept[-1].frame.stamp for kept in self._seen.values() if kept]
        latency = now - max(stamps) if stamps else 0.0
        return count_votes(tuple(votes), codes, latency=latency)

    def _fresh(self, name: str, settled: float) -> list[_Seen]:
        return [seen for seen in self._seen[name] if seen.frame.stamp >= settled]

    def _look(self, name: str, seen: _Seen) -> View:
        if seen.view is None:
            seen.view = analyse(seen.frame.image, self._settings)
            if name in self._learned:
                with suppress(WrongPictureError):
                    seen.score = self._learned[name].score(seen.frame.image)
        return seen.view

    def _window(self, start: float, end: float) -> list[ArmState]:
        return [state for state in self._states if start <= state.stamp <= end + 1e-6]

    def _readings(self, settled: float, needed: int) -> dict[str, list[Reading]]:
        """Return what each camera's newest fresh pictures say, newest last."""
        fresh = {name: self._fresh(name, settled)[-needed:] for name in self._names}
        length = min(map(len, fresh.values()))
        rims = []
        for index in range(1, length + 1):
            block = self._eyes.block(
                {name: self._look(name, seen[-index]) for name, seen in fresh.items()}
            )
            if block is not None:
                rims.append(block.rim)
        rim = np.median(rims, axis=0) if rims else None
        return {
            name: [
                sight(
                    self._eyes.alone(name, self._look(name, seen)),
                    self._cameras[name],
                    rim,
                    self._settings,
                )
                for seen in frames
            ]
            for name, frames in fresh.items()
        }

    def _camera_vote(
        self, name: str, readings: list[Reading], now: float, settled: float, needed: int
    ) -> tuple[Vote, ErrorCode]:
        source, kept = CAMERA + name, self._seen[name]
        if not kept:
            return _blind(source, 'no picture has ever come'), ErrorCode.REWARD_CAMERA_MISSING
        age = now - kept[-1].frame.stamp
        fresh = self._fresh(name, settled)
        if any(seen.repeated for seen in fresh):
            return (
                _blind(source, 'the camera repeats one picture', age, len(fresh)),
                ErrorCode.REWARD_CAMERA_FROZEN,
            )
        if len(fresh) < needed or not -_AHEAD <= age <= self._settings.verify.max_age:
            reason = f'{len(fresh)} of {needed} fresh pictures, the newest {age:.2f} s old'
            return _blind(source, reason, age, len(fresh)), ErrorCode.REWARD_CAMERA_STALE
        last = readings[-needed:]
        verdicts = {reading.verdict for reading in last}
        middle = sorted(last, key=lambda reading: reading.score)[len(last) // 2]
        verdict = verdicts.pop() if len(verdicts) == 1 else Outcome.UNCERTAIN
        code = (
            ErrorCode.NONE if verdict is not Outcome.UNCERTAIN else (ErrorCode.REWARD_DISAGREEMENT)
        )
        return Vote(source, verdict, middle.score, len(last), age, middle.reason), code

    def _eye_vote(
        self, name: str, camera: Vote, code: ErrorCode, settled: float, needed: int
    ) -> tuple[Vote, ErrorCode]:
        """Return what the learned eye of a camera says of the pictures its geometry was read in.

        :param camera: vote of the same camera, and why it is UNCERTAIN.
        """
        source = EYE + name
        if code not in (ErrorCode.NONE, ErrorCode.REWARD_DISAGREEMENT):  # it saw nothing
            return _blind(source, camera.reason, camera.age, camera.samples), code
        scores = [seen.score for seen in self._fresh(name, settled)[-needed:]]
        if not np.isfinite(scores).all():
            reason = 'the picture is not of the size that the eye was trained on'
            return _blind(source, reason, camera.age), ErrorCode.REWARD_CAMERA_MISSING
        verdicts = {self._learned[name].verdict(score) for score in scores}
        verdict = verdicts.pop() if len(verdicts) == 1 else Outcome.UNCERTAIN
        middle = sorted(scores)[len(scores) // 2]
        reason = f'scores {", ".join(f"{score:.3f}" for score in scores)}'
        code = ErrorCode.REWARD_DISAGREEMENT if verdict is Outcome.UNCERTAIN else ErrorCode.NONE
        return Vote(source, verdict, middle, len(scores), camera.age, reason), code


def _joined(digest: str, eyes: Mapping[str, Eye]) -> str:
    if not eyes:
        return digest
    own = ''.join(f'\n{name} {eyes[name].digest}' for name in sorted(eyes))
    return hashlib.sha256((digest + own).encode()).hexdigest()


def _blind(source: str, reason: str, age: float = float('inf'), samples: int = 0) -> Vote:
    return Vote(source, Outcome.UNCERTAIN, 0.0, samples, age, reason)
