"""What was asked of a job reads as people speak, in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from synthesis.events import facts, wire
from synthesis.events.facts import ControlApplied, ControlAsked
from synthesis.vocabulary import Command

SENTENCES = [
    (ControlAsked("pause", None, "Alice"), "Alice asked to pause", "Alice 要求暂停"),
    (ControlAsked("resume", None, "Alice"), "Alice asked to go on", "Alice 要求继续"),
    (ControlAsked("cancel", None, "Alice"), "Alice asked to cancel", "Alice 要求取消"),
    (ControlAsked("speed", 1.2, "Alice"), "Alice asked for speed 1.2", "Alice 要求把语速改为 1.2"),
    (ControlAsked("priority", 3, "Alice"), "Alice asked for priority 3", "Alice 要求把优先级改为 3"),
    (
        ControlAsked("voice", "k3f9m2pq7xyz", "Alice", voice_name="Mingyuan"),
        "Alice asked for the voice “Mingyuan”",
        "Alice 要求换用音色“Mingyuan”",
    ),
    (
        ControlAsked("instruct", "gently", "Alice"),
        "Alice asked for the instruction “gently”",
        "Alice 要求改用指令“gently”",
    ),
    (ControlAsked("instruct", "", "Alice"), "Alice asked for no instruction", "Alice 要求不再使用指令"),
    (ControlApplied("speed", 2.0, "Alice", from_segment=1), "Speed 2 from segment 2 on", "从第 2 段起语速为 2"),
    (
        ControlApplied("voice", "k3f9m2pq7xyz", "Alice", from_segment=0, voice_name="Mingyuan"),
        "Voice “Mingyuan” from segment 1 on",
        "从第 1 段起使用音色“Mingyuan”",
    ),
    (
        ControlApplied("instruct", "", "Alice", from_segment=1),
        "No instruction from segment 2 on",
        "从第 2 段起不使用指令",
    ),
    (ControlApplied("priority", -1, "Alice"), "Priority -1 now", "优先级现为 -1"),
]


def said(data: dict[str, Any], language: str) -> str:
    event: wire.EventData = {"seq": 2, "at": 0.0, "status": "running", "kind": "control", "level": "", "data": data}
    return wire.render("k3f9m2pq7xyz", event, language)["message"]


@pytest.mark.parametrize(("fact", "english", "chinese"), SENTENCES)
def test_what_was_asked_reads_as_people_speak(fact: facts.Fact, english: str, chinese: str) -> None:
    assert said(fact.data(), "en") == english
    assert said(fact.data(), "zh-hans") == chinese


def test_every_command_has_its_sentence() -> None:
    assert {fact.command for fact, _english, _chinese in SENTENCES if fact.state == "asked"} == set(Command)


def test_a_row_of_before_without_the_voices_name_is_read() -> None:
    data = {"command": "voice", "value": "k3f9m2pq7xyz", "by": "Alice", "state": "asked", "from_segment": None}
    assert said(data, "en") == "Alice asked for the voice “k3f9m2pq7xyz”"
