"""The published flow file to the loaded flow; the transformer's time embedding becomes a table on the way."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from synthesis.engines.cosyvoice3.dit import CONV_GROUPS, CONV_KERNEL, MEL, DiT, DiTConfig, Modulation
from synthesis.engines.cosyvoice3.flow import LOOK_AHEAD, LOOK_BACK, Flow, FlowConfig
from synthesis.engines.cosyvoice3.solver import Solver, fixed_noise, solver_steps

ESTIMATOR = "decoder.estimator."
TIME_CHANNELS = 256
TIME_SCALE = 1000.0


def load_flow(
    config: FlowConfig,
    weights: Mapping[str, Tensor],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Flow:
    """From the published tensors, their shapes checked before (``flow_shapes``).

    ``dtype`` is that of the transformer's products; what is added up stays float32.
    """
    estimator = {name.removeprefix(ESTIMATOR): value for name, value in weights.items() if name.startswith(ESTIMATOR)}
    steps = solver_steps()
    modulation = modulation_table(estimator, config.depth, torch.tensor([time for time, _ in steps]))
    dit = load_dit(config.dit, estimator)
    for part in (dit.proj, dit.position, dit.blocks, dit.proj_out):
        part.to(dtype)
    solver = Solver(dit, modulation, fixed_noise(), [length for _, length in steps])
    with torch.device("meta"):
        flow = Flow(config, solver)
    state: dict[str, Tensor] = {f"solver.dit.{name}": value for name, value in dit.state_dict().items()}
    take = copier(weights, state)
    state["embedding.weight"] = weights["input_embedding.weight"]
    take("spk_embed_affine_layer", "speaker_affine")
    take("pre_lookahead_layer.conv1", "look_ahead")
    take("pre_lookahead_layer.conv2", "look_back")
    flow.load_state_dict(state, assign=True)
    return flow.requires_grad_(requires_grad=False).eval().to(device)


def flow_shapes(config: FlowConfig) -> dict[str, tuple[int, ...]]:
    """The published names of ``flow.pt`` and their shapes."""
    weights: dict[str, tuple[int, ...]] = {
        "spk_embed_affine_layer": (MEL, config.speaker_channels),
        "pre_lookahead_layer.conv1": (config.prelook_channels, MEL, LOOK_AHEAD + 1),
        "pre_lookahead_layer.conv2": (MEL, config.prelook_channels, LOOK_BACK + 1),
    }
    estimator = {f"{ESTIMATOR}{name}": shape for name, shape in dit_shapes(config.dit).items()}
    return with_biases(weights) | estimator | {"input_embedding.weight": (config.vocabulary, MEL)}


def modulation_table(weights: Mapping[str, Tensor], depth: int, times: Tensor) -> Modulation:
    """Time embedding and all modulations at ``times`` (K,) from the weights of the estimator."""

    def linear(name: str, x: Tensor) -> Tensor:
        return functional.linear(x, weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float())

    times = times.to(weights["time_embed.time_mlp.0.weight"].device)
    hidden = functional.silu(linear("time_embed.time_mlp.0", time_waves(times)))
    c = functional.silu(linear("time_embed.time_mlp.2", hidden))
    blocks = torch.stack([linear(f"transformer_blocks.{i}.attn_norm.linear", c) for i in range(depth)])
    blocks = blocks.view(depth, len(times), 6, 1, -1).transpose(1, 2).contiguous()
    final = linear("norm_out.linear", c).view(len(times), 2, 1, -1).transpose(0, 1).contiguous()
    blocks[:, 1::3] += 1
    final[0] += 1
    return Modulation(blocks, final)


def time_waves(times: Tensor) -> Tensor:
    """(K,) → (K, 256): sines, then cosines, from one turn a thousandth to one in ten thousand."""
    half = TIME_CHANNELS // 2
    step = torch.log(torch.tensor(10000.0)) / (half - 1)
    frequencies = torch.exp(torch.arange(half, device=times.device) * -step.to(times.device))
    angles = TIME_SCALE * times[:, None] * frequencies
    return torch.cat((angles.sin(), angles.cos()), 1)


def load_dit(config: DiTConfig, weights: Mapping[str, Tensor]) -> DiT:
    """From the published names below ``decoder.estimator.``; their shapes were checked before."""
    with torch.device("meta"):
        dit = DiT(config)
    state: dict[str, Tensor] = {"inverse_frequency": weights["rotary_embed.inv_freq"]}
    take = copier(weights, state)
    take("input_embed.proj", "proj")
    for i in range(2):
        take(f"input_embed.conv_pos_embed.conv{i + 1}.0", f"position.convs.{i}")
    for i in range(config.depth):
        theirs, ours = f"transformer_blocks.{i}", f"blocks.{i}"
        for kind in ("weight", "bias"):
            state[f"{ours}.qkv.{kind}"] = torch.cat([weights[f"{theirs}.attn.to_{name}.{kind}"] for name in "qkv"])
        take(f"{theirs}.attn.to_out.0", f"{ours}.out")
        take(f"{theirs}.ff.ff.0.0", f"{ours}.up")
        take(f"{theirs}.ff.ff.2", f"{ours}.down")
    take("proj_out", "proj_out")
    dit.load_state_dict(state, assign=True)
    return dit.requires_grad_(requires_grad=False).eval()


def copier(weights: Mapping[str, Tensor], state: dict[str, Tensor]) -> Callable[[str, str], None]:
    """A function that takes weight and bias of one layer over to another name."""

    def take(theirs: str, ours: str) -> None:
        for kind in ("weight", "bias"):
            state[f"{ours}.{kind}"] = weights[f"{theirs}.{kind}"]

    return take


def dit_shapes(config: DiTConfig) -> dict[str, tuple[int, ...]]:
    """The published names below ``decoder.estimator.`` and their shapes."""
    d, inner, hidden = config.dim, config.inner, config.dim * config.ff_mult
    weights: dict[str, tuple[int, ...]] = {
        "time_embed.time_mlp.0": (d, TIME_CHANNELS),
        "time_embed.time_mlp.2": (d, d),
        "input_embed.proj": (d, 4 * MEL),
        "norm_out.linear": (2 * d, d),
        "proj_out": (MEL, d),
    }
    for i in (1, 2):
        weights[f"input_embed.conv_pos_embed.conv{i}.0"] = (d, d // CONV_GROUPS, CONV_KERNEL)
    for i in range(config.depth):
        block = f"transformer_blocks.{i}"
        weights[f"{block}.attn_norm.linear"] = (6 * d, d)
        weights |= {f"{block}.attn.to_{name}": (inner, d) for name in "qkv"}
        weights |= {f"{block}.attn.to_out.0": (d, inner), f"{block}.ff.ff.0.0": (hidden, d)}
        weights[f"{block}.ff.ff.2"] = (d, hidden)
    return with_biases(weights) | {"rotary_embed.inv_freq": (config.dim_head // 2,)}


def with_biases(weights: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Layer name to weight shape → tensor name to shape, biases added."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in weights.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes
