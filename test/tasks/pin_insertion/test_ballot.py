"""Every combination of votes."""

from itertools import product

import pytest

from enpire_nodes.common.errors import ErrorCode
from enpire_nodes.tasks.api import Outcome, Vote
from enpire_nodes.tasks.pin_insertion.ballot import count_votes

S, F, U = Outcome.SUCCESS, Outcome.FAILURE, Outcome.UNCERTAIN

#: every combination of two cameras and the force
TABLE = {
    (S, S, S): S, (S, S, F): U, (S, S, U): U,
    (S, F, S): U, (S, F, F): F, (S, F, U): U,
    (S, U, S): U, (S, U, F): U, (S, U, U): U,
    (F, S, S): U, (F, S, F): F, (F, S, U): U,
    (F, F, S): U, (F, F, F): F, (F, F, U): F,
    (F, U, S): U, (F, U, F): F, (F, U, U): U,
    (U, S, S): U, (U, S, F): U, (U, S, U): U,
    (U, F, S): U, (U, F, F): F, (U, F, U): U,
    (U, U, S): U, (U, U, F): U, (U, U, U): U,
}  # fmt: skip


def votes(verdicts):
    sources = ('camera/side', 'camera/front', 'force')
    return tuple(
        Vote(source, verdict, 0.1 + 0.2 * index, 3, 0.1, 'because')
        for index, (source, verdict) in enumerate(zip(sources, verdicts))
    )


def test_the_table_is_complete():
    assert set(TABLE) == set(product((S, F, U), repeat=3))


@pytest.mark.parametrize(('verdicts', 'expected'), TABLE.items())
def test_every_combination(verdicts, expected):
    judgement = count_votes(votes(verdicts), [ErrorCode.NONE] * 3, latency=0.02)
    assert judgement.outcome is expected
    assert judgement.score == pytest.approx(0.1)
    assert (judgement.error_code is ErrorCode.NONE) == (expected is not U)
    assert 'camera/front: because' in judgement.message


def test_only_the_agreement_of_all_is_a_success():
    assert [verdicts for verdicts, outcome in TABLE.items() if outcome is S] == [(S, S, S)]


def test_a_missing_source_explains_the_uncertainty():
    codes = [ErrorCode.NONE, ErrorCode.REWARD_CAMERA_FROZEN, ErrorCode.NONE]
    judgement = count_votes(votes((S, U, S)), codes, latency=0.0)
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_FROZEN


def test_contradiction_is_called_disagreement():
    judgement = count_votes(votes((S, F, S)), [ErrorCode.NONE] * 3, latency=0.0)
    assert judgement.error_code is ErrorCode.REWARD_DISAGREEMENT


def with_eyes(cameras, eyes, force):
    sources = ('camera/side', 'camera/front', 'eye/side', 'eye/front', 'force')
    return tuple(
        Vote(source, verdict, 0.5, 3, 0.1, 'because')
        for source, verdict in zip(sources, (*cameras, *eyes, force))
    )


def count(cameras, eyes, force, codes=(ErrorCode.NONE,) * 5):
    return count_votes(with_eyes(cameras, eyes, force), codes, latency=0.0)


EYES = list(product((S, F, U), repeat=2))


@pytest.mark.parametrize('eyes', EYES)
def test_eyes_never_make_a_success_that_geometry_and_force_would_not(eyes):
    for verdicts, alone in TABLE.items():
        fused = count(verdicts[:2], eyes, verdicts[2])
        assert fused.outcome is not S or alone is S, verdicts


@pytest.mark.parametrize('eyes', EYES)
def test_a_success_bears_one_eye_that_hesitates_and_none_that_contradicts(eyes):
    bearable = {(S, S), (S, U), (U, S)}
    assert count((S, S), eyes, S).outcome is (S if eyes in bearable else U)


def test_the_only_eye_must_not_hesitate():
    votes = tuple(
        Vote(source, verdict, 0.5, 3, 0.1, '')
        for source, verdict in (('camera/side', S), ('eye/side', U), ('force', S))
    )
    assert count_votes(votes, [ErrorCode.NONE] * 3, latency=0.0).outcome is U


def test_an_eye_that_could_not_look_does_not_count_as_one_that_hesitates():
    codes = [*[ErrorCode.NONE] * 2, ErrorCode.REWARD_CAMERA_MISSING, *[ErrorCode.NONE] * 2]
    judgement = count((S, S), (U, S), S, codes)
    assert judgement.outcome is U
    assert judgement.error_code is ErrorCode.REWARD_CAMERA_MISSING


@pytest.mark.parametrize('eyes', EYES)
def test_a_failure_stands_unless_every_eye_sees_a_success(eyes):
    for verdicts, alone in TABLE.items():
        if alone is F:
            fused = count(verdicts[:2], eyes, verdicts[2])
            assert fused.outcome is (U if eyes == (S, S) else F), verdicts


def test_all_cameras_and_eyes_together_refute_a_force_that_felt_something():
    assert count((F, F), (F, F), S).outcome is F
    assert count((F, F), (F, U), S).outcome is F
    assert count((F, F), (U, U), S).outcome is U
    assert count((F, F), (F, S), S).outcome is U
    assert count((F, U), (F, F), S).outcome is U


def test_eyes_and_force_together_find_a_failure_that_a_camera_could_not_measure():
    assert count((U, U), (F, F), F).outcome is F
    assert count((U, U), (F, U), F).outcome is F
    assert count((U, U), (U, U), F).outcome is U
    assert count((U, U), (F, S), F).outcome is U
    assert count((U, U), (F, F), U).outcome is U
    assert count((U, S), (F, F), F).outcome is U
    codes = [ErrorCode.NONE] * 5
    codes[1] = codes[3] = ErrorCode.REWARD_CAMERA_MISSING
    assert count((U, U), (F, U), F, codes).outcome is U
