"""Linear layers for processors: equal or near to torch's own, and each position by itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from synthesis.engines.cosyvoice3.linears import Int8Linear, PackedLinear, Precision, fit


def layer(*, bias: bool = True) -> nn.Linear:
    torch.manual_seed(3)
    return nn.Linear(256, 96, bias=bias).requires_grad_(requires_grad=False)


def off(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())


def test_it_is_about_a_hundredth_off() -> None:
    x = torch.randn(2, 17, 256, generator=torch.Generator().manual_seed(1))
    for bias in (True, False):
        exact = layer(bias=bias)
        found = Int8Linear(exact)(x)
        assert found.shape == (2, 17, 96)
        assert off(found, exact(x)) < 0.02


def test_a_position_does_not_hear_of_a_loud_neighbour() -> None:
    """The first position of a language model is a thousand times larger than the others."""
    x = torch.randn(9, 256, generator=torch.Generator().manual_seed(1))
    quantised = Int8Linear(layer())
    alone = quantised(x[1:])
    x[0] *= 1000
    assert torch.equal(quantised(x)[1:], alone)


def test_zeros_give_the_bias() -> None:
    exact = layer()
    assert torch.equal(Int8Linear(exact)(torch.zeros(1, 256))[0], exact.bias)


@pytest.mark.parametrize("rows", [(1,), (2, 17)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "least"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_packed_it_is_the_same_to_rounding(rows: tuple[int, ...], bias: bool, dtype: torch.dtype, least: float) -> None:
    x = torch.randn(*rows, 256, generator=torch.Generator().manual_seed(1)).to(dtype)
    exact = layer(bias=bias).to(dtype)
    found = PackedLinear(exact)(x)
    assert found.shape == (*rows, 96)
    assert found.dtype == dtype
    assert off(found.float(), exact(x).float()) < least


KINDS: list[tuple[Precision, type]] = [
    ("float32", PackedLinear),
    ("bfloat16", PackedLinear),
    ("int8", Int8Linear),
    ("float16", nn.Linear),
]


@pytest.mark.parametrize(("precision", "kind"), KINDS)
def test_all_linear_layers_inside_are_replaced(precision: Precision, kind: type) -> None:
    module = nn.Sequential(nn.LayerNorm(256), nn.ModuleList([nn.Linear(256, 4)]), nn.Linear(4, 4))
    fit(module, precision, torch.device("cpu"))
    assert sum(type(part) is kind for part in module.modules()) == 2
