"""API keys: made, checked, revoked. The database holds only a keyed hash of each."""

from __future__ import annotations

import datetime
import hmac
import secrets

from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import salted_hmac

from synthesis.accounts import audit
from synthesis.models import ApiKey, User

SCHEME = "cwk"
_PREFIX_BYTES, _SECRET_BYTES = 5, 32
_USED_RESOLUTION = datetime.timedelta(minutes=1)
"""``last_used_at`` is written at most this often: a key may be used many times a second."""


def create(user: User, name: str, *, by: User, address: str | None) -> tuple[ApiKey, str]:
    """A new key and, once, the key itself: ``cwk_<prefix>_<secret>``."""
    prefix, secret = secrets.token_hex(_PREFIX_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    try:
        key = ApiKey.objects.create(user=user, name=name[:80], prefix=prefix, digest=_digest(secret))
    except IntegrityError:  # the prefix is taken: 1 in 10**12
        return create(user, name, by=by, address=address)
    audit.record("key.create", actor=by, target=key, address=address, detail={"prefix": prefix})
    return key, f"{SCHEME}_{prefix}_{secret}"


def user_for(token: str) -> User | None:
    """The active user whose unrevoked key this is."""
    scheme, _, rest = token.partition("_")
    prefix, _, secret = rest.partition("_")
    if scheme != SCHEME or not secret:
        return None
    key = ApiKey.objects.select_related("user").filter(prefix=prefix, revoked_at=None, user__is_active=True).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > _USED_RESOLUTION:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key.user


def revoke(key: ApiKey, *, by: User, address: str | None) -> None:
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    audit.record("key.revoke", actor=by, target=key, address=address, detail={"prefix": key.prefix})


def bearer_token(header: str) -> str | None:
    """The token of an ``Authorization: Bearer …`` header."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _digest(secret: str) -> str:
    return salted_hmac("synthesis.accounts.keys", secret, algorithm="sha256").hexdigest()
