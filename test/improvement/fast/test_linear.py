"""The linear layer and its gradients, beside torch's own in double precision."""

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
import torch
from torch.nn import functional

from enpire_nodes.improvement.fast.linear import linear


def _gradients(function, *tensors):
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    y = function(*leaves)
    ramp = torch.linspace(-1.0, 1.0, y.numel(), dtype=y.dtype).view(y.shape)
    return (y.detach(), *torch.autograd.grad((y * ramp).sum(), leaves))


@settings(max_examples=25, deadline=None)
@given(
    batch=st.sampled_from([1, 17, 64, 256]),
    inputs=st.sampled_from([3, 16, 27, 128]),
    outputs=st.sampled_from([1, 6, 16, 33, 128]),
    relu=st.booleans(),
)
def test_value_and_gradients_are_those_of_torch(batch, inputs, outputs, relu):
    torch.manual_seed(batch + inputs + outputs)
    tensors = torch.randn(batch, inputs), torch.randn(outputs, inputs), torch.randn(outputs)

    def torchs(x, weight, bias):
        y = functional.linear(x, weight, bias)
        return functional.relu(y) if relu else y

    found = _gradients(lambda *given: linear(*given, relu=relu), *tensors)
    expected = _gradients(torchs, *(tensor.double() for tensor in tensors))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one.double(), other, rtol=1e-4, atol=2e-4)


def test_takes_a_slice_of_columns():
    wide = torch.randn(64, 64)
    weight, bias = torch.randn(32, 32), torch.randn(32)

    torch.testing.assert_close(
        linear(wide[:, 32:], weight, bias), functional.linear(wide[:, 32:], weight, bias)
    )


def test_frozen_weights_get_no_gradient_and_the_input_does():
    x = torch.randn(32, 32, requires_grad=True)
    weight = torch.randn(32, 32)
    linear(x, weight, torch.randn(32)).sum().backward()

    assert weight.grad is None
    torch.testing.assert_close(x.grad, weight.sum(0).expand(32, 32))


def test_bfloat16_is_near_and_gives_float32():
    torch.manual_seed(0)
    tensors = torch.randn(64, 32), torch.randn(32, 32), torch.randn(32)
    found = _gradients(lambda *given: linear(*given, bfloat16=True), *tensors)
    expected = _gradients(functional.linear, *tensors)

    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.float32
        assert (one - other).norm() <= 0.01 * other.norm()
    assert not torch.equal(found[0], expected[0])


@pytest.mark.parametrize('kind', [torch.float64, torch.bfloat16])
def test_other_types_are_left_to_torch(kind):
    x, weight, bias = (torch.randn(32, 32).to(kind) for _ in range(3))

    torch.testing.assert_close(
        linear(x, weight, bias[0]), functional.linear(x, weight, bias[0]), rtol=0, atol=0
    )
