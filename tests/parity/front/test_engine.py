"""The whole engine with a tiny random model: repeatable, steerable, honest about what it lacks."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from synthesis.engines.base import (
    EngineError,
    OutOfMemory,
    ReferenceVoice,
    Samples,
    SegmentRequest,
    Stopped,
    TextUnspeakable,
    WeightsUnusable,
)
from synthesis.engines.cosyvoice3.engine import CosyVoice3Engine, load, memory_named
from synthesis.engines.cosyvoice3.folder import FILES
from synthesis.engines.cosyvoice3.linears import Precision
from synthesis.engines.cosyvoice3.llm import DecodeOptions
from synthesis.engines.cosyvoice3.options import Options
from synthesis.engines.cosyvoice3.work import Voice
from synthesis.vocabulary import Mode, Stage

SPOKEN = DecodeOptions(keep_least=True)
"""A random model may end at once; tests want to hear something."""
FRAME = 480


@pytest.fixture(scope="module")
def engine(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> CosyVoice3Engine:
    return load(cache_dir=tmp_path_factory.mktemp("cache"), model_dir=model_dir, options=Options(decoding=SPOKEN))


@pytest.fixture(scope="module")
def reference() -> ReferenceVoice:
    time_s = np.arange(2 * 24_000) / 24_000
    samples = (0.1 * np.sin(2 * np.pi * 180 * time_s)).astype(np.float32)
    return ReferenceVoice(key="tone", samples=samples, sample_rate_hz=24_000, transcript="早上好。")


@pytest.fixture(scope="module")
def request_(engine: CosyVoice3Engine, reference: ReferenceVoice) -> SegmentRequest:
    voice = engine.prepare(reference, ignore, never)
    return SegmentRequest(text="你好", language="zh", features=voice, seed=42)


def ignore(stage: Stage, done: float, total: float) -> None:
    pass


def never() -> bool:
    return False


def spoken(engine: CosyVoice3Engine, request: SegmentRequest) -> Samples:
    return np.concatenate([chunk.samples for chunk in engine.synthesize(request, ignore, never)])


def test_the_same_request_is_the_same_samples_whatever_ran_before(
    engine: CosyVoice3Engine, request_: SegmentRequest, model_dir: Path, tmp_path: Path
) -> None:
    first = spoken(engine, request_)
    assert first.dtype == np.float32
    assert first.size
    assert first.size % FRAME == 0
    assert np.isfinite(first).all()
    other = spoken(engine, replace(request_, seed=43))
    assert other.size != first.size or not np.array_equal(other, first)
    torch.rand(5)
    assert np.array_equal(spoken(engine, request_), first)
    again = load(cache_dir=tmp_path, model_dir=model_dir, options=Options(decoding=SPOKEN))
    assert np.array_equal(spoken(again, request_), first)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_mode_speaks(engine: CosyVoice3Engine, request_: SegmentRequest, mode: Mode) -> None:
    assert spoken(engine, replace(request_, mode=mode, instruct="请用广东话表达。")).size


def test_speed_stretches_the_same_tokens(engine: CosyVoice3Engine, request_: SegmentRequest) -> None:
    frames = spoken(engine, request_).size // FRAME
    assert spoken(engine, replace(request_, speed=1.25)).size == FRAME * int(frames / 1.25)


def test_long_text_is_spoken_in_pieces(engine: CosyVoice3Engine, request_: SegmentRequest) -> None:
    told: list[tuple[Stage, float]] = []
    request = replace(request_, text="第一句话很短。第二句话也不长！" * 9)
    chunks = list(engine.synthesize(request, lambda stage, done, total: told.append((stage, done / total)), never))
    assert len(chunks) == 2
    assert_rises(told)


def test_progress_rises_through_both_stages(engine: CosyVoice3Engine, request_: SegmentRequest) -> None:
    told: list[tuple[Stage, float]] = []
    list(engine.synthesize(request_, lambda stage, done, total: told.append((stage, done / total)), never))
    assert len({share for _, share in told}) > 20
    assert_rises(told)


def assert_rises(told: list[tuple[Stage, float]]) -> None:
    """Acoustic from 0 to 1, then vocoder from 0 to 1."""
    places = [(stage is Stage.VOCODER) + share for stage, share in told]
    assert places[0] == 0
    assert places[-1] == 2
    assert all(earlier <= later for earlier, later in pairwise(places))


def stops_after(polls: int) -> Iterator[bool]:
    return (number >= polls for number in count())


@pytest.mark.parametrize("streaming", [False, True])
def test_a_stop_is_felt_at_any_poll(
    request_: SegmentRequest, model_dir: Path, tmp_path: Path, *, streaming: bool
) -> None:
    options = Options(decoding=SPOKEN, streaming=streaming)
    engine = load(cache_dir=tmp_path, model_dir=model_dir, options=options)
    asked = count()
    list(engine.synthesize(request_, ignore, lambda: next(asked) < 0))
    polls = next(asked)
    assert polls > 30  # a token or a solver step each, in the smallest model too
    for place in (0, 1, polls // 3, polls // 2, polls - 1):
        answers = stops_after(place)
        engine.release()  # a stream solves the recording once, and is asked then too
        with pytest.raises(Stopped):
            list(engine.synthesize(request_, ignore, lambda answers=answers: next(answers)))  # type: ignore[misc]


def test_streaming_speaks_the_same_tokens_in_chunks(
    engine: CosyVoice3Engine, request_: SegmentRequest, model_dir: Path, tmp_path: Path
) -> None:
    request = replace(request_, text="你好，今天天气不错，我们出去走走吧。")
    options = Options(decoding=SPOKEN, streaming=True)
    streaming = load(cache_dir=tmp_path, model_dir=model_dir, options=options)
    chunks = [chunk.samples for chunk in streaming.synthesize(request, ignore, never)]
    assert len(chunks) > 1
    assert sum(chunk.size for chunk in chunks) == spoken(engine, request).size
    again = [chunk.samples for chunk in streaming.synthesize(request, ignore, never)]
    assert all(np.array_equal(one, other) for one, other in zip(chunks, again, strict=True))


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_reduced_precision_speaks_and_is_repeatable(
    request_: SegmentRequest, model_dir: Path, tmp_path: Path, precision: Precision
) -> None:
    options = Options(device="cpu", decoding=SPOKEN, precision=precision)
    reduced = load(cache_dir=tmp_path, model_dir=model_dir, options=options)
    samples = spoken(reduced, request_)
    assert np.isfinite(samples).all()
    assert np.array_equal(spoken(reduced, request_), samples)
    assert reduced.fingerprint().precision == f"{precision}, least length kept"


@pytest.mark.parametrize("text", ["", "。。。！", "  "])
def test_text_without_words_is_refused(engine: CosyVoice3Engine, request_: SegmentRequest, text: str) -> None:
    with pytest.raises(TextUnspeakable):
        spoken(engine, replace(request_, text=text))


def test_a_model_that_says_nothing_is_told_of(model_dir: Path, request_: SegmentRequest, tmp_path: Path) -> None:
    for streaming in (False, True):
        options = Options(decoding=DecodeOptions(most_per_text_id=0), streaming=streaming)
        with pytest.raises(TextUnspeakable, match="你好"):
            spoken(load(cache_dir=tmp_path, model_dir=model_dir, options=options), request_)


def test_voice_features_come_from_the_disk_the_second_time(
    reference: ReferenceVoice, model_dir: Path, tmp_path: Path
) -> None:
    first = load(cache_dir=tmp_path, model_dir=model_dir).prepare(reference, ignore, never)
    assert len(list(tmp_path.rglob("tone.*.pt"))) == 1
    told: list[float] = []
    other = replace(reference, samples=np.zeros(0, np.float32), transcript="Other words.")
    second = load(cache_dir=tmp_path, model_dir=model_dir).prepare(
        other, lambda stage, done, total: told.append(done / total), never
    )
    assert isinstance(second, Voice)
    assert torch.equal(first.features.mel, second.features.mel)
    assert second.transcript == "Other words."
    assert told == [1.0]


@pytest.fixture
def damaged(model_dir: Path, tmp_path: Path) -> Path:
    """A model directory of one's own to break."""
    return Path(shutil.copytree(model_dir, tmp_path / "model"))


@pytest.mark.parametrize("name", [file.name for file in FILES if file.required])
def test_a_missing_or_cut_file_is_named(damaged: Path, tmp_path: Path, name: str) -> None:
    whole = (damaged / name).read_bytes()
    for content in (whole[: len(whole) // 2], b"foreign", b""):
        (damaged / name).write_bytes(content)
        with pytest.raises(WeightsUnusable, match=Path(name).name):
            load(cache_dir=tmp_path, model_dir=damaged)
    (damaged / name).unlink()
    with pytest.raises(WeightsUnusable, match=Path(name).name):
        load(cache_dir=tmp_path, model_dir=damaged)


def test_a_tokenizer_of_another_model_is_named(damaged: Path, tmp_path: Path) -> None:
    config = (damaged / "config.json").read_text(encoding="utf-8")
    (damaged / "config.json").write_text(config.replace('"endofprompt_id": ', '"endofprompt_id": 1'), encoding="utf-8")
    with pytest.raises(WeightsUnusable, match=r"vocab\.json"):
        load(cache_dir=tmp_path, model_dir=damaged)


@pytest.mark.parametrize("given", [None, Path("/nowhere/at/all")])
def test_no_model_directory_is_told_of(tmp_path: Path, given: Path | None) -> None:
    with pytest.raises(WeightsUnusable, match="COSYVOICE_MODEL_DIR"):
        load(cache_dir=tmp_path, model_dir=given)


def test_the_fingerprint_follows_the_weights(engine: CosyVoice3Engine, damaged: Path, tmp_path: Path) -> None:
    same = load(cache_dir=tmp_path, model_dir=damaged, options=Options(decoding=SPOKEN))
    assert same.fingerprint() == engine.fingerprint()
    state = torch.load(damaged / "hift.pt", weights_only=True)
    torch.save({name: value * 1.001 for name, value in state.items()}, damaged / "hift.pt")
    other = load(cache_dir=tmp_path, model_dir=damaged)
    assert other.fingerprint().weights != engine.fingerprint().weights


def test_memory_that_ran_out_is_named() -> None:
    with pytest.raises(OutOfMemory), memory_named():
        torch.empty(2**55)


def test_a_closed_engine_speaks_no_more(request_: SegmentRequest, model_dir: Path, tmp_path: Path) -> None:
    engine = load(cache_dir=tmp_path, model_dir=model_dir)
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        spoken(engine, request_)
