"""Adam and Polyak averaging, beside those of torch and of the definition."""

from hypothesis import given, settings
from hypothesis import strategies as st
import torch

from enpire_nodes.improvement.fast.optimizer import Adam, polyak


@settings(max_examples=25, deadline=None)
@given(
    rate=st.floats(1e-5, 1e-1),
    first=st.floats(0.0, 0.99),
    second=st.floats(0.5, 0.9999),
    steps=st.integers(1, 20),
)
def test_adam_steps_as_that_of_torch(rate, first, second, steps):
    torch.manual_seed(steps)
    ours = torch.randn(40)
    theirs = ours.double().requires_grad_()
    adam = Adam(ours, rate, betas=(first, second))
    reference = torch.optim.Adam([theirs], rate, betas=(first, second))

    for _ in range(steps):
        gradient = torch.randn(40)
        adam.step(ours, gradient)
        theirs.grad = gradient.double()
        reference.step()

    torch.testing.assert_close(ours.double(), theirs.detach(), rtol=1e-4, atol=2e-3 * rate * steps)


def test_adam_goes_on_from_a_saved_state():
    weights = torch.randn(10)
    adam = Adam(weights)
    adam.step(weights, torch.randn(10))
    copy, other = weights.clone(), Adam(weights)
    other.load_state_dict(adam.state_dict())

    gradient = torch.randn(10)
    adam.step(weights, gradient)
    other.step(copy, gradient)

    assert torch.equal(weights, copy)


def test_polyak_moves_by_its_share_and_leaves_no_gradient():
    weights = torch.randn(10, requires_grad=True)
    target = torch.randn(10)
    expected = 0.9 * target + 0.1 * weights.detach()

    polyak(target, weights, 0.1)

    torch.testing.assert_close(target, expected)
    assert not target.requires_grad
