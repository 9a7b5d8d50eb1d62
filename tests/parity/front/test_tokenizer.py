"""Special tokens against the golden table, and words of a small table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synthesis.engines.base import WeightsUnusable
from synthesis.engines.cosyvoice3.tokenizer import load_tokenizer, special_tokens
from tests.engines.tiny_cosyvoice3 import write_tokenizer


def test_special_tokens_stand_in_the_order_of_their_ids(golden_json: Callable[[str], Any]) -> None:
    table: dict[str, int] = golden_json("special_tokens.json")
    first = min(table.values())
    assert {token: first + index for index, token in enumerate(special_tokens())} == table


def test_ids_follow_the_vocabulary(tmp_path: Path) -> None:
    words = write_tokenizer(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.size == words + len(special_tokens())
    assert tokenizer.end_of_prompt_id == words + special_tokens().index("<|endofprompt|>")


def test_bytes_are_merged_inside_words_only(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    assert len(tokenizer.encode("the")) == 1
    assert len(tokenizer.encode("42")) == 2
    assert len(tokenizer.encode("你")) == 3
    assert tokenizer.encode("") == []


def test_special_tokens_are_found_inside_text(tmp_path: Path) -> None:
    words = write_tokenizer(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    breath = words + special_tokens().index("[breath]")
    assert tokenizer.encode("the[breath] a") == [*tokenizer.encode("the"), breath, *tokenizer.encode(" a")]


def test_composed_and_decomposed_letters_are_the_same(tmp_path: Path) -> None:
    write_tokenizer(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.encode("e\u0301") == tokenizer.encode("\u00e9")


@pytest.mark.parametrize("name", ["vocab.json", "merges.txt"])
def test_a_missing_or_foreign_file_is_named(tmp_path: Path, name: str) -> None:
    write_tokenizer(tmp_path)
    (tmp_path / name).write_text("foreign words", encoding="utf-8")
    with pytest.raises(WeightsUnusable, match=r"vocab\.json and merges\.txt"):
        load_tokenizer(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsUnusable, match=name):
        load_tokenizer(tmp_path)
