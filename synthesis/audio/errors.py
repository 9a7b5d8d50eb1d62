"""What can be wrong with an audio file, as one typed error with a stable code."""

from enum import StrEnum


class AudioProblem(StrEnum):
    """Stable codes; the web layer turns them into a sentence in the reader's language."""

    UNREADABLE = "unreadable"
    """Not audio at all, empty, or too damaged to give one sample."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """Audio, but in a container or codec that is not on the list."""
    NO_AUDIO_STREAM = "no_audio_stream"
    """A known container that holds no sound, such as a silent film."""
    TOO_LARGE = "too_large"
    """More bytes than allowed."""
    TOO_LONG = "too_long"
    """More seconds than allowed."""
    TOO_MANY_CHANNELS = "too_many_channels"
    BAD_SAMPLE_RATE = "bad_sample_rate"
    """Outside 8 to 192 kHz."""
    DECODE_TIMEOUT = "decode_timeout"
    """Decoding took longer than a file of this kind ever should."""


class AudioError(Exception):
    """A file cannot be used. ``code`` is for programs, ``detail`` (English) is for developers and logs."""

    def __init__(self, code: AudioProblem, detail: str = "") -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail
