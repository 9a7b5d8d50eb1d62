"""The published vocoder file to the loaded vocoder."""

from collections.abc import Mapping

import torch
from torch import Tensor

from synthesis.engines.cosyvoice3.vocoder import GPU_PIECE_FRAMES, Vocoder, down_kernel
from synthesis.engines.cosyvoice3.vocoder_layers import F0_KERNELS, MEL, POST_KERNEL, VocoderConfig, summed_taps


def load_vocoder(
    config: VocoderConfig, weights: Mapping[str, Tensor], *, device: torch.device | str = "cpu"
) -> Vocoder:
    """From the published tensors, their shapes checked before (``vocoder_shapes``). float32, pitch in float64."""
    plain = without_weight_norm(weights)
    state: dict[str, Tensor] = {}
    for name, value in plain.items():
        if name.startswith("f0_predictor"):
            state[pitch_name(name)] = value.double()
        else:
            state[name.replace("m_source.l_linear", "harmonics")] = value.float()
    for i, rate in enumerate(config.upsample_rates):
        state[f"ups.{i}.conv.weight"] = summed_taps(plain[f"ups.{i}.weight"], rate).float()
        state[f"ups.{i}.conv.bias"] = state.pop(f"ups.{i}.bias").repeat_interleave(rate)
        del state[f"ups.{i}.weight"]
    with torch.device("meta"):
        vocoder = Vocoder(config)
    vocoder.load_state_dict(state, assign=True)
    vocoder.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
    vocoder.noise_states()
    if torch.device(device).type != "cpu":
        vocoder.piece_frames = GPU_PIECE_FRAMES
    return vocoder.requires_grad_(requires_grad=False).eval().to(device)


def pitch_name(name: str) -> str:
    """``f0_predictor.condnet.2.bias`` → ``pitch.convs.0.bias``; odd places of ``condnet`` are activations."""
    parts = name.split(".")
    if parts[1] == "classifier":
        return f"pitch.classifier.{parts[2]}"
    place = int(parts[2]) // 2
    return f"pitch.convs.{place - 1}.{parts[3]}" if place else f"pitch.look.{parts[3]}"


G, V = "parametrizations.weight.original0", "parametrizations.weight.original1"
"""Names of a weight-normalised weight's length and direction."""


def without_weight_norm(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as plain tensors: g · v / |v|, in float64."""
    plain = {name: value for name, value in weights.items() if not name.endswith((G, V))}
    for name, length in weights.items():
        if name.endswith(G):
            layer = name.removesuffix(G)
            direction = weights[layer + V].double()
            norm = torch.linalg.vector_norm(direction, dim=(1, 2), keepdim=True)
            plain[f"{layer}weight"] = direction * (length.double() / norm)
    return plain


def vocoder_shapes(config: VocoderConfig) -> dict[str, tuple[int, ...]]:
    """The published names of ``hift.pt`` and their shapes."""
    shapes: dict[str, tuple[int, ...]] = {
        "m_source.l_linear.weight": (1, config.sines),
        "m_source.l_linear.bias": (1,),
        "f0_predictor.classifier.weight": (1, config.f0_channels),
        "f0_predictor.classifier.bias": (1,),
    }
    for i, kernel in enumerate(F0_KERNELS):
        inputs = config.f0_channels if i else MEL
        shapes |= normed(f"f0_predictor.condnet.{2 * i}", config.f0_channels, inputs, kernel)
    shapes |= normed("conv_pre", config.base_channels, MEL, config.conv_pre_look_right + 1)
    kernels = config.resblock_kernel_sizes
    for i, kernel in enumerate(config.upsample_kernel_sizes):
        channels = config.channels(i)
        shapes |= normed(f"ups.{i}", channels, config.channels(i - 1), kernel)
        shapes[f"source_downs.{i}.weight"] = (channels, config.spectrum, down_kernel(config.source_stride(i)))
        shapes[f"source_downs.{i}.bias"] = (channels,)
        shapes |= resblock_shapes(f"source_resblocks.{i}", channels, config.source_resblock_kernel_sizes[i], config)
        for j, size in enumerate(kernels):
            shapes |= resblock_shapes(f"resblocks.{i * len(kernels) + j}", channels, size, config)
    return shapes | normed("conv_post", config.spectrum, channels, POST_KERNEL)


def resblock_shapes(block: str, channels: int, kernel: int, config: VocoderConfig) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(len(config.resblock_dilations)):
        for half in (1, 2):
            shapes |= normed(f"{block}.convs{half}.{i}", channels, channels, kernel)
            shapes[f"{block}.activations{half}.{i}.alpha"] = (channels,)
    return shapes


def normed(layer: str, outputs: int, inputs: int, kernel: int) -> dict[str, tuple[int, ...]]:
    """The three tensors of a weight-normalised convolution."""
    return {f"{layer}.bias": (outputs,), f"{layer}.{G}": (outputs, 1, 1), f"{layer}.{V}": (outputs, inputs, kernel)}
