"""Eyes of the pin task, learned from few simulated episodes: they help, and never harm."""

import pytest
from staged_episodes import all_kinds, bench, CAMERAS, evidence, GROUP, SEEDS, TASK

from enpire_nodes.environment.evidence import judge
from enpire_nodes.environment.learned.dataset import episode_of
from enpire_nodes.environment.learned.fit import fit
from enpire_nodes.environment.learned.weights import load_eyes, save_weights
from enpire_nodes.tasks.api import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.egl, pytest.mark.timeout(300), GROUP]
KINDS = ('on_rim', 'half_inserted', 'behind', 'missing', 'tilted', 'occluded')


@pytest.fixture(scope='module')
def judged(tmp_path_factory):
    """Return label, judgement without eyes, and with them, of episodes that were not learned."""
    crops = TASK.crops(CAMERAS)
    kept = []
    for seed in range(48):
        kind = 'inserted' if seed % 2 else KINDS[seed // 2 % len(KINDS)]
        kept.append(episode_of(bench().make(kind, seed).evidence, crops))
    path = tmp_path_factory.mktemp('eyes') / 'weights.npz'
    save_weights(fit(TASK.name, crops, kept, steps=80), path)
    eyes = load_eyes(path, task=TASK.name, crops=crops)
    successes = [evidence('inserted', SEEDS[-1] + more) for more in range(1, 11)]
    return [
        (
            one.label,
            judge(TASK.verifier(CAMERAS), one),
            judge(TASK.verifier(CAMERAS, eyes), one),
        )
        for one in (*all_kinds().values(), *successes)
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
    assert sum(one.outcome is Outcome(1 + label) for label, _, one in judged) > 0.88 * len(judged)
