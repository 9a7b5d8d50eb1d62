"""Text cut for the model against the golden vectors, and the prompt of every mode."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from synthesis.engines.cosyvoice3.text import pieces_of, script_of
from synthesis.vocabulary import Mode


def count_words(text: str) -> int:
    """The length that the vectors were made with."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def unchanged(text: str) -> str:
    """The vectors were made without a normaliser."""
    return text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_text_is_cut_as_released(golden_json: Callable[[str], Any], language: str) -> None:
    cases = golden_json("text_split.json")[language]
    assert cases
    for case in cases:
        assert pieces_of(case["text"], count_words, chinese=unchanged, other=unchanged) == case["out"], case["text"]


def test_numbers_are_spoken_in_the_language_of_the_text() -> None:
    assert pieces_of("今天是2024年3月5日，温度3.5度", len) == ["今天是二零二四年三月五日，温度三点五度。"]
    assert pieces_of("It costs $5.20", count_words) == ["It costs five point two dollars."]


def test_a_number_beyond_all_names_is_spoken_by_digits() -> None:
    (piece,) = pieces_of("x" + "12" * 30, count_words, other=unchanged)
    assert piece.startswith("xone two one two")


def test_text_with_special_tokens_is_left_alone() -> None:
    assert pieces_of("A <|endofprompt|> 42 ", count_words) == ["A <|endofprompt|> 42 "]


@pytest.mark.parametrize("text", ["", "  ", "。。。！", "😀"])
@pytest.mark.parametrize("mode", list(Mode))
def test_nothing_to_say_makes_no_piece(text: str, mode: Mode) -> None:
    assert script_of(text, mode, len, transcript="你好。", instruct="请用广东话表达。").pieces == ()


def test_prompt_formats() -> None:
    system = "You are a helpful assistant."
    zero_shot = script_of("你好", Mode.ZERO_SHOT, len, transcript="早上好。")
    assert (zero_shot.before, zero_shot.pieces) == (f"{system}<|endofprompt|>早上好。", ("你好。",))
    assert zero_shot.follows_speech

    instructed = script_of("你好", Mode.INSTRUCT, len, transcript="早上好。", instruct="请用广东话表达。")
    assert (instructed.before, instructed.pieces) == (f"{system} 请用广东话表达。<|endofprompt|>", ("你好。",))
    assert not instructed.follows_speech

    crossing = script_of("It is 5.", Mode.CROSS_LINGUAL, len, transcript="早上好。")
    assert (crossing.before, crossing.pieces) == ("", (f"{system}<|endofprompt|>It is 5.",))
    assert not crossing.follows_speech


def test_cross_lingual_text_is_normalised_if_asked() -> None:
    script = script_of("It is 5", Mode.CROSS_LINGUAL, len, normalise_cross_lingual=True)
    assert script.pieces == ("You are a helpful assistant.<|endofprompt|>It is five.",)


@pytest.mark.parametrize("mode", [Mode.ZERO_SHOT, Mode.INSTRUCT])
def test_without_transcript_or_instruction_the_voice_is_used_cross_lingually(mode: Mode) -> None:
    script = script_of("It is 5", mode, len)
    assert script == script_of("It is 5", Mode.CROSS_LINGUAL, len, normalise_cross_lingual=True)
