"""A follower takes what follows on what it has, whatever arrives in which order."""

from __future__ import annotations

import itertools
import json
from typing import Any

from synthesis.events.wire import EventData
from synthesis.realtime.audience import Following, Run
from synthesis.realtime.frames import texts

JOB = "job"


class Reader:
    """Keeps what is written to it."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self.messages: list[Any] = []
        self.writes = 0

    def blocked(self) -> bool:
        return False

    def write(self, frames: bytes) -> None:
        self.writes += 1
        self.messages += [json.loads(text) for text in texts(frames)]

    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.messages]


def events(*seqs: int) -> list[EventData]:
    data: dict[str, Any] = {"severity": "INFO", "stage": None, "message": "line", "code": "", "values": {}}
    return [{"seq": seq, "at": 1.0, "status": "running", "kind": "log", "level": "INFO", "data": data} for seq in seqs]


def heard(*seqs: int) -> Run:
    return Run(JOB, seqs[0] - 1, events(*seqs))


def following(reader: Reader, since: int = 0, *, batch: bool = False) -> Following:
    return Following(reader, JOB, since, batch=batch)


def test_what_follows_on_is_sent_in_one_write() -> None:
    reader = Reader()
    assert following(reader).take(heard(1, 2, 3))
    assert (reader.seqs(), reader.writes) == ([1, 2, 3], 1)


def test_what_leaves_a_gap_is_not_taken() -> None:
    reader = Reader()
    one = following(reader, since=4)
    assert not one.take(heard(6))
    assert one.take(heard(5, 6))
    assert reader.seqs() == [5, 6]


def test_what_is_known_is_not_sent_again() -> None:
    reader = Reader()
    one = following(reader, since=2)
    assert all(one.take(heard(1, 2, 3)) for _ in range(3))
    assert reader.seqs() == [3]


def test_a_stored_run_may_have_gaps_that_the_database_has() -> None:
    reader = Reader()
    one = following(reader, since=3)
    assert one.take(Run(JOB, 2, events(3, 7, 9)))
    assert reader.seqs() == [7, 9]


def test_in_whatever_order_runs_come_nothing_is_doubled_or_out_of_turn() -> None:
    runs = [(1, 2), (2, 3, 4), (3,), (4, 5), (5, 6)]
    for order in itertools.permutations(runs):
        reader = Reader()
        one = following(reader)
        for _ in runs:  # what was refused comes again
            for run in order:
                one.take(heard(*run))
        assert reader.seqs() == [1, 2, 3, 4, 5, 6]


def test_arrays_are_for_those_who_asked_and_for_several_only() -> None:
    reader = Reader()
    one = following(reader, batch=True)
    one.take(heard(1))
    one.take(heard(2, 3))
    first, rest = reader.messages
    assert first["seq"] == 1
    assert [part["seq"] for part in rest] == [2, 3]


def test_all_who_read_alike_get_the_same_bytes() -> None:
    run = heard(1, 2)
    same = run.frames_after(0, "en", batch=False)
    assert run.frames_after(0, "en", batch=False) is same
    assert run.frames_after(1, "en", batch=False) != same
