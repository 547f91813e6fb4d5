"""Eyes of the pin task, learned from few simulated episodes: they help, and never harm."""

from pathlib import Path

import pytest

from enpire_nodes.common.cameras import cameras_from_settings
from enpire_nodes.environment.evidence import judge
from enpire_nodes.environment.learned.dataset import episode_of
from enpire_nodes.environment.learned.fit import fit
from enpire_nodes.environment.learned.weights import load_eyes, save_weights
from enpire_nodes.simulation.rendering import rendering_enabled
from enpire_nodes.simulation.settings import load_station
from enpire_nodes.tasks.api import Outcome
from enpire_nodes.tasks.pin_insertion.task import PinInsertion

pytestmark = [pytest.mark.slow, pytest.mark.egl, pytest.mark.timeout(600)]
STATION = load_station(Path(__file__).parents[3] / 'config' / 'stations' / 'simulated.yaml')
KINDS = ('on_rim', 'half_inserted', 'behind', 'missing', 'tilted', 'occluded')


@pytest.fixture(scope='module')
def judged(tmp_path_factory):
    """Return label, judgement without eyes, and with them, of episodes that were not learned."""
    if not rendering_enabled():
        pytest.skip('nothing can draw here')
    from enpire_nodes.drivers.simulated.episodes import EpisodeBench

    task, cameras = PinInsertion(), cameras_from_settings(STATION['cameras'])
    crops = task.crops(cameras)
    with EpisodeBench(task, STATION) as bench:

        def made(first, count):
            for index in range(count):
                kind = 'inserted' if index % 2 else KINDS[index // 2 % len(KINDS)]
                yield bench.make(kind, first + index).evidence

        path = tmp_path_factory.mktemp('eyes') / 'weights.npz'
        kept = [episode_of(one, crops) for one in made(0, 60)]
        save_weights(fit(task.name, crops, kept, steps=200), path)
        eyes = load_eyes(path, task=task.name, crops=crops)
        return [
            (
                one.label,
                judge(task.verifier(cameras), one),
                judge(task.verifier(cameras, eyes), one),
            )
            for one in made(1000, 36)
        ]


def test_with_eyes_nothing_becomes_a_success_that_was_none(judged):
    for label, alone, fused in judged:
        if fused.outcome is Outcome.SUCCESS:
            assert alone.outcome is Outcome.SUCCESS
            assert label


def test_each_eye_alone_is_mostly_right_and_hardly_ever_wrong(judged):
    for source in ('eye/side', 'eye/front'):
        says = [
            (label, next(vote.verdict for vote in fused.votes if vote.source == source))
            for label, _, fused in judged
        ]
        right = sum(verdict is Outcome(1 + label) for label, verdict in says)
        wrong = sum(verdict is Outcome(2 - label) for label, verdict in says)
        assert right > 0.75 * len(says), source
        assert wrong < 0.12 * len(says), source


def test_eyes_resolve_more_than_they_blur(judged):
    alone = sum(one.outcome is Outcome.UNCERTAIN for _, one, _ in judged)
    fused = sum(one.outcome is Outcome.UNCERTAIN for _, _, one in judged)
    assert fused <= alone
    assert sum(one.outcome is Outcome(1 + label) for label, _, one in judged) >= 32
