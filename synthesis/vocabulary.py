"""The closed sets of words that Python, JavaScript, the API and the docs share.

Pure: imports nothing of the project, so that engines and models can both use it.
``static/js/vocabulary.js`` mirrors it; a test keeps the two equal.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Stage(StrEnum):
    """What the worker is doing to a job, in this order."""

    EXTRACT = "extract"
    """Reference audio to reference features."""
    ACOUSTIC = "acoustic"
    """Acoustic model: speech tokens and mel, or acoustic parameters."""
    VOCODER = "vocoder"
    """Waveform."""
    SAVE = "save"
    """Files and checksum."""


class Level(StrEnum):
    """Severity of a log line."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Mode(StrEnum):
    """How the reference voice is used."""

    ZERO_SHOT = "zero_shot"
    CROSS_LINGUAL = "cross_lingual"
    INSTRUCT = "instruct"


class Command(StrEnum):
    """What a person may ask of a job."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    SPEED = "speed"
    VOICE = "voice"
    INSTRUCT = "instruct"
    PRIORITY = "priority"


class AudioFormat(StrEnum):
    """File formats an output can be had in."""

    WAV = "wav"
    FLAC = "flac"
    MP3 = "mp3"
    OGG = "ogg"


ENDED = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
"""Statuses that accept nothing more."""

ACTIVE = frozenset({Status.QUEUED, Status.RUNNING, Status.PAUSED})
"""Statuses of jobs that are still to end."""
