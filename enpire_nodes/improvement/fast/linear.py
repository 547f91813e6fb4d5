"""A linear layer whose three products all run in oneDNN, in float32.

On processors that MKL does not know well, its float32 products use half of the vector unit; the
oneDNN that comes with torch uses all of it. ``torch.nn.functional.linear`` asks MKL, so here the
same product, and the two of its gradient, are asked of oneDNN. Where oneDNN has no good kernel
(narrow layers, other types, other devices), torch's own is used. Same figures either way, up to
rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: Below this width oneDNN falls back to a kernel that is slower than MKL's by far.
NARROW = 16

_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, '_linear_pointwise')

# An operator of our own, since torch.compile takes a weight that changes for a mistake when it
# sees oneDNN's. Its name and arguments are those of oneDNN's, so that a translated update calls
# that without going through Python: compiled.py says so to torch.
_library = torch.library.Library('enpire', 'DEF')
_library.define(
    '_linear_pointwise(Tensor X, Tensor W, Tensor? B, str attr, Scalar?[] scalars, '
    'str? algorithm) -> Tensor',
    tags=(torch.Tag.needs_exact_strides, torch.Tag.pt2_compliant_tag),
)


def _shape(x: Tensor, weight: Tensor, *_: object) -> Tensor:
    return x.new_empty(x.shape[0], weight.shape[0])


if _ONEDNN:
    _library.impl('_linear_pointwise', torch.ops.mkldnn._linear_pointwise, 'CPU')
_library.impl('_linear_pointwise', _shape, 'Meta')
#: The operator, and how C declares what it stands for.
OPERATOR = torch.ops.enpire._linear_pointwise.default
DECLARED = (
    'AOTITorchError aoti_torch_cpu__linear_pointwise(AtenTensorHandle, AtenTensorHandle, '
    'AtenTensorHandle*, const char*, const double**, int64_t, const char**, AtenTensorHandle*)'
)


def _call(x: Tensor, weight: Tensor, bias: Tensor | None, then: str) -> Tensor:
    return OPERATOR(x, weight, bias, then, [], '')


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor, weight: Tensor, bias: Tensor, relu: bool) -> Tensor:
        y = _call(x, weight, bias, 'relu' if relu else 'none')
        ctx.save_for_backward(x, weight, y)
        ctx.relu = relu
        return y

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, y = ctx.saved_tensors
        if ctx.relu:
            gradient = gradient * (y > 0.0)
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = _call(gradient.contiguous(), weight.t(), None, 'none')
        if ctx.needs_input_grad[1]:
            of_weight = _call(gradient.t().contiguous(), x.t(), None, 'none')
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum(0)
        return of_x, of_weight, of_bias, None


def linear(
    x: Tensor, weight: Tensor, bias: Tensor, *, relu: bool = False, bfloat16: bool = False
) -> Tensor:
    """Return ``x @ weight.T + bias``, and its positive part if ``relu``.

    :param x: (batch, inputs).
    :param weight: (outputs, inputs).
    :param bias: (outputs,).
    :param bfloat16: multiply in bfloat16 (8 bits of mantissa), there and in the gradient, and sum
        in float32. Twice as fast on processors that can (AVX512_BF16, AMX), slower on others.
    :returns: (batch, outputs) float32.
    """
    if bfloat16:
        y = functional.linear(x.bfloat16(), weight.bfloat16()).float() + bias
        return functional.relu(y) if relu else y
    if weight.shape[0] == 1 and not relu:
        # Ends a critic: torch.compile merges a sum with what is around it, a product it cannot.
        return (x * weight).sum(-1, keepdim=True) + bias
    wide = min(*weight.shape, x.shape[0]) >= NARROW
    if _ONEDNN and wide and x.dtype == torch.float32 and x.device.type == 'cpu':
        return _Linear.apply(x.contiguous(), weight, bias, relu)
    y = functional.linear(x, weight, bias)
    return functional.relu(y) if relu else y
