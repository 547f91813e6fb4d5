"""The judge on rendered pictures and made-up forces, and on bad input."""

from functools import cache

import numpy as np
from pin_bench import Bench, STATION
from pin_states import states
import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.common.types import Frame
from enpire_nodes.simulation.rendering import rendering_enabled
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.eye import WrongPictureError
from enpire_nodes.tasks.pin_insertion import verify
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

TASK, CAMERAS = PinInsertion(), cameras_from_settings(load_station(STATION)['cameras'])
SETTLED = 2.0  # s, when `states` end


@cache
def taken(placement):
    """Return six sets of pictures of a placement."""
    if not rendering_enabled():
        pytest.skip('nothing can draw here')
    made = Bench(placement=placement, seed=1)
    made.wait(0.2)
    sets = [made.images() for _ in range(6)]
    made.station.close()
    return sets


def pictures(placement):
    """Return a new judge, and six sets of pictures taken from ``SETTLED`` on."""
    return TASK.verifier(CAMERAS), taken(placement)


def feed(verifier, sets, *, push=5.0, skip=(), start=SETTLED, released=True, freeze=()):
    for state in states(push, released=released):
        verifier.add_arm_state(state)
    for index, images in enumerate(sets):
        for name, image in images.items():
            if name not in skip:
                shown = sets[0][name] if name in freeze else image
                verifier.add_frame(name, Frame(start + 0.1 * (index + 1), shown))


class ToldEye:
    """A learned eye that says what it is told."""

    digest = 'told'

    def __init__(self, *scores):
        self.scores, self.asked = list(scores), 0

    def score(self, image):
        if image.shape != (240, 320, 3):
            raise WrongPictureError
        self.asked += 1
        return self.scores[(self.asked - 1) % len(self.scores)]

    def verdict(self, score):
        if 0.2 < score < 0.8:
            return Outcome.UNCERTAIN
        return Outcome.SUCCESS if score >= 0.8 else Outcome.FAILURE


def judged(placement, side, front, **arguments):
    """Judge with two told eyes; return the judgement, and the votes by source."""
    _, sets = pictures(placement)
    verifier = TASK.verifier(CAMERAS, {'side': side, 'front': front})
    feed(verifier, sets, **arguments)
    verifier.ready(settle_start=0.0, settled=SETTLED)
    judgement = decide(verifier)
    return judgement, {vote.source: vote for vote in judgement.votes}


def decide(verifier, now=SETTLED + 0.62, **arguments):
    return verifier.decide(now=now, settle_start=0.0, settled=SETTLED, **arguments)


def test_a_pin_in_the_hole_is_a_success():
    verifier, sets = pictures('hole')
    feed(verifier, sets)
    assert verifier.ready(settle_start=0.0, settled=SETTLED)
    judgement = decide(verifier)
    assert judgement.outcome is Outcome.SUCCESS
    assert [vote.source for vote in judgement.votes] == ['camera/side', 'camera/front', 'force']
    assert judgement.latency == pytest.approx(0.02)
    assert judgement.score > 0.5
    assert judgement.error_code is ErrorCode.NONE


@pytest.mark.parametrize('placement', ['cradle', 'standing', 'lying', 'missing'])
def test_a_pin_elsewhere_is_a_failure(placement):
    verifier, sets = pictures(placement)
    feed(verifier, sets, push=0.1)
    assert decide(verifier).outcome is Outcome.FAILURE


def test_eyes_against_hand_is_uncertain():
    verifier, sets = pictures('hole')
    feed(verifier, sets, push=0.1)
    judgement = decide(verifier)
    assert judgement.outcome is Outcome.UNCERTAIN
    assert judgement.error_code is ErrorCode.REWARD_DISAGREEMENT
    verifier, sets = pictures('lying')
    feed(verifier, sets, push=5.0)
    assert decide(verifier).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ('arguments', 'code'),
    [
        ({'skip': ('front',)}, ErrorCode.REWARD_CAMERA_MISSING),
        ({'freeze': ('front',)}, ErrorCode.REWARD_CAMERA_FROZEN),
        ({'start': SETTLED - 3.0}, ErrorCode.REWARD_CAMERA_STALE),
    ],
)
def test_a_broken_camera_is_never_a_success(arguments, code):
    verifier, sets = pictures('hole')
    feed(verifier, sets, **arguments)
    assert not verifier.ready(settle_start=0.0, settled=SETTLED)
    judgement = decide(verifier)
    assert judgement.outcome is Outcome.UNCERTAIN
    assert judgement.error_code is code


def test_old_pictures_are_stale():
    verifier, sets = pictures('hole')
    feed(verifier, sets)
    judgement = decide(verifier, now=SETTLED + 5.0)
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_STALE


def test_pictures_without_forces_are_uncertain():
    verifier, sets = pictures('hole')
    for index, images in enumerate(sets):
        for name, image in images.items():
            verifier.add_frame(name, Frame(SETTLED + 0.1 * (index + 1), image))
    assert not verifier.ready(settle_start=0.0, settled=SETTLED)
    judgement = decide(verifier)
    assert judgement.outcome is Outcome.UNCERTAIN
    assert judgement.error_code is ErrorCode.REWARD_FORCE_MISSING


def test_nothing_at_all_is_uncertain():
    judgement = decide(TASK.verifier(CAMERAS))
    assert judgement.outcome is Outcome.UNCERTAIN
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_MISSING


def test_one_good_picture_among_bad_ones_is_no_success():
    verifier, good = pictures('hole')
    _, bad = pictures('missing')
    feed(verifier, [*bad[:2], good[0]])
    assert decide(verifier).outcome is not Outcome.SUCCESS


def test_more_pictures_can_be_asked_for():
    verifier, sets = pictures('hole')
    feed(verifier, sets)
    assert not verifier.ready(settle_start=0.0, settled=SETTLED, min_frames=7)
    judgement = decide(verifier, min_frames=7)
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_STALE


def test_pictures_that_come_late_or_from_other_cameras_do_not_matter():
    verifier, sets = pictures('hole')
    feed(verifier, sets)
    verifier.add_frame('side', Frame(SETTLED + 0.2, np.zeros((240, 320, 3), np.uint8)))
    verifier.add_frame('gantry', Frame(SETTLED + 0.9, np.zeros((240, 320, 3), np.uint8)))
    assert decide(verifier).outcome is Outcome.SUCCESS


def test_a_decision_looks_at_no_picture_that_was_looked_at_as_it_came(monkeypatch):
    verifier, sets = pictures('hole')
    feed(verifier, sets)
    verifier.ready(settle_start=0.0, settled=SETTLED)
    monkeypatch.setattr(verify, 'analyse', None)
    assert decide(verifier).outcome is Outcome.SUCCESS


@pytest.mark.parametrize(
    ('side', 'front', 'outcome'),
    [
        ([0.9], [0.9], Outcome.SUCCESS),
        ([0.9], [0.5], Outcome.SUCCESS),  # one that hesitates
        ([0.5], [0.5], Outcome.UNCERTAIN),
        ([0.9], [0.1], Outcome.UNCERTAIN),
        ([0.9], [0.9, 0.9, 0.1], Outcome.SUCCESS),  # one that flickers hesitates
        ([0.9, 0.1, 0.9], [0.9, 0.9, 0.1], Outcome.UNCERTAIN),
    ],
)
def test_learned_eyes_confirm_a_success_or_take_it_away(side, front, outcome):
    judgement, votes = judged('hole', ToldEye(*side), ToldEye(*front))
    assert judgement.outcome is outcome
    assert list(votes) == ['camera/side', 'camera/front', 'eye/side', 'eye/front', 'force']
    assert votes['eye/side'].samples == 3
    assert 'scores' in votes['eye/front'].reason


def test_eyes_that_see_a_success_where_there_is_none_make_no_success():
    judgement, votes = judged('missing', ToldEye(0.99), ToldEye(0.99))
    assert votes['eye/side'].verdict is Outcome.SUCCESS
    assert judgement.outcome is Outcome.UNCERTAIN


def test_an_eye_looks_at_every_picture_once_and_before_the_decision():
    side, front = ToldEye(0.9), ToldEye(0.9)
    judged('hole', side, front)
    assert side.asked == front.asked == 6


def test_an_eye_whose_camera_failed_does_not_vote():
    judgement, votes = judged('hole', ToldEye(0.9), ToldEye(0.9), freeze=('front',))
    assert votes['eye/front'].verdict is Outcome.UNCERTAIN
    assert 'repeats one picture' in votes['eye/front'].reason
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_FROZEN


def test_an_eye_that_cannot_read_the_pictures_is_not_one_that_hesitates():
    class Blind(ToldEye):
        def score(self, image):
            raise WrongPictureError

    judgement, votes = judged('hole', ToldEye(0.9), Blind())
    assert judgement.outcome is Outcome.UNCERTAIN
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_MISSING
    assert 'size' in votes['eye/front'].reason


def test_the_digest_is_that_of_code_settings_and_eyes():
    side, front = ToldEye(0.9), ToldEye(0.9)
    front.digest = 'other'
    digests = [
        TASK.verifier(CAMERAS, eyes).digest
        for eyes in (
            None,
            {'side': side, 'front': side},
            {'side': side, 'front': front},
            {'side': front, 'front': side},
        )
    ]
    assert digests[0] == TASK.digest()
    assert len(set(digests)) == 4


def test_eyes_for_other_cameras_are_refused():
    with pytest.raises(ValueError, match='eyes for'):
        TASK.verifier(CAMERAS, {'side': ToldEye(0.9)})
