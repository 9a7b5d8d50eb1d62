"""A text is cut where a reader would breathe, and nothing of it is lost."""

import random
import time

import pytest

from synthesis.text.clean import clean
from synthesis.text.cuts import Cut, cut_strengths
from synthesis.text.segment import TextSegment, split


def sentences(text: str) -> list[str]:
    """The sentences the cutter sees, before lengths are evened out."""
    strengths = cut_strengths(text)
    ends = [at for at in range(1, len(text) + 1) if strengths[at] >= Cut.SENTENCE]
    return [text[start:end].strip() for start, end in zip([0, *ends], ends, strict=False) if text[start:end].strip()]


def texts(text: str, max_chars: int = 120) -> list[str]:
    return [segment.text for segment in split(text, max_chars=max_chars)]


@pytest.mark.parametrize(
    "whole",
    [
        "Pi is 3.14 and not 3.15, costs $1,000.50 or 20.5%.",
        "Version v2.0 of node.js runs on 192.168.1.1:8080 since 2024.12.17 at 10:30.",
        "See https://example.com/a.b?c=d.e&f=1 or www.example.org for more.",
        "Mail jane.doe+news@mail.example.co.uk today.",
        "Dr. Smith, Mr. Jones, Mrs. Brown, Ms. Grey and Prof. Plum vs. St. John met.",
        "It happened on Jan. 5 at 10 a.m. in Washington, D.C. near No. 5.",
        "The U.S. Army and the U.K. government, e.g. the B.B.C. radio, i.e. J. R. Smith, agree.",
        "Acme Inc. and Foo Ltd. and Bar Corp. merged, etc. and so on.",
        "Fig. 3, vol. 2, pp. 5 and sec. 4 apply.",
        '"Stop!" he said.',
        "“Really?” she asked.",
        "Wait... what is it?",
        "C++ and C# and .NET 4.5 differ.",
        "她说：“好的。”",
        "（真的！）。",
        "他在2024.12.17买了3.5公斤。",
        "价格是￥1,000.00元，增长5.2%，时间10:30。",
        "1. First of a list",
        "Is it 5.?",
    ],
)
def test_what_is_one_sentence_stays_one(whole: str) -> None:
    assert sentences(whole) == [whole]


@pytest.mark.parametrize(
    "parts",
    [
        ["One.", "Two!", "Three?", "Four."],
        ["今天很好。", "你呢？", "走吧！", "好；", "行……", "嗯。"],
        ["He left at 5 p.m.", "Then it rained."],
        ["I live in the U.S.", "It is large."],
        ["We work at Acme Inc.", "They pay well."],
        ["Choose plan B.", "The rest is easy."],
        ["The answer is no.", "I like it."],
        ["He said “Go.”", "She went."],
        ['He said "Go."', "She went."],
        ["(It was late.)", "We slept."],
        ["“你好！”", "他走了。"],
        ["「はい。」", "そう。"],
        ["他问：“为什么？”", "没人回答。"],
        ["What?!", "No way!!!", "Yes..."],
        ["Wait...", "What is it?"],
        ["It costs 5.", "Buy it."],
        ["this is one.", "this is two."],
        ["Really?", "yes."],
        ["你好。", "Hello there.", "再见！", "Goodbye!"],
        ["我喜欢Python.", "你呢?"],
        ["1. First item", "2. Second item"],
        ["第一章", "春天来了。"],
        ["See example.com.", "Then call."],
        ["Mail a@b.co.", "Thanks."],
        ["It was 1999.", "Nobody knew."],
    ],
)
def test_sentences_end_where_they_end(parts: list[str]) -> None:
    """Joined as each language writes it, they come apart again."""
    wide = "。！？；…”」"
    text = ""
    for part in parts:
        gap = "" if not text or text[-1] in wide else " "
        text += ("\n" if part[0] in "12春" and text else gap) + part
    assert sentences(text) == parts


def test_segments_say_where_they_stand() -> None:
    text = clean(
        "  你好，今天我们来谈谈天气的变化。 Hello there, my dear old friends!  \n\n 再见，下次再来听我们的故事吧。"
    )
    segments = split(text)
    assert [segment.language for segment in segments] == ["zh", "en", "zh"]
    for index, segment in enumerate(segments):
        assert segment.index == index
        assert segment.text == text[segment.start : segment.end] == segment.text.strip()


def test_mixed_sentences_stay_whole() -> None:
    text = "我们用 Python 和 Django 写了一个 voice synthesis 的网站。"
    assert texts(text) == [text]
    assert split(text)[0].language == "zh"


def test_short_sentences_join_their_neighbours() -> None:
    assert texts("你好。是的。好的，那我们走吧。") == ["你好。是的。好的，那我们走吧。"]
    assert texts("Yes. No. Maybe so, but later.") == ["Yes. No. Maybe so, but later."]


def test_short_sentences_do_not_join_another_language() -> None:
    assert texts("Hello! 你好！") == ["Hello!", "你好！"]


def test_a_heading_goes_with_what_follows() -> None:
    text = "昨天我们讲完了整个冬天的故事。\n\n第二章\n春天终于来到了这座小城。"
    assert texts(text) == ["昨天我们讲完了整个冬天的故事。", "第二章\n春天终于来到了这座小城。"]


def test_a_short_ending_joins_what_was_before() -> None:
    assert texts("昨天我们讲完了整个冬天的故事。完。") == ["昨天我们讲完了整个冬天的故事。完。"]


def test_the_first_segment_is_short() -> None:
    chinese = (
        "在一个很长的句子里面，我们需要在逗号处切开第一段，这样用户可以更早地听到声音，而不是等待整个句子合成完毕。"
    )
    assert len(texts(chinese)[0]) <= 40
    assert texts(chinese)[0].endswith("，")
    english = (
        "In a sentence as long as this one, which goes on and on, we would rather cut the first part early, "
        "so that people hear it."
    )
    assert len(texts(english)[0]) <= 90
    assert texts(english)[0].endswith(",")


def test_a_first_sentence_without_a_clause_is_left_alone() -> None:
    text = "word " * 22 + "end."
    assert texts(text) == [text]


def test_long_sentences_are_cut_at_clauses() -> None:
    text = "，".join("这是一个分句的内容" for _ in range(40)) + "。"
    parts = texts(text)
    assert all(len(part) <= 80 for part in parts)
    assert all(part.endswith(("，", "。")) for part in parts)


def test_long_sentences_without_clauses_are_cut_at_spaces() -> None:
    text = "word " * 100
    parts = texts(text)
    assert all(len(part) <= 120 for part in parts)
    assert all(set(part.split()) == {"word"} for part in parts)
    assert max(map(len, parts)) - min(map(len, parts)) < 20


def test_chinese_without_any_sign_is_cut_evenly() -> None:
    assert [len(part) for part in texts("中" * 300)] == [75, 75, 75, 75]


def test_numbers_and_words_are_never_cut() -> None:
    number = "3,141,592.65"
    text = "数字" + number * 1 + ("的值" + number) * 30
    for part in texts(text):
        assert part.count(number) * len(number) == sum(c in "0123456789,." for c in part)
    address = "https://example.com/" + "a" * 300
    assert any(address in part for part in texts(f"Look at {address} please, it is long enough."))


def test_a_word_without_end_is_cut_nevertheless() -> None:
    parts = texts("a" * 5000)
    assert max(map(len, parts)) <= 480
    assert "".join(parts) == "a" * 5000


def test_accents_and_joined_pictures_stay_together() -> None:
    for unit in ("q\u0301", "👨\u200d👩\u200d👧x", "❤\ufe0fx", "중\u0301"):
        for part in texts(unit * 300, max_chars=20):
            assert part[0] not in "\u0301\u200d\ufe0f"
            assert part[-1] != "\u200d"


@pytest.mark.parametrize("text", ["", " ", "...", "。。。", "😀👍", "\n\n", "——", "<b></b>", "“”"])
def test_nothing_to_say_gives_no_segments(text: str) -> None:
    assert split(text) == ()


def test_signs_between_sentences_are_no_segments() -> None:
    text = "这是第一句完整的话，够长了。\n------\n😀\n这是第二句完整的话，够长了。"
    assert texts(text) == ["这是第一句完整的话，够长了。", "这是第二句完整的话，够长了。"]


def test_numbers_alone_are_read_in_the_language_around_them() -> None:
    assert {segment.language for segment in split("今天的号码如下，请大家记下来。\n12345678901234567890")} == {"zh"}
    assert split("42")[0].language == "en"
    assert split("42", default_language="zh")[0].language == "zh"


def test_languages_that_are_not_spoken_are_named() -> None:
    assert [segment.language for segment in split("今日はとてもいい天気ですね。")] == ["ja"]
    assert [segment.language for segment in split("Привет, как дела сегодня?")] == ["other"]


def test_segments_cannot_be_shorter_than_sense() -> None:
    with pytest.raises(ValueError, match="20"):
        split("text", max_chars=19)


ATOMS = [
    "今天", "天气", "真好", "我们", "的", "了", "，", "。", "！", "？", "；", "……", "、", "：", "“", "”", "（", "）",
    "word", "Hello", "the", "Dr.", "e.g.", "U.S.", "No. 5", "3.14", "1,000", "v2.0", "10:30", "a@b.co",
    "http://x.y/z?a=b.", " ", " ", " ", ".", "!", "?", ",", ";", "...", '"', "'", "(", ")", "\n", "\n\n", "😀",
    "👨\u200d👩", "e\u0301", "q\u0301",
    "—", "-", "<b>", "</b>", "[laughter]", "#", "$", "%", "の", "です", "мир", "𠮷", "5",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_every_letter_and_digit_is_in_exactly_one_segment(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 -- repeatable text, no secret
    for _ in range(150):
        text = clean("".join(dice.choices(ATOMS, k=dice.randint(1, 150))))
        max_chars = dice.choice((20, 40, 120))
        segments = split(text, max_chars=max_chars)
        assert split(text, max_chars=max_chars) == segments
        check(text, segments, max_chars)


def check(text: str, segments: tuple[TextSegment, ...], max_chars: int) -> None:
    at = 0
    said = []
    for segment in segments:
        assert at <= segment.start < segment.end <= len(text)
        assert segment.text == text[segment.start : segment.end] == segment.text.strip()
        assert any(map(str.isalnum, segment.text))
        assert len(segment.text) <= 4 * max_chars
        said.append(segment.text)
        at = segment.end
    # Tags that stand alone may be dropped; nothing else.
    for tag in ("<b>", "</b>", "[laughter]"):
        text, said = text.replace(tag, " "), [part.replace(tag, " ") for part in said]
    assert "".join(filter(str.isalnum, "".join(said))) == "".join(filter(str.isalnum, text))


@pytest.mark.parametrize(
    "unit",
    ["今天天气真好，我们去。", "Hello Dr. Smith, how are you? ", "中", "a", ".", '"', "a.", "1. ", '"a." ', ".)",
     "e.g. ", " ", "www.!", "http://", "<", "[a", "\n", ". ", "a@", "a\u0301", "👨\u200d👩", "''", "1,"],
)  # fmt: skip
def test_the_longest_text_is_cut_at_once(unit: str) -> None:
    text = (unit * 20_000)[:20_000]
    began = time.process_time()
    split(text)
    assert time.process_time() - began < 0.5
