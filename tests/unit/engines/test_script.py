"""Text to runs of one language each."""

from __future__ import annotations

import pytest

from synthesis.engines.base import TextUnspeakable
from synthesis.engines.embedded import espeak
from synthesis.engines.embedded.script import Run, runs_of
from tests.unit.engines.speaking import never


@pytest.mark.parametrize(
    ("text", "language", "runs"),
    [
        ("我用Python写程序。", "zh", [("zh", "我用"), ("en", "Python"), ("zh", "写程序。")]),
        ("Hello 你好 world", "en", [("en", "Hello"), ("zh", "你好"), ("en", "world")]),
        ("GPT4 is here, isn't it?", "zh", [("en", "GPT4 is here, isn't it?")]),
        ("2024年有3.14和50%", "zh", [("zh", "2 0 2 4年有3点1 4和百分之50")]),
        ("价格是1,234,567元", "zh", [("zh", "价格是1234567元")]),
        ("真的吗？好，12:30见", "zh", [("zh", "真的吗? 好, 12点30分见")]),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "en", [("en", "Full width")]),
        ("a < b and c > d", "en", [("en", "a < b and c > d")]),
    ],
)
def test_text_is_cut_where_the_script_changes(text: str, language: str, runs: list[tuple[str, str]]) -> None:
    assert list(runs_of(text, language)) == [Run(*run) for run in runs]


def test_a_chinese_comma_makes_a_pause() -> None:
    (with_comma,) = espeak.speak(runs_of("今天天气很好，我们去公园。", "zh"), never)
    (without,) = espeak.speak(runs_of("今天天气很好我们去公园。", "zh"), never)
    assert with_comma.samples.size - without.samples.size > 0.1 * with_comma.sample_rate_hz


def test_other_languages_are_refused_by_name() -> None:
    with pytest.raises(TextUnspeakable, match="'fr'"):
        runs_of("bonjour", "fr")
