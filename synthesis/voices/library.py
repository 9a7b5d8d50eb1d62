"""Reference voices: taken in, shared, deleted. The upload itself is never kept, only our own re-encoding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from synthesis.accounts import audit
from synthesis.audio import peaks, quality, wav
from synthesis.audio.decode import DecodedAudio, decode
from synthesis.audio.errors import AudioError, AudioProblem
from synthesis.audio.quality import Finding
from synthesis.engines.embedded import presets
from synthesis.errors import InvalidInput
from synthesis.events.log_text import log_text
from synthesis.identifiers import new_id
from synthesis.models import Control, Job, User, Voice
from synthesis.outputs import store
from synthesis.text import clean
from synthesis.vocabulary import ACTIVE, Command

MAX_NAME_CHARS = 80
MAX_TRANSCRIPT_CHARS = 1000
PEAKS = 120
LANGUAGES = ("zh", "en", "")

PROBLEMS: dict[str, str | Promise] = {
    AudioProblem.UNREADABLE: gettext_lazy(
        "This is no audio file, or it is damaged. Use wav, mp3, flac, ogg, webm or m4a."
    ),
    AudioProblem.UNSUPPORTED_FORMAT: gettext_lazy(
        "This audio format is not supported. Use wav, mp3, flac, ogg, webm or m4a."
    ),
    AudioProblem.NO_AUDIO_STREAM: gettext_lazy("This file holds no sound."),
    AudioProblem.TOO_LARGE: gettext_lazy("The file is larger than 10 MiB."),
    AudioProblem.TOO_LONG: gettext_lazy(
        "The recording is longer than 30 seconds. Cut it to 3 to 15 seconds of clear speech."
    ),
    AudioProblem.TOO_MANY_CHANNELS: gettext_lazy(
        "The recording has more than two channels. Export it in mono or stereo."
    ),
    AudioProblem.BAD_SAMPLE_RATE: gettext_lazy("The sample rate must be from 8 to 192 kHz."),
    AudioProblem.DECODE_TIMEOUT: gettext_lazy(
        "This file takes too long to decode. Export it as a plain wav or mp3 file."
    ),
    "too_short": gettext_lazy("The recording is shorter than 1 second. Use 3 to 15 seconds of clear speech."),
    "too_long": gettext_lazy("The recording is longer than 30 seconds. Cut it to 3 to 15 seconds of clear speech."),
    "silent": gettext_lazy("The recording is silent. Check the microphone and record again."),
}
"""Why a recording is refused, by the code of its AudioProblem or refusing Finding."""


def create(
    *,
    owner: User,
    name: str,
    source: Path | UploadedFile[Any],
    transcript: str,
    language: str,
    consent: bool,
    shared: bool,
    origin: Voice.Origin,
    address: str | None,
) -> Voice:
    """Take in a recording; raises InvalidInput naming the fields, and then leaves nothing behind."""
    fields = _checked_fields(name, transcript, language, consent)
    audio, findings = _listen(source)
    voice = _keep(audio, findings, owner=owner, origin=origin, consent=True, shared=shared, **fields)
    audit.record("voice.create", actor=owner, target=voice, address=address, detail={"sha256": voice.sha256})
    return voice


def add_ready_made(*, preset: str, name: str, description: str, language: str, transcript: str, source: Path) -> Voice:
    """A voice that comes with the engine; anyone may use it."""
    audio, findings = _listen(source)
    return _keep(
        audio,
        findings,
        owner=None,
        origin=Voice.Origin.READY_MADE,
        consent=True,
        shared=True,
        preset=preset,
        name=name,
        description=description,
        language=language,
        transcript=transcript,
    )


def called(word: str, user: User) -> Voice | None:
    """What ``user`` may speak with and means by ``word``: an id, a name, or one word of it; of several the oldest.

    Ready-made voices bear a name in each language, and either will do.
    """
    word = word.strip().replace("\0", "")
    wanted = word.casefold()
    near = Voice.objects.visible_to(user).filter(Q(pk=word) | Q(name__icontains=word)).order_by("created_at", "id")
    fitting = [
        [voice for voice in near if voice.pk == word],
        [voice for voice in near if voice.name.casefold() == wanted],
        [voice for voice in near if wanted in voice.name.casefold().split()],
    ]
    return next((found[0] for found in fitting if found), None)


def rename(voice: Voice, name: str, *, by: User, address: str | None) -> None:
    voice.name = _checked_fields(name, "", "", consent=True)["name"]
    voice.save(update_fields=["name"])
    audit.record("voice.rename", actor=by, target=voice, address=address)


def share(voice: Voice, shared: bool, *, by: User, address: str | None) -> None:
    """Let the team use a voice, or stop that."""
    voice.shared = shared
    voice.save(update_fields=["shared"])
    audit.record("voice.share" if shared else "voice.unshare", actor=by, target=voice, address=address)


def delete(voice: Voice, *, by: User, address: str | None) -> None:
    """Take a voice away from everyone. Its recording goes as soon as no unfinished job needs it."""
    Voice.objects.filter(pk=voice.pk, deleted_at=None).update(deleted_at=timezone.now(), shared=False)
    audit.record("voice.delete", actor=by, target=voice, address=address)
    remove_unneeded_recordings([voice])


def remove_unneeded_recordings(voices: Iterable[Voice]) -> None:
    """Remove the recordings of deleted voices that no unfinished job uses."""
    for voice in voices:
        spoken = Job.objects.filter(status__in=ACTIVE, segments__voice=voice)
        asked = Control.objects.pending().filter(job__status__in=ACTIVE, command=Command.VOICE, value=voice.pk)
        if not spoken.exists() and not asked.exists():
            store.remove(voice.path)


def description_text(voice: Voice) -> str:
    """What a voice is like, in the active language; of a preset that is no more, what was said when it came."""
    preset = presets.BY_ID.get(voice.preset)
    if preset is None:
        return voice.description
    return preset.description_zh if (get_language() or "").startswith("zh") else preset.description_en


def findings_text(voice: Voice) -> list[str]:
    """What is not ideal about a recording, in the active language."""
    return [log_text(f"reference_{finding['code']}", finding["values"]) for finding in voice.findings]


def _checked_fields(name: str, transcript: str, language: str, consent: bool) -> dict[str, str]:
    wrong: dict[str, str | Promise] = {}
    name, transcript = clean.clean(name).strip(), clean.clean(transcript).strip()
    if not name:
        wrong["name"] = _("Please give the voice a name.")
    elif len(name) > MAX_NAME_CHARS:
        wrong["name"] = _("At most %(limit)s characters are possible.") % {"limit": MAX_NAME_CHARS}
    if len(transcript) > MAX_TRANSCRIPT_CHARS:
        wrong["transcript"] = _("At most %(limit)s characters are possible.") % {"limit": MAX_TRANSCRIPT_CHARS}
    if language not in LANGUAGES:
        wrong["language"] = _("This must be one of: %(words)s.") % {"words": "zh, en"}
    if not consent:
        wrong["consent"] = _("Please confirm that the speaker agrees.")
    if wrong:
        raise InvalidInput(next(iter(wrong.values())), fields=wrong)
    return {"name": name, "transcript": transcript, "language": language}


def _listen(source: Path | UploadedFile[Any]) -> tuple[DecodedAudio, list[Finding]]:
    """Decode and judge a recording; raises InvalidInput on the field ``audio``."""
    try:
        with store.scratch() as directory:
            path = source if isinstance(source, Path) else _spool(source, directory / "upload")
            audio = decode(path, max_duration_s=quality.MAX_DURATION_S, max_bytes=settings.MAX_REFERENCE_BYTES)
    except AudioError as problem:
        raise _refused(problem.code, problem.detail) from problem
    findings = quality.assess(audio)
    for finding in findings:
        if finding.severity == "refuse":
            raise _refused(finding.code, "")
    return audio, list(findings)


def _spool(upload: UploadedFile[Any], path: Path) -> Path:
    with path.open("wb") as file:
        file.writelines(upload.chunks())
    return path


def _refused(code: str, detail: str) -> InvalidInput:
    message = PROBLEMS[code]
    return InvalidInput(message, fields={"audio": message}, hint=detail)


def _keep(audio: DecodedAudio, findings: list[Finding], **fields: Any) -> Voice:
    """Write the canonical recording and its row."""
    pk = new_id()
    path = store.voice_path(pk)
    with store.writing(path) as temporary:
        wav.write_wav(temporary, audio.samples, audio.sample_rate_hz)
    try:
        with transaction.atomic():
            return Voice.objects.create(
                pk=pk,
                path=path,
                sha256=hashlib.sha256(store.open_path(path).read_bytes()).hexdigest(),
                duration_s=round(audio.duration_s, 3),
                source_sample_rate_hz=audio.source_sample_rate_hz,
                peaks=peaks.peaks(audio.samples, PEAKS),
                findings=[{"code": finding.code, "values": dict(finding.values)} for finding in findings],
                **fields,
            )
    except BaseException:
        store.remove(path)
        raise
