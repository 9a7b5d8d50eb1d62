"""Linear layers for processors, in place of ``nn.Linear``: packed in floating point, or in 8-bit integers."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Precision = Literal["float32", "bfloat16", "float16", "int8"]
PRECISIONS: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int8": torch.float32,
}
"""What the layers that stay in floating point work in."""
LEVELS = 127
LEAST = 1e-12
"""Instead of a scale of 0, for rows that are all 0."""


class GeluLinear(nn.Linear):
    """With GELU, by its hyperbolic tangent, on what comes out."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.gelu(super().forward(x), approximate="tanh")


class PackedLinear(nn.Module):
    """The same products to rounding, with the weight laid out as oneDNN reads it. Shapes: (..., in) to (..., out).

    For one position, all threads read the weight; ``nn.Linear`` reads it with one, and waits for memory alone.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        # What torch.compile puts in place of a linear layer on a processor; compiling itself needs a C++ compiler.
        self._weight: Tensor = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)  # noqa: SLF001
        self.bias = linear.bias
        self._after: tuple[str, list[float], str] = ("none", [], "")
        if isinstance(linear, GeluLinear):
            self._after = ("gelu", [], "tanh")

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self.bias, *self._after)  # noqa: SLF001
        return y


class Int8Linear(nn.Module):
    """Integer products and a quarter of the memory traffic, about 1 % off for each layer. Shapes: as PackedLinear.

    Weights are rounded to 255 levels of each output's largest weight, inputs to 255 levels of each position's largest
    value at the moment they come. Positions never share a scale: what is said of one does not depend on the others.
    """

    weight: Tensor
    scale: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight, scale = rounded(linear.weight.detach().to(torch.float32))
        self.register_buffer("weight", weight.t())
        self.register_buffer("scale", scale.squeeze(-1))
        self.bias = linear.bias
        self._gelu = isinstance(linear, GeluLinear)

    def forward(self, x: Tensor) -> Tensor:
        levels, scale = rounded(x.flatten(0, -2).to(torch.float32))
        # The one integer product that PyTorch offers without its deprecated quantised tensors.
        sums: Tensor = torch._int_mm(levels, self.weight)  # noqa: SLF001
        y = sums.float().mul_(scale).mul_(self.scale)
        y = y if self.bias is None else y.add_(self.bias)
        y = functional.gelu(y, approximate="tanh") if self._gelu else y
        return y.to(x.dtype).view(*x.shape[:-1], -1)


def rounded(x: Tensor) -> tuple[Tensor, Tensor]:
    """(n, m) float32 as int8 levels and a scale (n, 1) for each row."""
    scale = x.abs().amax(-1, keepdim=True).clamp_min(LEAST) / LEVELS
    return (x / scale).round_().to(torch.int8), scale


def fit(module: nn.Module, precision: Precision, device: torch.device) -> None:
    """Give ``module`` the linear layers that suit; on a GPU torch's own do."""
    if device.type != "cpu":
        return
    if precision == "int8":
        replace(module, Int8Linear)
    elif precision != "float16" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        replace(module, PackedLinear)


def replace(module: nn.Module, kind: Callable[[nn.Linear], nn.Module]) -> None:
    """Put a ``kind`` in the place of every ``nn.Linear`` inside ``module``; their own weights are given up."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, kind(child))
        else:
            replace(child, kind)
