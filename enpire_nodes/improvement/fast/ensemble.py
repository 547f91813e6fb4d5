"""Several small networks of one shape, with all their weights in one vector.

One vector is one parameter to the optimizer, one line of Polyak averaging and one tensor to save.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
import math

import torch
from torch import nn, Tensor
from torch.nn import functional

from enpire_nodes.improvement.fast.linear import linear


class EnsembleMLP(nn.Module):
    """Networks of linear layers with ReLU between them, each with weights of its own.

    :param inputs: width of the input, which all members share.
    :param hidden: widths of the hidden layers.
    :param outputs: width of the output.
    :param ensemble: number of members.
    :param layer_norm: normalise each hidden layer before its ReLU, as RLPD does (Ball et al. 2023,
        arXiv 2302.02948): it keeps critics from overestimating what no data has shown.
    :param bfloat16: while training, multiply in bfloat16 between the hidden layers, as in
        :func:`enpire_nodes.improvement.fast.linear.linear`. The first layer, which sees positions
        and forces, and the last stay in float32, and so do the weights.

    ``weights`` is (ensemble, size): a row for each member. It starts as ``torch.nn.Linear`` does.
    """

    def __init__(
        self,
        inputs: int,
        hidden: Sequence[int],
        outputs: int,
        *,
        ensemble: int = 1,
        layer_norm: bool = False,
        bfloat16: bool = False,
    ) -> None:
        super().__init__()
        self.layer_norm, self.bfloat16 = layer_norm, bfloat16
        widths = [inputs, *hidden, outputs]
        self.shapes: list[tuple[int, ...]] = []
        parts = []
        for layer, (fan_in, fan_out) in enumerate(pairwise(widths)):
            bound = 1.0 / math.sqrt(fan_in)
            for shape in ((fan_out, fan_in), (fan_out,)):
                self.shapes.append(shape)
                parts.append(torch.empty(ensemble, math.prod(shape)).uniform_(-bound, bound))
            if layer_norm and layer < len(hidden):
                self.shapes += [(fan_out,), (fan_out,)]
                parts += [torch.ones(ensemble, fan_out), torch.zeros(ensemble, fan_out)]
        self.weights = nn.Parameter(torch.cat(parts, dim=1))

    def forward(self, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Evaluate every member.

        :param x: (batch, inputs).
        :param weights: (members, size) other weights, for example those of the target networks, or
            some rows of them; their own if not given.
        :returns: (members, batch, outputs).
        """
        weights = self.weights if weights is None else weights
        members = [self.unpack(row) for row in weights.unbind()]
        # The first layer of all members is one product, for they share its input.
        first = linear(
            x,
            torch.cat([member[0] for member in members]),
            torch.cat([member[1] for member in members]),
            relu=not self.layer_norm,
        )
        columns = first.chunk(len(members), dim=-1)
        return torch.stack([self._finish(x, member) for x, member in zip(columns, members)])

    def unpack(self, row: Tensor) -> list[Tensor]:
        """Return views of one member's weights.

        :param row: (size,) of ``weights``.
        :returns: of each layer the weight and the bias, then (if normalised) the scale and the
            shift.
        """
        sizes = [math.prod(shape) for shape in self.shapes]
        return [part.view(shape) for part, shape in zip(row.split(sizes), self.shapes)]

    @torch.no_grad()
    def zero_last(self) -> None:
        """Make the last layer give 0."""
        for row in self.weights:
            for part in self.unpack(row)[-2:]:
                part.zero_()

    def _finish(self, x: Tensor, parts: list[Tensor]) -> Tensor:
        """Evaluate one member from what its first linear layer gave."""
        *hidden, last_weight, last_bias = parts
        per_layer = 4 if self.layer_norm else 2
        for start in range(0, len(hidden), per_layer):
            if start:
                weight, bias = hidden[start : start + 2]
                x = linear(
                    x,
                    weight,
                    bias,
                    relu=not self.layer_norm,
                    bfloat16=self.bfloat16 and self.training,
                )
            if self.layer_norm:
                scale, shift = hidden[start + 2 : start + 4]
                x = functional.relu(functional.layer_norm(x, scale.shape, scale, shift))
        return linear(x, last_weight, last_bias)
