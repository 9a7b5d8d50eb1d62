"""How long a text takes to say, and lengths that give a suspicion."""

import pytest

from synthesis.text.duration import OddLength, estimate_duration_s, odd_length

TEN_S = "一" * 45


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


@pytest.mark.parametrize(
    ("duration_s", "suspicion"),
    [(0.1, OddLength.SHORT), (3.9, OddLength.SHORT), (4.1, None), (10.0, None), (39.0, None), (41.0, OddLength.LONG)],
)
def test_a_length_far_from_the_texts_own_is_odd(duration_s: float, suspicion: OddLength | None) -> None:
    assert estimate_duration_s(TEN_S) == 10.0
    assert odd_length(TEN_S, duration_s) == suspicion
    assert odd_length(TEN_S, duration_s / 2, speed=2.0) == suspicion


@pytest.mark.parametrize("text", ["好。", "Hi.", "...", ""])
def test_nothing_is_said_of_short_texts(text: str) -> None:
    assert odd_length(text, 0.01) is None
    assert odd_length(text, 60.0) is None
