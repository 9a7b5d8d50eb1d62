"""Linear layers in 8-bit integers, for processors: a quarter of the memory traffic, and integer products.

Weights are rounded to 255 levels of each output's largest weight, inputs to 255 levels of each position's largest
value at the moment they come. Positions never share a scale, so what is said of one does not depend on the others.
"""

import torch
from torch import Tensor, nn

LEVELS = 127
LEAST = 1e-12
"""Instead of a scale of 0, for rows that are all 0."""


class Int8Linear(nn.Module):
    """In place of ``nn.Linear``, about 1 % off for each layer. Shapes: (..., in) to (..., out)."""

    weight: Tensor
    scale: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight, scale = rounded(linear.weight.detach().to(torch.float32))
        self.register_buffer("weight", weight.t())
        self.register_buffer("scale", scale.squeeze(-1))
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        levels, scale = rounded(x.flatten(0, -2).to(torch.float32))
        # The one integer product that PyTorch offers without its deprecated quantised tensors.
        sums: Tensor = torch._int_mm(levels, self.weight)  # noqa: SLF001
        y = sums * (scale * self.scale)
        y = y if self.bias is None else y + self.bias
        return y.to(x.dtype).view(*x.shape[:-1], -1)


def rounded(x: Tensor) -> tuple[Tensor, Tensor]:
    """(n, m) float32 as int8 levels and a scale (n, 1) for each row."""
    scale = x.abs().amax(-1, keepdim=True).clamp_min(LEAST) / LEVELS
    return (x / scale).round().to(torch.int8), scale


def quantise(module: nn.Module) -> None:
    """Replace every ``nn.Linear`` inside ``module``; their float weights are given up."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, Int8Linear(child))
        else:
            quantise(child)
