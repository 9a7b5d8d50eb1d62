"""Bookmarks: seeds that sounded good with a voice."""

from __future__ import annotations

from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status

from synthesis.api import visible
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.errors import NotFound
from synthesis.jobs.spec import MAX_SEED
from synthesis.models import SavedSeed

router = Router(tags=["seeds"])


class SeedAnswer(Schema):
    """A saved seed."""

    id: int
    seed: int
    voice: str | None
    voice_name: str | None
    note: str
    created_at: float

    @classmethod
    def of(cls, saved: SavedSeed) -> SeedAnswer:
        return cls(
            id=saved.pk,
            seed=saved.seed,
            voice=saved.voice_id,
            voice_name=saved.voice.name if saved.voice else None,
            note=saved.note,
            created_at=saved.created_at.timestamp(),
        )


class SeedList(Schema):
    items: list[SeedAnswer]


class SeedRequest(Schema):
    seed: int = Field(ge=0, le=MAX_SEED, examples=[1986])
    voice: str | None = Field(default=None, max_length=16, description="Id of the voice it sounded good with.")
    note: str = Field(default="", max_length=120)


@router.get("", response=answers({200: SeedList}), summary="List your saved seeds", url_name="seeds")
def list_seeds(request: ApiRequest) -> SeedList:
    rows = SavedSeed.objects.filter(owner=request.auth).select_related("voice")[:500]
    return SeedList(items=[SeedAnswer.of(saved) for saved in rows])


@router.post(
    "",
    response=answers({201: SeedAnswer}, 400, 403, 404, 422, 429),
    throttle=[PerUser("seeds", 120)],
    summary="Save a seed",
    url_name="seeds",
)
def save_seed(request: ApiRequest, body: SeedRequest) -> Status[SeedAnswer]:
    """Saving the same seed and voice again changes the note."""
    voice = visible.voice(request.auth, body.voice) if body.voice else None
    saved, _created = SavedSeed.objects.update_or_create(
        owner=request.auth, seed=body.seed, voice=voice, defaults={"note": body.note.strip()}
    )
    return Status(201, SeedAnswer.of(saved))


@router.delete("/{int:seed_id}", response=answers({204: None}, 403, 404), summary="Forget a seed", url_name="seed")
def forget_seed(request: ApiRequest, seed_id: int) -> Status[None]:
    deleted, _rows = SavedSeed.objects.filter(owner=request.auth, pk=seed_id).delete()
    if not deleted:
        raise NotFound(_("This saved seed does not exist."))
    return Status(204, None)
