"""A mel spectrogram to samples at 24 kHz: pitch, a source of nine harmonics, and a network that shapes it.

Every convolution looks back only, but for a few frames of look-ahead, so one code path serves whole and piecewise
work: ``VocoderState`` holds the last inputs of each convolution, nine running phases, and what waits for its right
neighbours. Pieces joined equal the whole to rounding. One request at a time: shapes are ``(1, channels, time)``.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import ShouldStop, Stopped

MEL = 80
SAMPLE_RATE_HZ = 24_000
SINE_LEVEL = 0.1
VOICED_NOISE = 0.003
UNVOICED_NOISE = SINE_LEVEL / 3
VOICED_ABOVE_HZ = 10.0
UP_SLOPE = 0.1
POST_SLOPE = 0.01
"""The reference leaves it at the library's default here."""
MAX_MAGNITUDE = 100.0
LIMIT = 0.99
F0_KERNELS = (4, 3, 3, 3, 3)
F0_LOOK_AHEAD = F0_KERNELS[0] - 1
POST_KERNEL = 7
SNAKE_EPSILON = 1e-9
PIECE_FRAMES = 50
"""Frames that whole work takes at a time: their sums stay in a processor's caches."""
GPU_PIECE_FRAMES = 500
"""There, the start of each operation is what costs."""

OnFrames = Callable[[int, int], None]
"""Progress: mel frames done, of how many."""


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


class Vocoder(nn.Module):
    window: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        stages = range(len(config.upsample_rates))
        self.noise_start: Tensor | None = None
        self.piece_frames = PIECE_FRAMES
        self.pitch = PitchPredictor(config)
        self.harmonics = nn.Linear(config.sines, 1)
        self.conv_pre = nn.Conv1d(MEL, config.base_channels, config.conv_pre_look_right + 1)
        self.ups = nn.ModuleList(
            Up(config.channels(i - 1), config.channels(i), config.upsample_kernel_sizes[i], config.upsample_rates[i])
            for i in stages
        )
        self.source_downs = nn.ModuleList(source_down(config, i) for i in stages)
        self.source_resblocks = nn.ModuleList(
            ResBlock(config.channels(i), config.source_resblock_kernel_sizes[i], config.resblock_dilations)
            for i in stages
        )
        self.resblocks = nn.ModuleList(
            ResBlock(config.channels(i), kernel, config.resblock_dilations)
            for i in stages
            for kernel in config.resblock_kernel_sizes
        )
        self.conv_post = Conv(config.channels(len(stages) - 1), config.spectrum, POST_KERNEL)

    def start(self) -> VocoderState:
        """The state of a new request."""
        noise = torch.Generator()
        noise.set_state(self.noise_states())
        return VocoderState(noise)

    def noise_states(self) -> Tensor:
        """State of the source's generator at its first number; found once, the reference's draws before it skipped."""
        if self.noise_start is None:
            generator = torch.Generator().manual_seed(self.config.noise_seed)
            torch.rand(self.config.noise_skip, generator=generator)
            self.noise_start = generator.get_state()
        return self.noise_start

    def speak(
        self,
        mel: Tensor,
        state: VocoderState | None = None,
        *,
        last: bool = True,
        piece: int | None = None,
        on_frames: OnFrames | None = None,
        should_stop: ShouldStop | None = None,
    ) -> Tensor:
        """A whole mel (80, T) → (480 T,) samples; or what follows in ``state``, as ``piece`` says.

        Worked on in pieces, which changes nothing. Raises Stopped; the state is then of no more use.
        """
        state, frames, piece = state or self.start(), mel.shape[1], piece or self.piece_frames
        parts = []
        for begin in range(0, max(frames, 1), piece):
            end = min(begin + piece, frames)
            parts.append(self.piece(state, mel[:, begin:end], last=last and end == frames, should_stop=should_stop))
            if on_frames is not None:
                on_frames(end, frames)
        return torch.cat(parts)

    @torch.inference_mode()
    def piece(self, state: VocoderState, mel: Tensor, *, last: bool, should_stop: ShouldStop | None = None) -> Tensor:
        """The next frames of mel, (80, ·), → the samples that are certain by now, (·,).

        After M frames in all 480 (M - 8) samples are out, and 480 M after the last. Raises Stopped.
        """
        mel = mel[None].to(self.conv_pre.weight)
        if state.mel is not None:
            mel = torch.cat((state.mel, mel), 2)
        ready = mel.shape[2] if last else mel.shape[2] - self.config.look_ahead
        state.mel = mel[:, :, max(ready, 0) :].clone()
        if ready <= 0:
            return mel.new_empty(0)
        source = self.source(self.frequencies(mel, state, last=last), state)
        spectrum = self.analyse(source, state, ready, last=last)
        shaped = self.shape(self.before(mel, last=last), spectrum, state, should_stop)
        samples = self.release(self.synthesise(shaped, state, last=last), state, last=last)
        state.started = True
        return samples.clamp(-LIMIT, LIMIT)

    def frequencies(self, mel: Tensor, state: VocoderState, *, last: bool) -> Tensor:
        """Waiting mel (1, 80, T) → (T',) Hz of its frames that have none yet, float64."""
        known = self.config.conv_pre_look_right if state.started else 0
        mel = mel[:, :, known:]
        pitch: Tensor = self.pitch(functional.pad(mel, (0, F0_LOOK_AHEAD)) if last else mel, state)
        return pitch

    def before(self, mel: Tensor, *, last: bool) -> Tensor:
        """First convolution, which looks ahead: (1, 80, T) → (1, C, T), or T - 7 if there is more to come."""
        look = self.config.conv_pre_look_right
        opened: Tensor = self.conv_pre(functional.pad(mel, (0, look)) if last else mel[:, :, :-F0_LOOK_AHEAD])
        return opened

    def source(self, pitch: Tensor, state: VocoderState) -> Tensor:
        """(T,) Hz → (480 T,) samples in [-1, 1]: harmonics that stand still within a frame, and noise.

        The order of operations is the reference's: phases are thousands of radians, so rounding is heard in them.
        """
        config, hold = self.config, self.config.frame_samples
        pitch = pitch.float()
        order = torch.arange(1, config.sines + 1, device=pitch.device, dtype=torch.float32)[:, None]
        turns = (pitch * order / SAMPLE_RATE_HZ) % 1
        phase = torch.cumsum(turns, 1, dtype=torch.float64)
        if state.phase is not None:
            phase = phase + state.phase
        state.phase = phase[:, -1:].clone()
        sines = SINE_LEVEL * torch.sin(phase.float() * 2 * torch.pi * hold)
        voiced = (pitch > VOICED_ABOVE_HZ).float()
        level = VOICED_NOISE * voiced + UNVOICED_NOISE * (1 - voiced)
        noise = torch.rand(len(pitch) * hold, config.sines, generator=state.noise).to(pitch.device)
        waves = (sines * voiced).T.repeat_interleave(hold, 0) + level.repeat_interleave(hold)[:, None] * noise
        return torch.tanh(self.harmonics(waves))[:, 0]

    def analyse(self, source: Tensor, state: VocoderState, frames: int, *, last: bool) -> Tensor:
        """Source samples (·,) → spectrum (1, 18, 120 · frames), one more at the start: real, then imaginary."""
        config, half = self.config, self.config.n_fft // 2
        before = source[1 : half + 1].flip(0) if state.source is None else state.source
        source = torch.cat((before, source))
        if last:
            source = torch.cat((source, source[-half - 1 : -1].flip(0)))
        count = config.spectrum_frames * frames + (not state.started)
        state.source = source[config.hop_len * count :].clone()
        windows = source[: config.hop_len * (count - 1) + config.n_fft].unfold(0, config.n_fft, config.hop_len)
        spectrum = torch.fft.rfft(windows * self.window)
        return torch.cat((spectrum.real, spectrum.imag), 1).T[None]

    def shape(self, x: Tensor, source: Tensor, state: VocoderState, should_stop: ShouldStop | None) -> Tensor:
        """(1, C, T), source spectrum (1, 18, ·) → (1, 18, ·): log-magnitude and phase. Raises Stopped."""
        kernels = len(self.config.resblock_kernel_sizes)
        final = len(self.ups) - 1
        for i, up in enumerate(self.ups):
            if should_stop is not None and should_stop():
                raise Stopped
            x = up(functional.leaky_relu(x, UP_SLOPE), state)
            if i == final and not state.started:
                x = torch.cat((x[:, :, 1:2], x), 2)
            x = x + self.source_resblocks[i](self.source_downs[i](source, state), state)
            blocks = [block(x, state) for block in self.resblocks[i * kernels : (i + 1) * kernels]]
            x = torch.stack(blocks).sum(0) / kernels
        shaped: Tensor = self.conv_post(functional.leaky_relu(x, POST_SLOPE), state)
        return shaped

    def synthesise(self, shaped: Tensor, state: VocoderState, *, last: bool) -> Tensor:
        """Inverse short-time transform, overlap-added: (1, 18, n) → (4 n,) samples; without the padding of the ends."""
        hop, bins = self.config.hop_len, self.config.n_fft // 2 + 1
        magnitude, phase = shaped[0, :bins].exp().clamp(max=MAX_MAGNITUDE), torch.sin(shaped[0, bins:])
        frames = torch.fft.irfft(torch.complex(magnitude * phase.cos(), magnitude * phase.sin()).T) * self.window
        pair = torch.stack((frames, self.window.square().expand_as(frames)))
        parts = pair.view(2, len(frames), -1, hop)
        count, overlaps = parts.shape[1], parts.shape[2] - 1
        sums = parts.new_zeros(2, count + overlaps, hop)
        for i in range(overlaps + 1):
            sums[:, i : i + count] += parts[:, :, i]
        if state.overlap is not None:
            sums[:, :overlaps] += state.overlap
        state.overlap = sums[:, count:].clone()
        edge = self.config.n_fft // 2 // hop
        sums = sums[:, 0 if state.started else edge : count + overlaps - edge if last else count]
        return (sums[0] / sums[1]).flatten()

    def release(self, samples: Tensor, state: VocoderState, *, last: bool) -> Tensor:
        """Hold back the samples of the last frame: they may still change with what follows."""
        if state.samples is not None:
            samples = torch.cat((state.samples, samples))
        held = 0 if last else self.config.frame_samples - (self.config.n_fft // 2 - self.config.hop_len)
        state.samples = samples[len(samples) - held :].clone()
        return samples[: len(samples) - held]


def source_down(config: VocoderConfig, stage: int) -> Conv:
    """Brings the source's spectrum to the time steps of ``stage``."""
    stride = config.source_stride(stage)
    return Conv(config.spectrum, config.channels(stage), down_kernel(stride), stride=stride, left=stride - 1)


def down_kernel(stride: int) -> int:
    return 2 * stride if stride > 1 else 1


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
