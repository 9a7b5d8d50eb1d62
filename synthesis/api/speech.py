"""Speech for programs that were written for OpenAI's interface: a text goes in, the answer is the sound.

Behind it stands an ordinary job: queued in its turn, audited, kept, and named in the answer's headers.
https://platform.openai.com/docs/api-reference/audio/createSpeech
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from ninja import Field, HeaderEx, P, Router, Schema, Status

from synthesis.accounts.address import address_of
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.api.sound import CONTENT_TYPES, SpeechCall, Spoken, kept_as
from synthesis.errors import InvalidInput
from synthesis.jobs import submission
from synthesis.models import User, Voice
from synthesis.voices import library

router = Router(tags=["speech"])

STREAM_FORMATS = ("audio", "sse")
OUR_NAMES = {"text": "input", "prompt_audio": "voice", "instruct": "instructions", "format": "response_format"}
"""What a job's fields are called here."""


class SpeechRequest(Schema):
    """As OpenAI's clients send it, and a seed."""

    model: str = Field(default="", description="Any; the portal's engine speaks, which `GET /v1/models` names.")
    input: Any = Field(description="What is to be said.")
    voice: Any = Field(default="", description='Name or id of a voice, or `{"id": …}`. Default: the portal\'s.')
    instructions: Any = Field(default="", description="How to say it.")
    response_format: str = Field(
        default="mp3", description=f"One of {', '.join(CONTENT_TYPES)}; pcm is 24 kHz, 16 bit, mono."
    )
    speed: Any = 1.0
    seed: Any = None
    stream_format: str = Field(
        default="audio",
        description="`audio`: the bare sound, pcm as it is made; `sse`: in server-sent events.",
    )


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
    for name, value, known in (
        ("response_format", body.response_format, CONTENT_TYPES),
        ("stream_format", body.stream_format, STREAM_FORMATS),
    ):
        if value not in known:
            raise _wrong(name, _("This must be one of: %(words)s.") % {"words": ", ".join(known)})
    wanted = {
        "text": body.input,
        "prompt_audio": _voice_id(body.voice, request.auth),
        "instruct": body.instructions,
        "speed": body.speed,
        "seed": body.seed,
        "format": kept_as(body.response_format),
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
    request.spoken = Spoken(done.jobs[0], body.response_format, as_events=body.stream_format == "sse")
    return Status(202, None)


@router.get("/models", response=answers({200: ModelList}), summary="The engine, as a list of one")
def list_models(request: ApiRequest) -> ModelList:
    return ModelList(data=[Model(id=settings.ENGINE)])


@router.get("/audio/voices", response=answers({200: VoiceNames}), summary="Voices to speak with")
def list_voices(request: ApiRequest) -> VoiceNames:
    rows = Voice.objects.visible_to(request.auth).order_by("name", "id")
    return VoiceNames(voices=[VoiceName(id=row.pk, name=row.name, language=row.language) for row in rows])


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
