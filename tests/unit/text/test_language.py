"""The language of a piece of text."""

import pytest

from synthesis.text.duration import chars_per_second, estimate_duration_s
from synthesis.text.language import SPOKEN, Language, detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气真好。", Language.ZH),
        ("The weather is nice.", Language.EN),
        ("我用 Visual Studio Code 写代码", Language.ZH),
        ("打开VS Code", Language.ZH),
        ("请打开 Settings", Language.ZH),
        ("The word 你好 means hello", Language.EN),
        ("Please say 今天很好 in Chinese", Language.EN),
        ("I use 我的电脑 every day.", Language.EN),
        ("3 个", Language.ZH),
        ("Café naïve", Language.EN),
        ("<strong>你好</strong>", Language.ZH),
        ("今日はいい天気ですね。", Language.JA),
        ("カタカナ", Language.JA),
        ("优の品是一家零食店的名字", Language.ZH),
        ("Привет, мир!", Language.OTHER),
        ("안녕하세요", Language.OTHER),
        ("مرحبا بالعالم", Language.OTHER),
        ("The Greek letter α is first", Language.EN),
        ("3.14", None),
        ("", None),
        ("……😀", None),
    ],
)
def test_scripts_tell_the_language(text: str, language: Language | None) -> None:
    assert detect(text) is language


def test_only_chinese_and_english_are_spoken() -> None:
    assert {Language.ZH, Language.EN} == SPOKEN


@pytest.mark.parametrize(
    ("text", "low_s", "high_s"),
    [
        ("今天天气真好，我们去公园散步吧。", 3.0, 4.5),
        ("The quick brown fox jumps over the lazy dog.", 2.5, 4.0),
        ("在 1999 年，there were 42 of them.", 2.5, 5.0),
    ],
)
def test_a_length_is_about_right(text: str, low_s: float, high_s: float) -> None:
    assert low_s < estimate_duration_s(text) < high_s
    assert estimate_duration_s(text, speed=2.0) == pytest.approx(estimate_duration_s(text) / 2)


@pytest.mark.parametrize("text", ["", "...", "😀"])
def test_what_is_not_spoken_takes_no_time(text: str) -> None:
    assert estimate_duration_s(text) == 0.0


def test_a_longer_text_takes_longer() -> None:
    assert estimate_duration_s("你好。" * 20) == pytest.approx(20 * estimate_duration_s("你好。"))


@pytest.mark.parametrize("speed", [0.0, -1.0])
def test_speed_is_positive(speed: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        estimate_duration_s("a", speed=speed)


def test_a_chinese_character_takes_longer_than_a_letter() -> None:
    assert chars_per_second("你好") < chars_per_second("hello")
