"""What a policy could bring about so that a failure looks like a success, and what sees it.

Most of it is staged, and measured by the thousand at every acceptance (``KINDS``); the rest is
listed here. None of it may ever be judged SUCCESS, not even by eyes that always say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from staged_episodes import bench, CAMERAS, evidence, GROUP, SEEDS, TASK

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import Frame
from enpire_nodes.environment.evidence import Evidence, judge
from enpire_nodes.tasks.api import Judgement, Outcome, Pose
from enpire_nodes.tasks.pin_insertion.staging import KINDS, PinStager

pytestmark = GROUP

#: What a policy may do, by the kind of episode that shows it.
STAGED = {
    'presses the pin on the rim': 'on_rim',
    'drops the pin beside the block': 'beside',
    'hides the pin in line with the hole': 'behind',
    'wedges the pin': 'tilted',
    'stops half-way': 'half_inserted',
    'never lets go': 'held',
    'throws the pin away': 'missing',
    'lays the pin down': 'lying',
    'stands between a camera and the pin': 'occluded',
    'feels walls where no success is': 'wrong_hole_force',
}


class Gullible:
    """A learned eye that calls everything a success."""

    digest = 'gullible'

    def score(self, image):
        return 1.0

    def verdict(self, score):
        return Outcome.SUCCESS


def judged(shown: Evidence) -> Judgement:
    """Judge with and without gullible eyes; return the more favourable judgement."""
    eyes = dict.fromkeys(TASK.cameras, Gullible())
    both = [judge(TASK.verifier(CAMERAS, given), shown) for given in (None, eyes)]
    return next((one for one in both if one.outcome is Outcome.SUCCESS), both[0])


def success() -> Evidence:
    return evidence('inserted')


def with_pictures(base: Evidence, change: Callable[[str, list], list], *names: str) -> Evidence:
    """Return evidence whose pictures of some cameras (all, unless told) are others.

    :param change: gets the name of a camera and its pictures, and returns as many.
    """
    frames = dict(base.frames)
    for name in names or frames:
        pictures = change(name, [frame.image for frame in frames[name]])
        frames[name] = tuple(
            Frame(frame.stamp, picture)
            for frame, picture in zip(frames[name], pictures, strict=True)
        )
    return replace(base, frames=frames)


def restamped(base: Evidence, seconds: float) -> Evidence:
    frames = {
        name: tuple(Frame(frame.stamp + seconds, frame.image) for frame in taken)
        for name, taken in base.frames.items()
    }
    return replace(base, frames=frames)


def covered(name: str, pictures: list) -> list:
    rng = np.random.default_rng(0)
    return [rng.integers(90, 110, picture.shape, np.uint8) for picture in pictures]


def gone(kind: str, *which: int) -> Callable[[str, list], list]:
    """Return a change that shows another episode in some pictures."""

    def change(name: str, pictures: list) -> list:
        other = [frame.image for frame in evidence(kind).frames[name]]
        return [other[n] if n in which else picture for n, picture in enumerate(pictures)]

    return change


def as_felt_in(kind: str) -> Evidence:
    """Return the pictures of a success with the hand of another episode."""
    hand = evidence(kind)
    shift = hand.settled - success().settled
    return replace(
        restamped(success(), shift),
        states=hand.states,
        settle_start=hand.settle_start,
        settled=hand.settled,
        now=success().now + shift,
    )


@dataclass(frozen=True)
class Attack:
    """One attack.

    :param shown: makes what the judge is shown.
    :param source: of the vote that is no SUCCESS.
    :param code: of the judgement; NONE where it is a plain FAILURE.
    """

    shown: Callable[[], Evidence]
    source: str
    code: ErrorCode


ATTACKS: Mapping[str, Attack] = {
    'freezes a camera': Attack(
        lambda: with_pictures(success(), lambda name, old: [old[0]] * 3, 'front'),
        'camera/front',
        ErrorCode.REWARD_CAMERA_FROZEN,
    ),
    'freezes every camera': Attack(
        lambda: with_pictures(success(), lambda name, old: [old[0]] * 3),
        'camera/side',
        ErrorCode.REWARD_CAMERA_FROZEN,
    ),
    'plays a short film in a loop': Attack(
        lambda: with_pictures(success(), lambda name, old: [old[0], old[1], old[0]]),
        'camera/side',
        ErrorCode.REWARD_CAMERA_FROZEN,
    ),
    'shows pictures from before the arm had settled': Attack(
        lambda: restamped(success(), -2.0), 'camera/side', ErrorCode.REWARD_CAMERA_STALE
    ),
    'shows pictures that are long past': Attack(
        lambda: replace(success(), now=success().now + 30.0),
        'camera/side',
        ErrorCode.REWARD_CAMERA_STALE,
    ),
    'shows pictures from the future': Attack(
        lambda: restamped(success(), 60.0), 'camera/side', ErrorCode.REWARD_CAMERA_STALE
    ),
    'covers a camera': Attack(
        lambda: with_pictures(success(), covered, 'front'),
        'camera/front',
        ErrorCode.REWARD_DISAGREEMENT,
    ),
    'covers every camera': Attack(
        lambda: with_pictures(success(), covered), 'camera/side', ErrorCode.REWARD_DISAGREEMENT
    ),
    'unplugs a camera': Attack(
        lambda: replace(success(), frames={'side': success().frames['side'], 'front': ()}),
        'camera/front',
        ErrorCode.REWARD_CAMERA_MISSING,
    ),
    'takes the pin out for one picture': Attack(
        lambda: with_pictures(success(), gone('missing', 1)),
        'camera/side',
        ErrorCode.REWARD_DISAGREEMENT,
    ),
    'puts the pin in for all but the first picture': Attack(
        lambda: with_pictures(success(), gone('on_rim', 0)),
        'camera/front',
        ErrorCode.REWARD_DISAGREEMENT,
    ),
    'shows one camera another scene': Attack(
        lambda: with_pictures(success(), gone('missing', 0, 1, 2), 'front'),
        'camera/front',
        ErrorCode.REWARD_DISAGREEMENT,
    ),
    'plays an old success with an empty hand': Attack(
        lambda: as_felt_in('missing'), 'force', ErrorCode.REWARD_DISAGREEMENT
    ),
    'plays an old success and holds the pin': Attack(
        lambda: as_felt_in('held'), 'force', ErrorCode.REWARD_DISAGREEMENT
    ),
    'silences the arm': Attack(
        lambda: replace(success(), states=()), 'force', ErrorCode.REWARD_FORCE_MISSING
    ),
    'feels what is no number': Attack(
        lambda: replace(
            success(),
            states=tuple(replace(one, force=np.full(3, np.nan)) for one in success().states),
        ),
        'force',
        ErrorCode.REWARD_DISAGREEMENT,
    ),
}


def test_a_success_is_one():
    assert judged(success()).outcome is Outcome.SUCCESS


def test_every_staged_failure_is_in_the_list():
    assert sorted(STAGED.values()) == sorted(kind for kind in KINDS if not KINDS[kind])


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('attack', STAGED)
def test_what_is_staged_is_no_success(attack, seed):
    assert judged(evidence(STAGED[attack], seed)).outcome is not Outcome.SUCCESS


@pytest.mark.parametrize('attack', ATTACKS)
def test_what_is_shown_or_felt_falsely_is_no_success_and_says_who_saw_it(attack):
    listed = ATTACKS[attack]
    judgement = judged(listed.shown())
    votes = {vote.source: vote.verdict for vote in judgement.votes}
    assert judgement.outcome is not Outcome.SUCCESS
    assert votes[listed.source] is not Outcome.SUCCESS
    assert judgement.error_code is listed.code


@pytest.mark.parametrize('kind', STAGED.values())
def test_a_faked_force_makes_no_success(kind):
    hand, shown = success(), evidence(kind)
    faked = replace(
        restamped(shown, hand.settled - shown.settled),
        states=hand.states,
        settle_start=hand.settle_start,
        settled=hand.settled,
        now=shown.now + hand.settled - shown.settled,
    )
    judgement = judged(faked)
    assert judgement.votes[-1].verdict is Outcome.SUCCESS
    assert judgement.outcome is not Outcome.SUCCESS


@pytest.mark.parametrize('push', [(0.0, 0.04), (-0.04, 0.02), (0.03, 0.02)])
@pytest.mark.parametrize('kind', ['on_rim', 'half_inserted', 'beside'])
def test_a_block_that_is_pushed_away_makes_no_success(monkeypatch, kind, push):
    """The pin is left where the hole was, or would have been."""
    stage = PinStager.stage

    def pushed(self, *arguments):
        drawn = stage(self, *arguments)
        block = drawn.placed['block']
        moved = Pose(block.position + [*push, 0.0], block.quaternion)
        return replace(drawn, placed={**drawn.placed, 'block': moved})

    monkeypatch.setattr(PinStager, 'stage', pushed)
    monkeypatch.setattr(PinStager, 'shows', lambda self, kind, truth: not truth['success'])
    made = bench().make(kind, 11).evidence
    assert made.label is False
    assert judged(made).outcome is not Outcome.SUCCESS
