"""The learner: it resumes exactly, hands over what a policy loads, and translates or not."""

from pathlib import Path

import pytest
import torch
import torch._inductor.config as inductor

ALGORITHMS = ('bc', 'rlpd', 'bc_rl', 'residual')


def _same(one, other):
    left, right = one.algorithm.state_dict(), other.algorithm.state_dict()
    assert left.keys() == right.keys()
    return all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize('before', [2, 9])
@pytest.mark.parametrize('name', ALGORITHMS)
def test_resumes_to_the_last_bit(learner, name, before):
    first = learner(name)
    first.work(before)
    state = first.state()
    first.work(6)
    second = learner(name)
    assert not _same(first, second)
    assert second.restore(state)
    second.work(6)

    assert _same(first, second)
    assert (first.updates, first.cloned, first.owed) == (
        second.updates, second.cloned, second.owed,
    )  # fmt: skip


def test_state_of_another_recipe_begins_anew(learner):
    assert not learner('bc_rl', hidden=32).restore(learner('bc_rl').state())


def test_state_of_other_code_begins_anew(workspace, learner, monkeypatch):
    state = learner('bc_rl').state()
    assert learner('bc_rl').restore(state)
    monkeypatch.setattr(workspace.learner, '_code', lambda: 'edited')
    assert not learner('bc_rl').restore(state)


def test_beginning_anew_owes_updates_for_all_that_the_robot_has_done(
    workspace, recipe, transitions
):
    made = workspace.learner.Learner(recipe('bc_rl', updates_per_action=3.0))
    made.shown.add(transitions(100, seed=1))
    made.own.add(transitions(60, seed=2))
    made.begin()
    assert made.owed == 2 + 3.0 * 60


@pytest.mark.parametrize('bfloat16', [False, True])
@pytest.mark.parametrize('name', ALGORITHMS)
def test_weights_are_what_a_policy_loads(workspace, learner, name, bfloat16):
    made = learner(name, bfloat16=bfloat16)
    made.work(8)
    weights, _ = made.weights()
    actor = workspace.algorithms.actor_for(made.recipe, len(weights['mean'])).eval()
    actor.load_state_dict(weights)

    torch.testing.assert_close(weights['mean'], made.shown['observation'].mean(0))
    torch.testing.assert_close(weights['std'], made.shown['observation'].std(0))
    observation = torch.randn(1, 7)
    with torch.inference_mode():
        action = actor.act(actor.see(observation, torch.zeros(1, 0, 0, 0, 3)))
        made.algorithm.actor.eval()
        own = made.algorithm.actor
        torch.testing.assert_close(action, own.act(own.see(observation, None)))
    assert action.shape == (1, 3)
    assert action.abs().max() <= 1.0


def test_pools_grow_and_mix(workspace, transitions):
    shown, own = (workspace.replay.Pool(torch.device('cpu')) for _ in range(2))
    parts = [transitions(900, seed) for seed in (1, 2)]
    for part in parts:
        shown.add(part)
    assert len(shown) == 1800
    expected = [torch.from_numpy(part.action) for part in parts]
    assert torch.equal(shown['action'], torch.cat(expected))
    assert workspace.replay.mixed(shown, own, 32, 0.25).shown.all()

    own.add(transitions(10, 3, reward=7.0))
    batch = workspace.replay.mixed(shown, own, 32, 0.25)
    assert batch.shown.tolist() == [True] * 8 + [False] * 24
    assert torch.equal(batch.reward == 7.0, ~batch.shown)
    rows = (shown['observation'] == batch.observation[0]).all(1).nonzero()[0]
    assert torch.equal(shown['following'][rows[0]], batch.following[0])
    assert not workspace.replay.mixed(workspace.replay.Pool('cpu'), own, 8, 0.5).shown.any()


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Translate anew, and forget it."""
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', str(tmp_path))
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize('name', ALGORITHMS)
def test_translated_it_learns_the_same_with_the_same_random_numbers(fresh, learner, name):
    plain, translated = learner(name), learner(name, compiled=True)
    for one in (plain, translated):
        torch.manual_seed(3)
        one.work(12)

    pieces = [one for key, one in vars(translated.algorithm).items() if 'translated' in key]
    assert pieces
    assert all(one.translated for one in pieces)
    for one, other in zip(
        plain.algorithm.state_dict().values(), translated.algorithm.state_dict().values()
    ):
        torch.testing.assert_close(other, one, rtol=2e-3, atol=2e-4)


def test_without_a_compiler_it_says_so_once_and_learns_the_same(fresh, learner):
    plain, stranded = learner('bc'), learner('bc', compiled=True)
    torch.manual_seed(3)
    plain.work(4)
    torch.manual_seed(3)
    no_compiler = inductor.patch({'cpp.cxx': ('/nonexistent/g++',)})
    with no_compiler, pytest.warns(RuntimeWarning, match='untranslated') as caught:
        stranded.work(4)

    assert len([one for one in caught if 'untranslated' in str(one.message)]) == 1
    assert torch.equal(plain.algorithm.actor.body.weights, stranded.algorithm.actor.body.weights)


def test_recipe_file_says_what_the_recipe_does(workspace):
    from enpire_nodes.improvement.recipes import describe

    text = (Path(workspace.recipe.__file__).parent / 'recipe.yaml').read_text()
    assert text.split('\n\n', 1)[1].strip() == describe(workspace.recipe.Recipe).strip()
