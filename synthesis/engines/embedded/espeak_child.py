"""The program of the child process that runs eSpeak NG. Standard library only.

eSpeak keeps state between texts and cannot be reset, so a process speaks one segment and ends. It is also
GPL-3, so it stays on the other side of a pipe.

Standard input, one JSON object: ``library`` and ``data`` (paths), ``rate`` (words a minute), ``pitch`` and
``range`` (0-100), ``gap`` (tens of milliseconds between words), ``runs`` (list of ``[voice, text]``).
Standard output: 8 bytes, little-endian length of a JSON header; the header (``version``, ``sample_rate_hz``, and
per run ``samples`` and ``phones``, a list of ``[sample index, phone name]``); then the PCM16 samples of all runs.
"""

import ctypes
import json
import struct
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, Union, c_char, c_char_p, c_int, c_short, c_uint, c_void_p
from typing import Any

SYNCHRONOUS = 2
PHONE_EVENTS = 1
DO_NOT_EXIT = 0x8000
UTF8 = 1
PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE, PARAMETER_GAP = 1, 3, 4, 7
EVENT_END_OF_LIST, EVENT_PHONE = 0, 7


class EventId(Union):
    _fields_ = [("number", c_int), ("name", c_char_p), ("string", c_char * 8)]


class Event(Structure):
    _fields_ = [
        ("type", c_int),
        ("unique_identifier", c_uint),
        ("text_position", c_int),
        ("length", c_int),
        ("audio_position_ms", c_int),
        ("sample", c_int),
        ("user_data", c_void_p),
        ("id", EventId),
    ]


Callback = CFUNCTYPE(c_int, POINTER(c_short), c_int, POINTER(Event))


def load(order: dict[str, Any]) -> tuple[ctypes.CDLL, int]:
    """The initialised library and its sample rate in Hz."""
    library = ctypes.CDLL(order["library"])
    library.espeak_Info.restype = c_char_p
    rate_hz = library.espeak_Initialize(SYNCHRONOUS, 0, order["data"].encode(), PHONE_EVENTS | DO_NOT_EXIT)
    if rate_hz <= 0:
        raise SystemExit("eSpeak NG could not read its data")
    return library, rate_hz


def speak(library: ctypes.CDLL, order: dict[str, Any], voice: str, text: str) -> tuple[bytes, list[list[Any]]]:
    """PCM16 bytes and phones ``[sample index, name]`` of one run of text in one language."""
    pcm = bytearray()
    phones: list[list[Any]] = []

    def receive(samples: Any, count: int, events: Any) -> int:
        if count and samples:
            pcm.extend(ctypes.string_at(samples, count * 2))
        index = 0
        while events[index].type != EVENT_END_OF_LIST:
            if events[index].type == EVENT_PHONE:
                phones.append([events[index].sample, events[index].id.string.decode("utf-8", "replace")])
            index += 1
        return 0

    callback = Callback(receive)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise SystemExit(f"eSpeak NG has no voice {voice!r}")
    for parameter, key in (
        (PARAMETER_RATE, "rate"),
        (PARAMETER_PITCH, "pitch"),
        (PARAMETER_RANGE, "range"),
        (PARAMETER_GAP, "gap"),
    ):
        library.espeak_SetParameter(parameter, int(order[key]), 0)
    encoded = text.encode() + b"\0"
    if library.espeak_Synth(encoded, len(encoded), 0, 1, 0, UTF8, None, None) != 0:
        raise SystemExit("eSpeak NG refused the text")
    library.espeak_Synchronize()
    return bytes(pcm), phones


def main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    library, rate_hz = load(order)
    spoken = [speak(library, order, voice, text) for voice, text in order["runs"]]
    header = {
        "version": library.espeak_Info(None).decode().split()[0],
        "sample_rate_hz": rate_hz,
        "runs": [{"samples": len(pcm) // 2, "phones": phones} for pcm, phones in spoken],
    }
    encoded = json.dumps(header).encode()
    out = sys.stdout.buffer
    out.write(struct.pack("<Q", len(encoded)) + encoded + b"".join(pcm for pcm, _ in spoken))
    out.flush()


if __name__ == "__main__":
    main()
