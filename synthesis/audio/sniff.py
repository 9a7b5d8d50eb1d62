"""Name a file's container by its first bytes, so that no decoder ever guesses.

A decoder left to guess opens two dozen formats nobody asked for, playlists among them, and a
playlist names other files. What is not recognised here is never opened.
"""

from enum import StrEnum

from synthesis.audio.errors import AudioError, AudioProblem

SNIFF_BYTES = 64
"""As much of a file's start as ``sniff`` looks at."""


class Container(StrEnum):
    """Containers that are decoded."""

    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OGG = "ogg"
    WEBM = "webm"
    MP4 = "mp4"
    AAC = "aac"


_FOREIGN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"FORM", "AIFF"),
    (0, b"caff", "CAF"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF/WMA"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"wvpk", "WavPack"),
    (0, b"TTA1", "True Audio"),
    (0, b"MThd", "MIDI"),
    (0, b".snd", "AU"),
    (0, b"RIFX", "big-endian RIFF"),
    (0, b"RF64", "RF64"),
    (0, b"RIFF", "RIFF that is not WAVE"),
    (0, b"FLV\x01", "FLV"),
    (0, b"DSD ", "DSF"),
    (0, b"\x0b\x77", "AC-3"),
)
"""Audio (or film) that people do send, to be told apart from what is no audio at all."""


def sniff(head: bytes) -> Container:
    """The container that ``head`` (the first ``SNIFF_BYTES`` of a file) begins.

    Raises AudioError: unreadable (no audio known to us), unsupported_format (audio not on the list).
    """
    container = _known(head)
    if container is not None:
        return container
    for offset, magic, name in _FOREIGN:
        if head[offset:].startswith(magic):
            raise AudioError(AudioProblem.UNSUPPORTED_FORMAT, f"{name} is not supported")
    raise AudioError(AudioProblem.UNREADABLE, "the first bytes belong to no audio format")


def _known(head: bytes) -> Container | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return Container.WAV
    if head[4:8] == b"ftyp":
        return Container.MP4
    for magic, container in (
        (b"fLaC", Container.FLAC),
        (b"OggS", Container.OGG),
        (b"\x1a\x45\xdf\xa3", Container.WEBM),
        (b"ID3", Container.MP3),
    ):
        if head.startswith(magic):
            return container
    return _mpeg(head)


def _mpeg(head: bytes) -> Container | None:
    """A bare MPEG audio frame: 11 sync bits, then version and layer (ISO 11172-3, 2.4.1.3; ISO 13818-7, 6.2)."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return Container.AAC
    layer_three = head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    sane = head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C
    return Container.MP3 if layer_three and sane else None
