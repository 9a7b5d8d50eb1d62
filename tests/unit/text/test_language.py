"""The language of a piece of text."""

import pytest

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
