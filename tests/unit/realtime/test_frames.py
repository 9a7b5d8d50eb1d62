"""Frames for the wire, compared with an independent implementation."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from synthesis.realtime.frames import json_frame, text_frame, texts


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_frame_is_what_another_implementation_makes(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_texts_are_what_was_framed() -> None:
    messages = ["", "语音" * 40, "a" * 126, "b" * 70_000, "{}"]
    assert list(texts(b"".join(text_frame(message.encode()) for message in messages))) == messages


def test_json_is_compact_and_readable() -> None:
    assert list(texts(json_frame({"message": "完成", "at": 1.5}))) == ['{"message":"完成","at":1.5}']
