"""Reference voices: taken in, listed, renamed, shared, deleted."""

from __future__ import annotations

from typing import Literal

from django.urls import reverse
from ninja import Field, FileEx, Form, FormEx, P, Router, Schema, Status, UploadedFile

from synthesis.accounts.address import address_of
from synthesis.api import visible
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.models import User, Voice
from synthesis.voices import library

router = Router(tags=["voices"])


class VoiceAnswer(Schema):
    """A voice to speak with."""

    id: str = Field(examples=["k3f9m2pq7xyz"])
    name: str
    description: str = Field(description="What a ready-made voice is like, in the caller's language; else empty.")
    language: str = Field(description="`zh`, `en` or empty.")
    transcript: str = Field(description="What is said in the recording.")
    origin: Literal["upload", "recording", "ready_made"]
    owner_name: str | None = Field(description="null: it came with the portal.")
    editable: bool = Field(description="Whether the caller may rename, share and delete it.")
    shared: bool
    duration_s: float
    source_sample_rate_hz: int
    sha256: str
    peaks: list[float] = Field(description="For drawing the waveform.")
    findings: list[str] = Field(description="What is not ideal about the recording, in the caller's language.")
    audio_url: str
    created_at: float = Field(description="Unix seconds.")

    @classmethod
    def of(cls, voice: Voice, user: User) -> VoiceAnswer:
        """Needs ``voice.owner``."""
        return cls.model_validate(
            {
                "id": voice.pk,
                "name": voice.name,
                "description": library.description_text(voice),
                "language": voice.language,
                "transcript": voice.transcript,
                "origin": voice.origin,
                "owner_name": voice.owner.get_username() if voice.owner else None,
                "editable": voice.owner_id is not None and (voice.owner_id == user.pk or user.is_superuser),
                "shared": voice.shared,
                "duration_s": voice.duration_s,
                "source_sample_rate_hz": voice.source_sample_rate_hz,
                "sha256": voice.sha256,
                "peaks": voice.peaks,
                "findings": library.findings_text(voice),
                "audio_url": reverse("voice_audio", args=[voice.pk]),
                "created_at": voice.created_at.timestamp(),
            }
        )


class VoiceList(Schema):
    items: list[VoiceAnswer]


class VoiceChange(Schema):
    """What to change; what is left out stays."""

    name: str | None = Field(default=None, max_length=library.MAX_NAME_CHARS)
    shared: bool | None = Field(default=None, description="Whether the team may use it.")


@router.get("", response=answers({200: VoiceList}), summary="List voices", url_name="voices")
def list_voices(request: ApiRequest) -> VoiceList:
    """Ready-made ones, your own, and those shared with the team."""
    rows = Voice.objects.visible_to(request.auth).select_related("owner")
    return VoiceList(items=[VoiceAnswer.of(voice, request.auth) for voice in rows])


@router.post(
    "",
    response=answers({201: VoiceAnswer}, 403, 413, 422, 429),
    throttle=[PerUser("voices", 60)],
    summary="Add a voice from a recording",
    url_name="voices",
)
def create_voice(
    request: ApiRequest,
    audio: FileEx[
        UploadedFile, P(description="3 to 15 s of clear speech: wav, mp3, flac, ogg, webm or m4a, up to 10 MiB.")
    ],
    name: FormEx[str, P(description=f"Up to {library.MAX_NAME_CHARS} characters.")] = "",
    transcript: FormEx[str, P(description="What is said in the recording.")] = "",
    language: FormEx[str, P(description="`zh`, `en` or empty.")] = "",
    consent: FormEx[bool, P(description="The speaker agrees that the voice is used here. Must be true.")] = False,
    shared: FormEx[bool, P(description="Whether the team may use it.")] = False,
    origin: Form[Literal["upload", "recording"]] = "upload",
) -> Status[VoiceAnswer]:
    """The upload itself is not kept, only our own re-encoding."""
    voice = library.create(
        owner=request.auth,
        name=name,
        source=audio,
        transcript=transcript,
        language=language,
        consent=consent,
        shared=shared,
        origin=Voice.Origin(origin),
        address=address_of(request),
    )
    return Status(201, VoiceAnswer.of(voice, request.auth))


@router.get("/{voice_id}", response=answers({200: VoiceAnswer}, 404), summary="A voice", url_name="voice")
def get_voice(request: ApiRequest, voice_id: str) -> VoiceAnswer:
    return VoiceAnswer.of(visible.voice(request.auth, voice_id), request.auth)


@router.patch(
    "/{voice_id}",
    response=answers({200: VoiceAnswer}, 400, 403, 404, 422),
    summary="Rename or share a voice",
    url_name="voice",
)
def change_voice(request: ApiRequest, voice_id: str, body: VoiceChange) -> VoiceAnswer:
    voice = visible.editable_voice(request.auth, voice_id)
    address = address_of(request)
    if body.name is not None:
        library.rename(voice, body.name, by=request.auth, address=address)
    if body.shared is not None:
        library.share(voice, body.shared, by=request.auth, address=address)
    return VoiceAnswer.of(voice, request.auth)


@router.delete("/{voice_id}", response=answers({204: None}, 403, 404), summary="Delete a voice", url_name="voice")
def delete_voice(request: ApiRequest, voice_id: str) -> Status[None]:
    """Takes it away from everyone. Unfinished jobs still get their audio."""
    voice = visible.editable_voice(request.auth, voice_id)
    library.delete(voice, by=request.auth, address=address_of(request))
    return Status(204, None)
