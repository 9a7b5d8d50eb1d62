"""Whether two recipes gave the same samples, and what is told if they did not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from synthesis.jobs import verdict

ENGINE = {
    "engine": "embedded",
    "version": "1",
    "weights": "none",
    "device": "cpu",
    "precision": "fp32",
    "libraries": {"torch": "2.9", "espeak": "1.52"},
}


def recipe(**more: Any) -> dict[str, Any]:
    """Three segments, made by an engine."""
    segments = [
        {
            "index": index,
            "text": f"Sentence {index}.",
            "language": "en",
            "seed": index,
            "speed": 1.0,
            "instruct": "",
            "voice_sha256": "v" * 64,
            "sha256": str(index) * 64,
        }
        for index in range(3)
    ]
    return {"mode": "zero_shot", "pause_s": 0.18, "segments": segments, "engine": copy.deepcopy(ENGINE), **more}


def changed(given: verdict.Verdict) -> list[tuple[str, Any, Any]]:
    return [(change["what"], change["before"], change["after"]) for change in given["changed"]]


def test_the_same_samples_are_identical_whatever_else_changed() -> None:
    after = recipe()
    after["engine"]["version"] = "2"
    assert verdict.judge(recipe(), after) == {"identical": True, "segment": None, "compared": 3, "changed": []}


def test_the_first_segment_that_differs_is_named() -> None:
    after = recipe()
    after["segments"][1]["sha256"] = after["segments"][2]["sha256"] = "x" * 64
    given = verdict.judge(recipe(), after)
    assert (given["identical"], given["segment"], given["changed"]) == (False, 1, [])


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("engine", "engine"),
        ("version", "engine_version"),
        ("weights", "weights"),
        ("device", "device"),
        ("precision", "precision"),
    ],
)
def test_every_part_of_the_fingerprint_is_a_cause(key: str, what: str) -> None:
    after = recipe()
    after["segments"][0]["sha256"] = "x" * 64
    after["engine"][key] = "other"
    assert changed(verdict.judge(recipe(), after)) == [(what, ENGINE[key], "other")]


def test_libraries_are_named_one_by_one() -> None:
    after = recipe()
    after["segments"][0]["sha256"] = "x" * 64
    after["engine"]["libraries"] = {"torch": "3.0", "onnx": "1"}
    assert changed(verdict.judge(recipe(), after)) == [
        ("libraries.espeak", "1.52", None),
        ("libraries.onnx", None, "1"),
        ("libraries.torch", "2.9", "3.0"),
    ]


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("voice_sha256", "w" * 64, "voice_file"),
        ("voice_sha256", "", "voice_gone"),
        ("seed", 99, "seed"),
        ("speed", 1.5, "speed"),
        ("instruct", "gently", "instruct"),
        ("text", "Other.", "text"),
    ],
)
def test_what_the_first_different_segment_was_made_of_is_a_cause(key: str, value: object, what: str) -> None:
    before, after = recipe(), recipe()
    after["segments"][1] |= {"sha256": "x" * 64, key: value}
    assert changed(verdict.judge(before, after)) == [(what, before["segments"][1][key], value)]


def test_other_segments_changes_are_no_cause() -> None:
    after = recipe()
    after["segments"][1]["sha256"] = "x" * 64
    after["segments"][2]["speed"] = 2.0
    assert verdict.judge(recipe(), after)["changed"] == []


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_segments_differs_where_the_shorter_one_ends(count: int) -> None:
    before, after = recipe(), recipe()
    after["segments"] = [*after["segments"], *after["segments"]][:count]
    given = verdict.judge(before, after)
    assert (given["identical"], given["segment"]) == (False, min(3, count))
    assert changed(given) == [("segment_count", 3, count)]


def test_other_pauses_differ_although_no_segment_does() -> None:
    given = verdict.judge(recipe(), recipe(pause_s=0.3))
    assert (given["identical"], given["segment"], changed(given)) == (False, None, [("pause_s", 0.18, 0.3)])


def test_segments_that_were_never_made_are_not_compared() -> None:
    before = recipe()
    before["segments"][2]["sha256"] = ""
    del before["engine"]
    assert verdict.judge(before, recipe())["compared"] == 2
    assert verdict.can_judge(before)
    for segment in before["segments"]:
        segment["sha256"] = ""
    assert not verdict.can_judge(before)
