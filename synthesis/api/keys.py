"""API keys of the caller."""

from __future__ import annotations

from django.utils.translation import gettext as _
from ninja import Field, Router, Schema, Status

from synthesis.accounts import keys
from synthesis.accounts.address import address_of
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.errors import Forbidden, NotFound
from synthesis.models import ApiKey

router = Router(tags=["keys"])


class KeyAnswer(Schema):
    """A key, without the key itself."""

    id: int
    name: str
    prefix: str = Field(description="The public part of the key, between the underscores.")
    created_at: float
    last_used_at: float | None
    revoked_at: float | None

    @classmethod
    def of(cls, key: ApiKey) -> KeyAnswer:
        return cls(
            id=key.pk,
            name=key.name,
            prefix=key.prefix,
            created_at=key.created_at.timestamp(),
            last_used_at=key.last_used_at.timestamp() if key.last_used_at else None,
            revoked_at=key.revoked_at.timestamp() if key.revoked_at else None,
        )


class NewKeyAnswer(KeyAnswer):
    key: str = Field(description="Shown this once; the portal keeps only a hash of it.", examples=["cwk_0123456789_…"])


class KeyList(Schema):
    items: list[KeyAnswer]


class KeyRequest(Schema):
    name: str = Field(default="", max_length=80, description="To tell your keys apart.", examples=["nightly build"])


@router.get("", response=answers({200: KeyList}), summary="List your API keys", url_name="keys")
def list_keys(request: ApiRequest) -> KeyList:
    return KeyList(items=[KeyAnswer.of(key) for key in ApiKey.objects.filter(user=request.auth)])


@router.post(
    "",
    response=answers({201: NewKeyAnswer}, 400, 403, 422, 429),
    throttle=[PerUser("keys", 30)],
    summary="Make an API key",
    url_name="keys",
)
def create_key(request: ApiRequest, body: KeyRequest) -> Status[NewKeyAnswer]:
    """Only with a login session: a key that leaked must not be able to make itself a successor."""
    if request.by_key:
        raise Forbidden(_("An API key cannot make API keys."), hint=_("Log in and make it on the account page."))
    key, secret = keys.create(request.auth, body.name, by=request.auth, address=address_of(request))
    return Status(201, NewKeyAnswer(**dict(KeyAnswer.of(key)), key=secret))


@router.delete("/{int:key_id}", response=answers({204: None}, 403, 404), summary="Revoke an API key", url_name="key")
def revoke_key(request: ApiRequest, key_id: int) -> Status[None]:
    key = ApiKey.objects.filter(user=request.auth, pk=key_id).first()
    if key is None:
        raise NotFound(_("This API key does not exist."))
    keys.revoke(key, by=request.auth, address=address_of(request))
    return Status(204, None)
