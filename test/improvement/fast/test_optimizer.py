"""AdamW and Polyak averaging, beside those of torch and of the definition."""

from hypothesis import given, settings
from hypothesis import strategies as st
import torch
from torch import nn

from enpire_nodes.improvement.fast.optimizer import Adam, AdamW, follow


@settings(max_examples=25, deadline=None)
@given(
    rate=st.floats(1e-5, 1e-1),
    first=st.floats(0.0, 0.99),
    second=st.floats(0.5, 0.9999),
    decay=st.sampled_from([0.0, 1e-4, 0.1]),
    steps=st.integers(1, 20),
)
def test_adam_steps_as_that_of_torch(rate, first, second, decay, steps):
    torch.manual_seed(steps)
    ours = torch.randn(40)
    theirs = ours.double().requires_grad_()
    adam = Adam(ours, betas=(first, second), decay=decay)
    reference = torch.optim.AdamW([theirs], rate, betas=(first, second), weight_decay=decay)

    for _ in range(steps):
        gradient = torch.randn(40)
        adam.step(ours, gradient, rate)
        theirs.grad = gradient.double()
        reference.step()

    # The decay is of the weights before the step, not of those after: apart by rate squared.
    near = 2e-3 * rate * steps + 2.0 * decay * rate * rate * steps
    torch.testing.assert_close(ours.double(), theirs.detach(), rtol=1e-4, atol=near)


def _loss(network, x):
    return network(x).square().mean()


def test_goes_down_as_that_of_torch_and_at_the_rate_it_is_told():
    torch.manual_seed(1)
    ours, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    optimizer = AdamW(ours.parameters(), 1e-2, decay=1e-2)
    reference = torch.optim.AdamW(theirs.parameters(), 1e-2, weight_decay=1e-2)
    for step in range(20):
        if step == 10:
            optimizer.set_rate(1e-3)
            reference.param_groups[0]['lr'] = 1e-3
        x = torch.randn(8, 5)
        optimizer.minimize(_loss(ours, x))
        reference.zero_grad()
        _loss(theirs, x).backward()
        reference.step()

    torch.testing.assert_close(ours.weight, theirs.weight, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=1e-4, atol=1e-5)


def test_what_the_loss_does_not_depend_on_stays_as_it_is():
    used, unused = (nn.Parameter(torch.ones(3)) for _ in range(2))
    AdamW([used, unused], 1e-2).minimize(used.sum())

    assert (used < 1.0).all()
    assert (unused == 1.0).all()


def test_goes_on_from_a_saved_state():
    first, second = nn.Linear(5, 3), nn.Linear(5, 3)
    adam, other = AdamW(first.parameters(), 1e-2), AdamW(second.parameters(), 1e-3)
    x = torch.randn(8, 5)
    adam.minimize(_loss(first, x))
    second.load_state_dict(first.state_dict())
    other.load_state_dict(adam.state_dict())
    adam.minimize(_loss(first, x))
    other.minimize(_loss(second, x))

    assert torch.equal(first.weight, second.weight)


def test_following_moves_by_its_share_and_leaves_no_gradient():
    fast, slow = nn.Linear(4, 2), nn.Linear(4, 2).requires_grad_(False)
    expected = 0.9 * slow.weight + 0.1 * fast.weight.detach()

    follow(slow, fast, 0.1)

    torch.testing.assert_close(slow.weight, expected)
    assert not slow.weight.requires_grad
