"""Labelled evidence from the simulator."""

from dataclasses import fields, replace

import numpy as np
import pytest
import staged_episodes
from staged_episodes import GROUP, MAPPING, SEEDS, TASK

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.common.types import ArmState
from enpire_nodes.drivers.simulated.episodes import EpisodeBench
from enpire_nodes.tasks.pin_insertion.classify import squeezes
from enpire_nodes.tasks.pin_insertion.staging import KINDS

pytestmark = GROUP


@pytest.fixture(scope='module')
def bench():
    return staged_episodes.bench()


def orange(frame):
    """Return how many pixels look like the pin."""
    red, green, blue = (frame.image[..., index].astype(int) for index in range(3))
    return int(((red > 60) & (red > 1.6 * green) & (green > 1.5 * blue)).sum())


def assert_same(first, second):
    assert (first.source, first.label) == (second.source, second.label)
    assert (first.settled, first.now) == (second.settled, second.now)
    for name, frames in first.frames.items():
        for one, other in zip(frames, second.frames[name], strict=True):
            assert one.stamp == other.stamp
            np.testing.assert_array_equal(one.image, other.image)
    for one, other in zip(first.states, second.states, strict=True):
        for field in fields(ArmState):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@pytest.mark.parametrize('kind', KINDS)
def test_an_episode_is_labelled_by_the_truth_and_shaped_as_a_judge_needs_it(kind):
    evidence = staged_episodes.evidence(kind)
    assert evidence.label is KINDS[kind]
    assert (evidence.kind, evidence.source) == (kind, f'simulated {kind} {SEEDS[0]}')
    assert list(evidence.frames) == list(TASK.cameras)
    for frames in evidence.frames.values():
        assert len(frames) == 3
        assert frames[0].image.shape == (240, 320, 3)
        stamps = [frame.stamp for frame in frames]
        assert np.diff(stamps) == pytest.approx([0.1, 0.1])
        assert evidence.settled <= stamps[0] < evidence.settled + 0.1
        assert stamps[-1] < evidence.now < stamps[-1] + 0.1
    stamps = np.array([state.stamp for state in evidence.states])
    assert evidence.settle_start == pytest.approx(stamps[0], abs=0.011)
    assert evidence.settled == pytest.approx(stamps[-1], abs=0.011)
    assert np.diff(stamps)[1:] == pytest.approx(0.01)
    assert len(stamps) > 40


def test_the_same_seed_makes_the_same_episode_whatever_came_before(bench):
    first = bench.make('half_inserted', 3).evidence
    bench.make('occluded', 1)
    bench.make('inserted', 2)
    assert_same(first, bench.make('half_inserted', 3).evidence)
    with EpisodeBench(TASK, MAPPING) as fresh:
        assert_same(first, fresh.make('half_inserted', 3).evidence)
    other = bench.make('half_inserted', 4).evidence
    name = TASK.cameras[0]
    assert not np.array_equal(first.frames[name][0].image, other.frames[name][0].image)


def test_light_and_cameras_differ_from_episode_to_episode(bench):
    pictures = [bench.make('missing', seed).evidence.frames['side'][0].image for seed in range(8)]
    brightness = [float(picture[150:].mean()) for picture in pictures]
    assert max(brightness) > 1.2 * min(brightness)
    purple = [
        np.argwhere((p[..., 2] > 1.5 * p[..., 1]) & (p[..., 2] > 40)).mean(axis=0)
        for p in pictures
    ]
    assert np.ptp(np.array(purple), axis=0).max() > 1.5


def test_walls_are_felt_in_contact_and_the_hand_is_empty_after_a_success(bench):
    evidence = bench.make('inserted', 7).evidence
    forces = np.array([state.force for state in evidence.states])
    rest = forces[-10:].mean(axis=0)
    held = np.array([squeezes(state, TASK.settings) for state in evidence.states])
    pushed = forces[held] - rest
    assert held[0]
    assert not held[-1]
    assert pushed[:, :2].max(axis=0).min() > 2.0
    assert pushed[:, :2].min(axis=0).max() < -2.0


def test_a_pin_that_is_held_stays_in_the_hand(bench):
    evidence = bench.make('held', 1).evidence
    assert squeezes(evidence.states[-1], TASK.settings)


def test_a_missing_pin_is_in_no_picture(bench):
    missing = bench.make('missing', 1).evidence
    there = bench.make('on_rim', 1).evidence
    for name in TASK.cameras:
        assert max(map(orange, missing.frames[name])) < 20
        assert min(map(orange, there.frames[name])) > 100


def test_a_hidden_view_shows_less_of_the_block(bench):
    def teal(evidence, name):
        picture = evidence.frames[name][0].image.astype(int)
        return int(((picture[..., 1] > 1.5 * picture[..., 0]) & (picture[..., 1] > 20)).sum())

    whole = bench.make('missing', 1).evidence
    least = {name: 0.6 * teal(whole, name) for name in TASK.cameras}
    hidden = [bench.make('occluded', seed).evidence for seed in range(8)]
    cut = [any(teal(one, name) < least[name] for name in TASK.cameras) for one in hidden]
    assert sum(cut) >= 2


def test_the_noise_is_that_of_the_station_where_it_says_more():
    def spread(**noise):
        mapping = {**MAPPING, 'noise': {**MAPPING['noise'], **noise}}
        with EpisodeBench(TASK, mapping) as bench:
            made = bench.make('missing', 4).evidence
        force = np.array([state.force for state in made.states])
        first, *_, last = made.frames['side']
        return (
            float(np.diff(force, axis=0).std()),
            float((first.image.astype(float) - last.image)[:40].std()),
        )

    usual, worse = spread(), spread(force_sd=1.5, pixel_sd=60.0)
    assert worse[0] > 3.0 * usual[0]
    assert worse[1] > 2.0 * usual[1]


class Stubborn:
    """A stager whose scenes never, or not at first, come out as they say."""

    def __init__(self, stager, refusals):
        self._stager, self._refusals, self.kinds = stager, refusals, stager.kinds

    def stage(self, *arguments):
        return self._stager.stage(*arguments)

    def shows(self, kind, truth):
        self._refusals -= 1
        return self._refusals < 0


def test_a_scene_that_came_out_otherwise_is_drawn_again_and_counted(bench, monkeypatch):
    plain = bench.make('missing', 2)
    assert plain.redraws == 0
    monkeypatch.setattr(bench, '_stager', Stubborn(bench._stager, 2))
    again = bench.make('missing', 2)
    assert again.redraws == 2
    first = (plain.evidence.frames['side'][0].image, again.evidence.frames['side'][0].image)
    assert not np.array_equal(*first)


def test_a_kind_that_never_comes_out_is_refused(bench, monkeypatch):
    monkeypatch.setattr(bench, '_stager', Stubborn(bench._stager, 10**6))
    monkeypatch.setattr('enpire_nodes.drivers.simulated.episodes._DRAWS', 2)
    with pytest.raises(StationError, match='missing') as caught:
        bench.make('missing', 2)
    assert caught.value.code is ErrorCode.ENVIRONMENT_UNLABELLED


def test_a_scene_for_which_there_is_no_room_is_refused(bench, monkeypatch):
    def stage(*arguments):
        raise ValueError('enlarge tray.size')

    monkeypatch.setattr(bench._stager, 'stage', stage)
    with pytest.raises(StationError, match=r"'beside'.*tray\.size"):
        bench.make('beside', 0)


def test_a_scene_that_cannot_be_wound_up_is_drawn_again(bench, monkeypatch):
    settle, tried = TASK.settle, []

    def stuck(fixture):
        tried.append(fixture)
        if len(tried) == 1:
            yield None
            raise StationError(ErrorCode.POLICY_SETTLE_FAILED, 'the arm is blocked')
        return (yield from settle(fixture))

    monkeypatch.setattr(TASK, 'settle', stuck)
    assert bench.make('missing', 2).redraws == 1


def test_a_scene_out_of_reach_is_drawn_again(bench, monkeypatch):
    staged = bench._stager.stage
    seen = []

    def stage(*arguments):
        drawn = staged(*arguments)
        seen.append(drawn)
        if len(seen) == 1:
            far = replace(drawn.hand, position=drawn.hand.position + [2.0, 0.0, 0.0])
            return replace(drawn, hand=far)
        return drawn

    monkeypatch.setattr(bench._stager, 'stage', stage)
    assert bench.make('missing', 2).redraws == 1
