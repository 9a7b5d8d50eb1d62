"""A segment cut once more."""

from __future__ import annotations

import pytest

from synthesis.text.halves import halves


def test_the_cut_is_at_the_best_place_near_the_middle() -> None:
    text = "When we came back, it was raining in the town, and nobody was there."
    assert halves(text) == ("When we came back, it was raining in the town,", "and nobody was there.")


def test_chinese_is_cut_at_its_commas() -> None:
    assert halves("今天天气很好，我们去公园。") == ("今天天气很好，", "我们去公园。")


@pytest.mark.parametrize("text", ["Hello", "3.14", "", "你", "…!"])
def test_what_cannot_be_cut_is_not(text: str) -> None:
    assert halves(text) is None


@pytest.mark.parametrize(
    "text",
    ["no punctuation at all in this one here", "一段没有任何标点的中文文字", "a b", "Dr. Smith went home alone."],
)
def test_no_letter_is_lost_and_no_word_is_cut(text: str) -> None:
    cut = halves(text)
    assert cut
    assert "".join(cut).replace(" ", "") == text.replace(" ", "")
    assert all(piece == piece.strip() and piece for piece in cut)
