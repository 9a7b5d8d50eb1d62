"""Speech for programs that were written for OpenAI's interface: a text goes in, the answer is the sound.

Behind it stands an ordinary job: queued in its turn, audited, kept, and named in the answer's headers.
https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Field, HeaderEx, P, Router, Schema, Status

from synthesis.accounts.address import address_of
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers, respond
from synthesis.api.limits import PerUser
from synthesis.audio import wav
from synthesis.errors import InvalidInput, NotNow, PortalError
from synthesis.events.hints import hint_for
from synthesis.jobs import submission
from synthesis.models import Job, Output, User, Voice
from synthesis.outputs import store
from synthesis.vocabulary import AudioFormat
from synthesis.vocabulary import Status as JobStatus
from synthesis.voices import library

router = Router(tags=["speech"])

LOOK_EVERY_S = 0.2
LONGEST_WAIT_S = 600.0
"""As long as OpenAI's own clients wait. The job goes on after it."""
PCM = "pcm"
FORMATS = {
    "mp3": (AudioFormat.MP3, "audio/mpeg"),
    "opus": (AudioFormat.OGG, "audio/ogg"),
    "flac": (AudioFormat.FLAC, "audio/flac"),
    "wav": (AudioFormat.WAV, "audio/wav"),
    PCM: (AudioFormat.WAV, "audio/pcm"),
}
OUR_NAMES = {"text": "input", "prompt_audio": "voice", "instruct": "instructions", "format": "response_format"}
"""What a job's fields are called here."""


class JobFailed(PortalError):
    http_status = 500


class NotYet(PortalError):
    code = "timeout"
    http_status = 504


class SpeechRequest(Schema):
    """As OpenAI's clients send it, and a seed."""

    model: str = Field(default="", description="Any; the portal's engine speaks, which `GET /v1/models` names.")
    input: Any = Field(description="What is to be said.")
    voice: Any = Field(default="", description='Name or id of a voice, or `{"id": …}`. Default: the portal\'s.')
    instructions: Any = Field(default="", description="How to say it.")
    response_format: str = Field(
        default="mp3", description=f"One of {', '.join(FORMATS)}; pcm is 24 kHz, 16 bit, mono."
    )
    speed: Any = 1.0
    seed: Any = None
    stream_format: str = Field(default="audio", description="`audio`: the whole sound, once it is made.")


class Model(Schema):
    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = "cosyweb"


class ModelList(Schema):
    object: str = "list"
    data: list[Model]


class VoiceName(Schema):
    id: str
    name: str
    language: str


class VoiceNames(Schema):
    object: str = "list"
    voices: list[VoiceName]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What ``create_speech`` leaves with the request for ``when_spoken``."""

    job_id: str
    response_format: str


class SpeechCall(ApiRequest):
    """Only a type, never made."""

    spoken: Spoken


@router.post(
    "/audio/speech",
    response=answers({202: None}, 400, 403, 409, 413, 422, 429),
    throttle=[PerUser("jobs", 240)],
    summary="Speak a text",
    url_name="speech",
)
def create_speech(
    request: SpeechCall, body: SpeechRequest, idempotency_key: HeaderEx[str, P(alias="Idempotency-Key")] = ""
) -> Status[None]:
    """Submits the job; the sound is sent by ``when_spoken``."""
    if body.response_format not in FORMATS:
        raise _wrong("response_format", _("This must be one of: %(words)s.") % {"words": ", ".join(FORMATS)})
    if body.stream_format != "audio":
        raise _wrong("stream_format", _("This must be one of: %(words)s.") % {"words": "audio"})
    wanted = {
        "text": body.input,
        "prompt_audio": _voice_id(body.voice, request.auth),
        "instruct": body.instructions,
        "speed": body.speed,
        "seed": body.seed,
        "format": FORMATS[body.response_format][0],
    }
    try:
        done = submission.submit(
            {name: value for name, value in wanted.items() if value is not None},
            owner=request.auth,
            address=address_of(request),
            idempotency_key=idempotency_key.strip() or None,
        )
    except InvalidInput as problem:
        fields = {OUR_NAMES.get(name, name): said for name, said in problem.fields.items()}
        raise InvalidInput(problem.message, hint=problem.hint, fields=fields) from None
    request.spoken = Spoken(done.jobs[0].pk, body.response_format)
    return Status(202, None)


@router.get("/models", response=answers({200: ModelList}), summary="The engine, as a list of one")
def list_models(request: ApiRequest) -> ModelList:
    return ModelList(data=[Model(id=settings.ENGINE)])


@router.get("/audio/voices", response=answers({200: VoiceNames}), summary="Voices to speak with")
def list_voices(request: ApiRequest) -> VoiceNames:
    rows = Voice.objects.visible_to(request.auth).order_by("name", "id")
    return VoiceNames(voices=[VoiceName(id=row.pk, name=row.name, language=row.language) for row in rows])


def when_spoken(view: Callable[..., HttpResponse]) -> Callable[..., Awaitable[HttpResponse]]:
    """Let ``create_speech`` answer with the sound: waits without holding a thread until the job has ended.

    Whoever hangs up while it waits changes nothing about the job.
    """

    @wraps(view)
    async def answer(request: SpeechCall, *args: Any, **kwargs: Any) -> HttpResponse:
        accepted = await sync_to_async(view)(request, *args, **kwargs)
        spoken: Spoken | None = getattr(request, "spoken", None)
        if spoken is None:
            return accepted
        rows = Job.objects.only("status", "seed", "error_code", "error_message")
        give_up_at = time.monotonic() + LONGEST_WAIT_S
        # Another process ends the job, and the database is where that is told.
        while not (job := await rows.aget(pk=spoken.job_id)).has_ended and time.monotonic() < give_up_at:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_EVERY_S)
        response = await sync_to_async(_sound)(job, spoken.response_format)
        response["X-Job-Id"], response["X-Seed"] = job.pk, str(job.seed)
        return response

    return answer


def _sound(job: Job, response_format: str) -> HttpResponse:
    if job.status != JobStatus.COMPLETED:
        return respond(_why_not(job))
    audio_format, content_type = FORMATS[response_format]
    row = Output.objects.filter(job=job, format=audio_format).order_by("-version").first()
    if row is None:  # an administrator has deleted it
        return respond(NotNow(_("The job has no file in this format.")))
    path = store.open_path(row.path)
    if response_format == PCM:
        return HttpResponse(b"".join(block.tobytes() for block in wav.read_blocks(path)), content_type=content_type)
    return HttpResponse(path.read_bytes(), content_type=content_type)


def _why_not(job: Job) -> PortalError:
    if job.status == JobStatus.FAILED:
        problem = JobFailed(job.error_message, hint=hint_for(job.error_code))
        problem.code = job.error_code
        return problem
    if job.status == JobStatus.CANCELLED:
        return NotNow(_("The job was cancelled."))
    return NotYet(_("The job is not done yet."), hint=_("It goes on; ask for it under the id in the header X-Job-Id."))


def _voice_id(wanted: object, user: User) -> object:
    """Of a voice that is called or has the id ``wanted``; what is no text is left to the job's own check."""
    if isinstance(wanted, dict):
        wanted = wanted.get("id", "")
    if not isinstance(wanted, str) or not wanted.strip():
        return wanted
    voice = library.called(wanted, user)
    if voice is None:
        raise _wrong("voice", _("This voice does not exist."), hint=_("GET /v1/audio/voices lists those that do."))
    return voice.pk


def _wrong(name: str, problem: str, *, hint: str = "") -> InvalidInput:
    return InvalidInput(problem, hint=hint, fields={name: problem})
