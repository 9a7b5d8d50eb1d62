"""What people paste, made fit to keep and fit to say."""

import random

import pytest

from synthesis.text.clean import clean, has_speech, spoken


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("line\r\nline\rline\u2028line", "line\nline\nline\nline"),
        ("e\u0301te\u0301", "été"),
        ("a\u200bb\ufeffc\u00add\u202ee", "abcde"),
        ("bell\x07 null\x00 escape\x1b[0m", "bell null escape[0m"),
        ("tab\tno-break\u00a0thin\u2009space", "tab no-break thin space"),
        ("全角　空格", "全角　空格"),
        ("one\n\n\n\n\ntwo", "one\n\ntwo"),
        ("one   \n   \n   two", "one\n\n   two"),
        ("<b>markup</b> stays & [so does] this", "<b>markup</b> stays & [so does] this"),
        ("family 👨\u200d👩\u200d👧 joined, x\u200dy not", "family 👨\u200d👩\u200d👧 joined, xy not"),
        ("flag 🏴 heart ❤️", "flag 🏴 heart ❤️"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("1,000 is 3.14 … “ok” 。", "1,000 is 3.14 … “ok” 。"),
    ],
)
def test_cleaning_keeps_what_can_be_seen(pasted: str, kept: str) -> None:
    assert clean(pasted) == kept


def test_cleaning_twice_is_cleaning_once() -> None:
    dice = random.Random(1)  # noqa: S311 -- repeatable text, no secret
    alphabet = "ab e\u0301\u0300中。\n\r\t \u200b\u200d👨👩❤\ufe0f\u00ad\u1100\u1161\u11a8\u212b\u3000\x00\u202e"
    for _ in range(2000):
        text = "".join(dice.choices(alphabet, k=dice.randint(0, 20)))
        once = clean(text)
        assert clean(once) == once, repr(text)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("Plain text.", "Plain text."),
        ("<p>One <strong>bold</strong> word.</p>", "One bold word."),
        ("<|zh|>你好[laughter]世界", "你好 世界"),
        ("# Title\nText", "Title. Text"),
        ("第一章\n春天来了。\n夏天", "第一章。春天来了。 夏天"),
        ("- one\n- two\n* three", "one. two. three"),
        ("**bold** *italic* `code` snake_case 2*3", "bold italic code snake_case 2*3"),
        ("see [the page](https://example.com/a) now", "see the page now"),
        ("fish &amp; chips", "fish & chips"),
        ("nice 👍🏽 → good", "nice good"),
        ("a < b and c > d", "a < b and c > d"),
        ("😀", ""),
    ],
)
def test_only_words_are_said(kept: str, said: str) -> None:
    assert spoken(kept) == said


@pytest.mark.parametrize("text", ["a", "中", "5", "😀 b", "<b>x</b>", "é", "①"])
def test_letters_and_digits_are_speech(text: str) -> None:
    assert has_speech(text)


@pytest.mark.parametrize("text", ["", "...", "。！？", "😀👍🏽", "<b></b>", "[laughter]", "—— “”", "\n\n", "<|zh|>"])
def test_signs_and_tags_are_not(text: str) -> None:
    assert not has_speech(text)
