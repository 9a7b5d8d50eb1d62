"""Weight files that are damaged, cut short, foreign or missing: one sentence that names the file."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from synthesis.engines.base import WeightsUnusable
from synthesis.engines.cosyvoice3.weights import read_state

SHAPES = {"in.weight": (40, 30), "in.bias": (40,), "out.weight": (2, 40)}


@pytest.fixture
def whole() -> dict[str, Tensor]:
    return {name: torch.full(shape, 0.5) for name, shape in SHAPES.items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "llm.pt"


def refusal(path: Path) -> str:
    """What is said of the file: one sentence that names it and not where it lies."""
    with pytest.raises(WeightsUnusable) as caught:
        read_state(path, SHAPES)
    sentence = str(caught.value)
    assert "llm.pt" in sentence
    assert str(path.parent) not in sentence
    assert re.fullmatch(r"[^\n]+[^.\n]\.", sentence)
    assert len(sentence) < 300
    return sentence


def test_a_file_that_fits_is_read(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save(whole, path)
    state = read_state(path, SHAPES)
    assert state.keys() == SHAPES.keys()
    assert all(torch.equal(state[name], whole[name]) for name in SHAPES)


def test_half_precision_is_read_as_single(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save({name: value.half() for name, value in whole.items()}, path)
    assert {value.dtype for value in read_state(path, SHAPES).values()} == {torch.float32}


def test_names_of_no_use_are_left_out_and_a_prefix_is_dropped(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save({f"generator.{name}": value for name, value in whole.items()} | {"tied": torch.ones(3)}, path)
    assert read_state(path, SHAPES, unused=["tied"], drop="generator.").keys() == SHAPES.keys()


def test_a_missing_file_is_named(path: Path) -> None:
    assert refusal(path) == "llm.pt is missing from the model folder."


def test_a_folder_in_its_place_is_no_file(path: Path) -> None:
    path.mkdir()
    assert "missing" in refusal(path)


@pytest.fixture
def no_checksums() -> Iterator[None]:
    torch.serialization.set_crc32_options(False)
    yield
    torch.serialization.set_crc32_options(True)


@pytest.mark.usefixtures("no_checksums")
def test_a_file_saved_without_checksums_is_read(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save(whole, path)
    assert read_state(path, SHAPES).keys() == SHAPES.keys()


def test_a_file_of_the_format_before_archives_is_read(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save(whole, path, _use_new_zipfile_serialization=False)
    assert read_state(path, SHAPES).keys() == SHAPES.keys()


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99, -1])
def test_a_file_cut_short_is_named(path: Path, whole: dict[str, Tensor], kept: float) -> None:
    torch.save(whole, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if isinstance(kept, int) else kept * len(content))])
    assert "damaged" in refusal(path)


def test_a_damaged_byte_among_the_numbers_is_noticed(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save(whole, path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((8,), 0.5).numpy().tobytes()) + 5] ^= 0x10
    path.write_bytes(content)
    assert "damaged" in refusal(path)


class Surprise:
    """Would run code if it were ever unpickled."""

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (Path("surprise"),)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><title>404</title>",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 2024669519\n",
        b"PK\x03\x04" + bytes(200),
        bytes(1000),
        pickle.dumps({"in.weight": [1, 2]}),
        json.dumps({"in.weight": 1}).encode(),
    ],
    ids=["web page", "pointer", "zip", "zeros", "pickle", "json"],
)
def test_a_foreign_file_is_named(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refusal(path)


def test_nothing_in_a_file_is_ever_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"in.weight": Surprise()}, path)
    refusal(path)
    assert not Path("surprise").exists()


@pytest.mark.parametrize(
    "content", [[torch.ones(2)], {}, {"epoch": 3}, {3: torch.ones(2)}, {"in.weight": torch.ones(2, dtype=torch.int64)}]
)
def test_a_file_without_named_weights_is_named(path: Path, content: object) -> None:
    torch.save(content, path)
    assert "weights" in refusal(path)


def test_missing_and_unexpected_names_are_listed(path: Path, whole: dict[str, Tensor]) -> None:
    del whole["in.bias"]
    torch.save(whole | {f"extra.{index}": torch.ones(1) for index in range(9)}, path)
    assert refusal(path) == (
        "llm.pt does not fit this model: missing: in.bias; unexpected: extra.0, extra.1, extra.2 and 6 more."
    )


def test_a_wrong_shape_is_told_with_the_right_one(path: Path, whole: dict[str, Tensor]) -> None:
    torch.save(whole | {"out.weight": torch.ones(3, 40)}, path)
    assert refusal(path) == "llm.pt does not fit this model: wrong shape: out.weight is 3×40 instead of 2×40."


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_damage(path: Path, whole: dict[str, Tensor], value: float) -> None:
    whole["in.bias"][7] = value
    torch.save(whole, path)
    assert "in.bias" in refusal(path)
