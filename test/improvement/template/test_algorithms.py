"""What one update changes and what it does not, for each algorithm."""

import pytest
import torch

CLONING = ('bc', 'bc_rl', 'residual')


def _batch(workspace, learner, share=0.5):
    return workspace.replay.mixed(learner.shown, learner.own, 32, share)


def _copy(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def _changed(module, before):
    return {name for name, value in module.state_dict().items() if not value.equal(before[name])}


@pytest.mark.parametrize('name', CLONING)
def test_cloning_changes_the_actor_and_nothing_else(workspace, learner, name):
    algorithm = learner(name).algorithm
    before = _copy(algorithm)
    algorithm.clone(_batch(workspace, learner(name)))

    changed = {one for one in _changed(algorithm, before) if 'optimizer' not in one}
    assert changed == (
        {'actor.base.body.weights'} if name == 'residual' else {'actor.body.weights'}
    )


@pytest.mark.parametrize(('name', 'due'), [('rlpd', [3, 4, 5, 6]), ('bc_rl', [4, 6])])
def test_actor_waits_for_the_critics_and_learns_as_often_as_it_should(
    workspace, learner, name, due
):
    made = learner(name)
    moved = []
    for update in range(1, 7):
        actor, critics, targets = map(
            _copy, (made.algorithm.actor, made.algorithm.critics, made.algorithm.targets)
        )
        made.algorithm.update(_batch(workspace, made))
        assert _changed(made.algorithm.critics, critics)
        assert _changed(made.algorithm.targets, targets)
        if _changed(made.algorithm.actor, actor):
            moved.append(update)

    assert moved == due


def test_temperature_learns_with_the_actor_of_rlpd(workspace, learner):
    made = learner('rlpd', warm_up_updates=0)
    before = made.algorithm.log_alpha.item()
    made.algorithm.update(_batch(workspace, made))

    assert made.algorithm.log_alpha.item() != before


def test_base_of_residual_stays_as_it_was_cloned(workspace, learner):
    made = learner('residual', warm_up_updates=0)
    made.work(4)
    base, body = _copy(made.algorithm.actor.base), _copy(made.algorithm.actor.body)
    made.work(4)

    assert not _changed(made.algorithm.actor.base, base)
    assert _changed(made.algorithm.actor.body, body)


@pytest.mark.parametrize(('reward', 'bound'), [(50.0, 1.0), (-50.0, None)])
def test_targets_stay_within_what_is_possible(
    workspace, learner, transitions, monkeypatch, reward, bound
):
    made = learner('rlpd')
    pool = workspace.replay.Pool(torch.device('cpu'))
    pool.add(transitions(64, reward=reward))
    targets = []
    plain = torch.nn.functional.mse_loss

    def mse_loss(values, target):
        targets.append(target.detach().clone())
        return plain(values, target)

    monkeypatch.setattr(torch.nn.functional, 'mse_loss', mse_loss)
    made.algorithm.update(workspace.replay.mixed(pool, pool, 32, 0.5))

    expected = bound if bound is not None else made.algorithm.lowest
    assert expected in (1.0, -made.recipe.data.step_cost / (1.0 - made.recipe.training.discount))
    torch.testing.assert_close(targets[0], torch.full_like(targets[0], expected))


def test_few_critics_are_drawn_anew_and_only_they_are_asked(workspace, recipe):
    torch.manual_seed(0)
    critics = workspace.networks.Critics(recipe(critics=5), 6)
    seen, action = torch.randn(8, 3), torch.randn(8, 3)
    every = critics(seen, action)
    drawn = set()
    for _ in range(20):
        few = critics.few(seen, action, 2)
        members = [
            [torch.allclose(one, other, atol=1e-6) for other in every].index(True) for one in few
        ]
        assert len(set(members)) == 2
        drawn.update(members)

    assert len(drawn) == 5


def test_frozen_critics_pass_the_gradient_to_the_action_alone(workspace, recipe):
    critics = workspace.networks.Critics(recipe(), 6)
    action = torch.randn(8, 3, requires_grad=True)
    critics.frozen(torch.randn(8, 3), action).sum().backward()

    assert action.grad.abs().sum() > 0
    assert critics.members.weights.grad is None


def test_imitation_counts_demonstrations_more_than_states_of_its_own(workspace, learner):
    made = learner('bc_rl')
    seen, action = torch.randn(4, 7), torch.zeros(4, 3)
    batch = _batch(workspace, made)
    batch = batch._replace(action=torch.full((4, 3), 0.5), shown=torch.tensor([True] * 4))
    assert made.algorithm.distance(seen, action, batch).item() == pytest.approx(2 * 0.25)

    likely = made.algorithm.clone_of_demonstrations.act(seen)
    batch = batch._replace(shown=torch.tensor([False] * 4))
    expected = 2 * 0.2 * likely.square().mean()
    torch.testing.assert_close(made.algorithm.distance(seen, action, batch), expected)


def test_cloning_cools_down_by_half_a_cosine(learner):
    algorithm = learner('bc').algorithm
    rates = []
    for done in (0.0, 0.5, 1.0):
        algorithm.cool(done)
        rates.append(algorithm.cloner.rate.item())

    assert rates == pytest.approx([5e-4, 2.5e-4, 0.0], abs=1e-9)


def test_what_the_base_of_residual_sees_by_learns_with_it_and_then_stays(workspace, recipe):
    from dataclasses import replace

    made = recipe('residual', warm_up_updates=0)
    made = replace(made, observation=replace(made.observation, images=32))
    algorithm = workspace.algorithms.algorithm_class('residual')(made, 7)
    images = torch.randint(256, (8, 2, 32, 32, 3), dtype=torch.uint8)
    batch = workspace.algorithms.base.Batch(
        torch.randn(8, 7), torch.rand(8, 3), torch.zeros(8), torch.randn(8, 7),
        torch.full((8,), 0.97), images, images, torch.ones(8, dtype=torch.bool),
    )  # fmt: skip
    before = _copy(algorithm.actor.eyes)
    algorithm.clone(batch)
    assert _changed(algorithm.actor.eyes, before)
    algorithm.after_cloning()
    before = _copy(algorithm.actor.eyes)
    for _ in range(4):
        algorithm.update(batch)
    assert not _changed(algorithm.actor.eyes, before)
