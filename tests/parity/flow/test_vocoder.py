"""Mel to samples against the golden vectors: pitch, source, every layer's tap, whole and piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from synthesis.engines.base import Stopped
from synthesis.engines.cosyvoice3.vocoder import Vocoder
from synthesis.engines.cosyvoice3.vocoder_layers import Up, VocoderConfig, summed_taps
from synthesis.engines.cosyvoice3.vocoder_weights import load_vocoder, vocoder_shapes

Tensors = dict[str, Tensor]
WAVE_ATOL = 2e-5
RELEASED_NOISE = (0.922826, 0.477448, 0.827052, 0.283457, 0.793482, 0.173435, 0.852375, 0.922855, 0.731020)


@pytest.fixture(scope="module")
def vectors(golden_tensors: Callable[[str], Tensors]) -> Tensors:
    return golden_tensors("hift_io")


@pytest.fixture(scope="module")
def mel(vectors: Tensors) -> Tensor:
    return vectors["mel"][0]


def close(ours: Tensor, theirs: Tensor, atol: float = WAVE_ATOL) -> None:
    torch.testing.assert_close(ours, theirs, atol=atol, rtol=0)


def test_the_published_names_and_shapes_are_known(
    vocoder_config: VocoderConfig, golden_state: Callable[[str], Tensors]
) -> None:
    published = {name: tuple(value.shape) for name, value in golden_state("hift").items()}
    assert vocoder_shapes(vocoder_config) == published


def test_the_noise_of_the_set_and_of_the_released_model_is_drawn_exactly(
    vocoder: Vocoder, vectors: Tensors, golden_state: Callable[[str], Tensors], golden_config: dict[str, object]
) -> None:
    noise = vectors["sine_noise"]
    assert torch.equal(torch.rand(noise.shape, generator=vocoder.start().noise), noise)
    released = Vocoder(VocoderConfig(base_channels=8, f0_channels=8)).start().noise
    close(torch.rand(9, generator=released), torch.tensor(RELEASED_NOISE), 1e-6)


@pytest.mark.parametrize(("name", "last"), [("", True), ("_nonfinal", False)])
def test_pitch_and_source_match(vocoder: Vocoder, vectors: Tensors, mel: Tensor, name: str, last: bool) -> None:
    state = vocoder.start()
    pitch = vocoder.frequencies(mel[None], state, last=last)
    close(pitch, vectors[f"f0{name}_f64"][0], 1e-9)
    close(vocoder.source(pitch, state), vectors[f"source{name}"][0, 0], 2e-6)


@pytest.fixture
def taps(vocoder: Vocoder) -> Iterator[dict[str, Tensor]]:
    """What every tapped layer returned."""
    seen: dict[str, Tensor] = {}
    stages = len(vocoder.config.upsample_rates)
    kernels = len(vocoder.config.resblock_kernel_sizes)
    layers: dict[str, nn.Module] = {"conv_pre": vocoder.conv_pre, "conv_post": vocoder.conv_post}
    for i in range(stages):
        layers |= {f"up{i}": vocoder.ups[i], f"source_down{i}": vocoder.source_downs[i]}
        layers[f"source_res{i}"] = vocoder.source_resblocks[i]
        layers[f"res{i}_{kernels - 1}"] = vocoder.resblocks[(i + 1) * kernels - 1]

    def note(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: seen.update({name: output})

    handles = [layer.register_forward_hook(note(name)) for name, layer in layers.items()]
    yield seen
    for handle in handles:
        handle.remove()


def test_every_layer_matches(vocoder: Vocoder, vectors: Tensors, mel: Tensor, taps: dict[str, Tensor]) -> None:
    vocoder.piece(vocoder.start(), mel, last=True)
    names = [name.removeprefix("tap.") for name in vectors if name.startswith("tap.")]
    assert sorted(names) == sorted(taps)
    for name in names:
        theirs = vectors[f"tap.{name}"]
        close(taps[name][:, :, : theirs.shape[2]], theirs, 5e-5)


def test_a_whole_wave_matches(vocoder: Vocoder, vectors: Tensors, mel: Tensor) -> None:
    close(vocoder.piece(vocoder.start(), mel, last=True), vectors["wav"][0])


def test_a_wave_with_more_to_come_matches(vocoder: Vocoder, vectors: Tensors, mel: Tensor) -> None:
    close(vocoder.piece(vocoder.start(), mel, last=False), vectors["wav_nonfinal"][0])


def test_chunks_match(vocoder: Vocoder, vectors: Tensors, mel: Tensor) -> None:
    state, begin = vocoder.start(), 0
    ends = [int(vectors[f"chunk{k}_nmel"]) for k in range(sum(name.endswith("_nmel") for name in vectors))]
    for k, end in enumerate(ends):
        samples = vocoder.piece(state, mel[:, begin:end], last=end == mel.shape[1])
        close(samples, vectors[f"chunk{k}_wav"][0])
        begin = end
    assert begin == mel.shape[1]


@pytest.mark.parametrize("size", [1, 3, 7, 8, 16])
def test_pieces_of_any_size_join_to_the_whole(vocoder: Vocoder, vectors: Tensors, mel: Tensor, size: int) -> None:
    close(vocoder.speak(mel, piece=size), vectors["wav"][0])


def test_a_last_piece_may_be_empty(vocoder: Vocoder, vectors: Tensors, mel: Tensor) -> None:
    state = vocoder.start()
    parts = [vocoder.piece(state, mel, last=False), vocoder.piece(state, mel[:, :0], last=True)]
    close(torch.cat(parts), vectors["wav"][0])


def test_no_mel_is_no_sound_and_one_frame_is_one_frame(vocoder: Vocoder, mel: Tensor) -> None:
    assert vocoder.speak(mel[:, :0]).shape == (0,)
    assert vocoder.speak(mel[:, :1]).shape == (vocoder.config.frame_samples,)


def test_requests_share_nothing(vocoder: Vocoder, mel: Tensor) -> None:
    first, second = vocoder.start(), vocoder.start()
    mixed = [[vocoder.piece(state, part, last=False) for state in (first, second)] for part in torch.split(mel, 10, 1)]
    for ours, theirs in mixed:
        assert torch.equal(ours, theirs)


def test_frames_are_reported_and_a_stop_is_seen(vocoder: Vocoder, mel: Tensor) -> None:
    seen: list[tuple[int, int]] = []
    vocoder.speak(mel, piece=16, on_frames=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (mel.shape[1], mel.shape[1])
    answers = iter([False, True])
    with pytest.raises(Stopped):
        vocoder.speak(mel, piece=16, should_stop=lambda: next(answers))


@pytest.mark.parametrize(("kernel", "rate"), [(16, 8), (11, 5), (7, 3), (3, 4), (1, 2)])
def test_summed_taps_are_the_convolution_of_repeated_inputs(vocoder: Vocoder, kernel: int, rate: int) -> None:
    generator = torch.Generator().manual_seed(kernel)
    weight, x = torch.randn(2, 3, kernel, generator=generator), torch.randn(1, 3, 9, generator=generator)
    up = Up(3, 2, kernel, rate)
    up.load_state_dict({"conv.weight": summed_taps(weight, rate), "conv.bias": torch.zeros(2 * rate)})
    repeated = torch.nn.functional.pad(x.repeat_interleave(rate, 2), (kernel - 1, 0))
    close(up(x, vocoder.start()), torch.nn.functional.conv1d(repeated, weight), 1e-5)


def test_loading_leaves_the_global_generator_alone(
    vocoder_config: VocoderConfig, golden_state: Callable[[str], Tensors]
) -> None:
    before = torch.get_rng_state()
    load_vocoder(vocoder_config, golden_state("hift"))
    assert torch.equal(torch.get_rng_state(), before)
