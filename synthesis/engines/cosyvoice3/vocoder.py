"""A mel spectrogram to samples at 24 kHz: pitch, a source of nine harmonics, and a network that shapes it.

Every convolution looks back only, but for a few frames of look-ahead, so one code path serves whole and piecewise
work: ``VocoderState`` holds the last inputs of each convolution, nine running phases, and what waits for its right
neighbours. Pieces joined equal the whole to rounding. One request at a time: shapes are ``(1, channels, time)``.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from synthesis.engines.base import ShouldStop, Stopped
from synthesis.engines.cosyvoice3.vocoder_layers import (
    F0_LOOK_AHEAD,
    MEL,
    POST_KERNEL,
    UP_SLOPE,
    Conv,
    PitchPredictor,
    ResBlock,
    Up,
    VocoderConfig,
    VocoderState,
)

SAMPLE_RATE_HZ = 24_000
SINE_LEVEL = 0.1
VOICED_NOISE = 0.003
UNVOICED_NOISE = SINE_LEVEL / 3
VOICED_ABOVE_HZ = 10.0
POST_SLOPE = 0.01
"""The reference leaves it at the library's default here."""
MAX_MAGNITUDE = 100.0
LIMIT = 0.99
PIECE_FRAMES = 50
"""Frames that whole work takes at a time: their sums stay in a processor's caches."""
GPU_PIECE_FRAMES = 500
"""There, the start of each operation is what costs."""

OnFrames = Callable[[int, int], None]
"""Progress: mel frames done, of how many."""


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
