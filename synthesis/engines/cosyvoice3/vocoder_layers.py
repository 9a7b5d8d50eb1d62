"""What the vocoder is built of: its numbers, what a request has running, and layers that look back only.

``VocoderState`` holds the last inputs of each convolution, so a layer fed piece by piece gives what it gives the whole.
Shapes are ``(1, channels, time)``.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

MEL = 80
UP_SLOPE = 0.1
F0_KERNELS = (4, 3, 3, 3, 3)
F0_LOOK_AHEAD = F0_KERNELS[0] - 1
POST_KERNEL = 7
SNAKE_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class VocoderConfig:
    """Names as in a directory's own config; the defaults are the released model."""

    base_channels: int = 512
    f0_channels: int = 512
    upsample_rates: tuple[int, ...] = (8, 5, 3)
    upsample_kernel_sizes: tuple[int, ...] = (16, 11, 7)
    n_fft: int = 16
    hop_len: int = 4
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    source_resblock_kernel_sizes: tuple[int, ...] = (7, 7, 11)
    resblock_dilations: tuple[int, ...] = (1, 3, 5)
    conv_pre_look_right: int = 4
    nb_harmonics: int = 8
    """Beside the fundamental."""
    noise_seed: int = 0
    noise_skip: int = 5_052_970
    """Random numbers between the seed and the first of the source's: what the reference draws before."""

    @property
    def spectrum_frames(self) -> int:
        """Spectrum frames of one mel frame."""
        return math.prod(self.upsample_rates)

    @property
    def frame_samples(self) -> int:
        return self.spectrum_frames * self.hop_len

    @property
    def sines(self) -> int:
        return self.nb_harmonics + 1

    @property
    def spectrum(self) -> int:
        """Real and imaginary channels of a spectrum."""
        return self.n_fft + 2

    @property
    def look_ahead(self) -> int:
        """Frames that wait for their right neighbours before the network works on them."""
        return F0_LOOK_AHEAD + self.conv_pre_look_right

    def channels(self, stage: int) -> int:
        """After up-sampling ``stage``; -1 is before the first."""
        return self.base_channels >> (stage + 1)

    def source_stride(self, stage: int) -> int:
        """Spectrum frames of one time step of ``stage``."""
        return math.prod(self.upsample_rates[stage + 1 :])


@dataclass(slots=True)
class VocoderState:
    """Of one request between two pieces."""

    noise: torch.Generator
    tails: dict[nn.Module, Tensor] = field(default_factory=dict)
    """The inputs of each convolution that its next output still needs."""
    mel: Tensor | None = None
    """(1, 80, ·) not yet through the network."""
    started: bool = False
    phase: Tensor | None = None
    """(sines, 1) turns so far, float64."""
    source: Tensor | None = None
    """(·,) source samples that the next spectrum frame needs."""
    overlap: Tensor | None = None
    """(2, 3, hop) sums that later spectrum frames add to: of samples, and of squared windows."""
    samples: Tensor | None = None
    """(·,) made, and held back until the frame after is there."""


class Conv(nn.Conv1d):
    """A convolution that sees the past only. ``state`` holds what is past; before the start there are zeros."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, dilation: int = 1, stride: int = 1, left: int | None = None
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, dilation=dilation)
        self.reach = (kernel - 1) * dilation
        self.left = self.reach if left is None else left

    def past(self, x: Tensor, state: VocoderState) -> Tensor:
        """(1, inputs, T) → with the past in front; keeps what the next call needs."""
        tail = state.tails.get(self)
        x = functional.pad(x, (self.left, 0)) if tail is None else torch.cat((tail, x), 2)
        outputs = (x.shape[2] - self.reach - 1) // self.stride[0] + 1
        state.tails[self] = x[:, :, outputs * self.stride[0] :].clone()
        return x

    def forward(self, x: Tensor, state: VocoderState) -> Tensor:  # type: ignore[override]
        """(1, inputs, T) → (1, outputs, ~T / stride)"""
        return super().forward(self.past(x, state))


class Up(nn.Module):
    """Every input repeated ``rate`` times, then a causal convolution with ``kernel`` taps.

    Taps that meet the same input are summed beforehand (``summed_taps``): three products an output instead of
    up to sixteen.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, rate: int) -> None:
        super().__init__()
        self.rate = rate
        self.conv = Conv(inputs, outputs * rate, 1 + -(-(kernel - 1) // rate))

    def forward(self, x: Tensor, state: VocoderState) -> Tensor:
        """(1, inputs, T) → (1, outputs, rate · T)"""
        phases: Tensor = self.conv(x, state)[0]
        return phases.view(-1, self.rate, phases.shape[1]).transpose(1, 2).flatten(1)[None]


def summed_taps(weight: Tensor, rate: int) -> Tensor:
    """Taps at the fast rate (outputs, inputs, k) → those of each phase at the slow (outputs · rate, inputs, K).

    Output t of phase p hears input (p - k + 1 + tap) // rate steps away, through ``tap``.
    """
    outputs, inputs, kernel = weight.shape
    reach = -(-(kernel - 1) // rate)
    summed = weight.new_zeros(outputs, rate, inputs, reach + 1)
    for phase in range(rate):
        for tap in range(kernel):
            summed[:, phase, :, reach + (phase - kernel + 1 + tap) // rate] += weight[:, :, tap]
    return summed.flatten(0, 1)


class Snake(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """x + sin²(αx) / α (Ziyin et al., 2020): (1, C, T) → the same."""
        alpha = self.alpha[:, None]
        return x + torch.sin(x * alpha).square() / (alpha + SNAKE_EPSILON)


class ResBlock(nn.Module):
    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(Conv(channels, channels, kernel, dilation=dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(Conv(channels, channels, kernel) for _ in dilations)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in dilations)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in dilations)

    def forward(self, x: Tensor, state: VocoderState) -> Tensor:
        """(1, C, T) → the same."""
        layers = zip(self.activations1, self.convs1, self.activations2, self.convs2, strict=True)
        for activation1, conv1, activation2, conv2 in layers:
            x = x + conv2(activation2(conv1(activation1(x), state)), state)
        return x


class PitchPredictor(nn.Module):
    """Fundamental frequency, in float64: the phase of the source multiplies every error by hundreds."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.look = nn.Conv1d(MEL, config.f0_channels, F0_KERNELS[0])
        self.convs = nn.ModuleList(Conv(config.f0_channels, config.f0_channels, kernel) for kernel in F0_KERNELS[1:])
        self.classifier = nn.Linear(config.f0_channels, 1)

    def forward(self, mel: Tensor, state: VocoderState) -> Tensor:
        """(1, 80, T + 3) → (T,) Hz, float64"""
        x = functional.elu(self.look(mel.double()))
        for conv in self.convs:
            x = functional.elu(conv(x, state))
        pitch: Tensor = self.classifier(x[0].T)[:, 0].abs()
        return pitch
