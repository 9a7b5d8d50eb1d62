"""One request for audio to its jobs: a text, several takes of it, a list of texts, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from synthesis.errors import InvalidInput
from synthesis.jobs import creation, lifecycle, spec, upload
from synthesis.jobs.spec import JobSpec
from synthesis.models import Batch, Job, User

if TYPE_CHECKING:
    from synthesis.errors import Text

MAX_TAKES = 20
MAX_TEXTS = 100
MAX_JOBS = 100
"""Of one request: texts times takes."""
MAX_KEY_CHARS = 200


@dataclass(frozen=True, slots=True)
class Submission:
    """What came of a request; ``batch`` if it was for more than one job."""

    jobs: list[Job]
    batch: Batch | None


def submit(
    raw: Mapping[str, object], *, owner: User, address: str | None, idempotency_key: str | None = None
) -> Submission:
    """Check a request and submit its jobs, all or none; raises InvalidInput.

    ``raw`` has the fields of ``generate_audio``, and ``takes`` or ``texts``. The same ``idempotency_key`` gives
    what the first request gave, even if it could not be made again (its voice may be gone).
    """
    check_key(idempotency_key)
    earlier = _earlier(owner, idempotency_key)
    if earlier is not None:
        return earlier
    specs = specs_of(raw, user=owner)
    if len(specs) == 1:
        return _with_siblings(
            lifecycle.submit(specs[0], owner=owner, address=address, idempotency_key=idempotency_key or None)
        )
    return _batch(specs, owner=owner, address=address, title=specs[0].text, idempotency_key=idempotency_key)


def submit_file(
    data: bytes,
    name: str,
    defaults: Mapping[str, object],
    *,
    owner: User,
    address: str | None,
    idempotency_key: str | None = None,
) -> Submission:
    """Submit the jobs of a file as one batch named after it, all or none; raises InvalidInput or TooLarge."""
    check_key(idempotency_key)
    earlier = _earlier(owner, idempotency_key)
    if earlier is not None:
        return earlier
    specs = upload.specs_of(upload.check(data, name, defaults, user=owner))
    return _batch(specs, owner=owner, address=address, title=name, idempotency_key=idempotency_key)


def _batch(
    specs: list[JobSpec], *, owner: User, address: str | None, title: str, idempotency_key: str | None
) -> Submission:
    try:
        batch, jobs = lifecycle.submit_batch(
            specs, owner=owner, address=address, title=title, idempotency_key=idempotency_key or None
        )
    except IntegrityError:
        earlier = _earlier(owner, idempotency_key)  # the same request, a moment faster
        if earlier is None:
            raise
        return earlier
    return Submission(jobs, batch)


def check_key(idempotency_key: str | None) -> None:
    """Raise InvalidInput for a key that is too long to be kept."""
    if idempotency_key and len(idempotency_key) > MAX_KEY_CHARS:
        problem = _("At most %(limit)s characters are possible.") % {"limit": MAX_KEY_CHARS}
        raise InvalidInput(problem, fields={"Idempotency-Key": problem})


def specs_of(raw: Mapping[str, object], *, user: User) -> list[JobSpec]:
    """Every job of a request. Takes have the seeds s, s+1, s+2 …; all texts have the same seeds."""
    wrong: dict[str, Text] = {}
    takes = _takes(raw.get("takes"), wrong)
    checked: list[JobSpec] = []
    for field, text in _texts(raw, wrong):
        try:
            checked.append(spec.validate({**raw, "text": text}, user=user))
        except InvalidInput as problem:
            wrong.update({field if name == "text" else name: said for name, said in problem.fields.items()})
    if checked and len(checked) * takes > MAX_JOBS:
        wrong["takes"] = _("One request makes at most %(limit)s jobs.") % {"limit": MAX_JOBS}
    if checked and checked[0].seed + takes - 1 > spec.MAX_SEED:
        words = {"low": 0, "high": spec.MAX_SEED - takes + 1}
        wrong["seed"] = _("This must be a whole number from %(low)s to %(high)s.") % words
    if wrong:
        raise InvalidInput(next(iter(wrong.values())), fields=wrong)
    seed = checked[0].seed
    return [replace(one, seed=seed + take) for one in checked for take in range(takes)]


def _takes(value: object, wrong: dict[str, Text]) -> int:
    if value is None or value == "":
        return 1
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_TAKES:
        words = {"low": 1, "high": MAX_TAKES}
        wrong["takes"] = _("This must be a whole number from %(low)s to %(high)s.") % words
        return 1
    return value


def _texts(raw: Mapping[str, object], wrong: dict[str, Text]) -> list[tuple[str, object]]:
    """Each text with the name of its field."""
    texts = raw.get("texts")
    if texts is None:
        return [("text", raw.get("text"))]
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_TEXTS:
        wrong["texts"] = _("This must be a list of 1 to %(limit)s texts.") % {"limit": MAX_TEXTS}
        return []
    if raw.get("text"):
        wrong["texts"] = _("Give either one text or a list of texts.")
        return []
    return [(f"texts.{index}", text) for index, text in enumerate(texts)]


def _earlier(owner: User, idempotency_key: str | None) -> Submission | None:
    first = creation.earlier(owner, idempotency_key)
    return _with_siblings(first) if first else None


def _with_siblings(job: Job) -> Submission:
    if job.batch is None:
        return Submission([job], None)
    return Submission(list(job.batch.jobs.select_related("voice").order_by("created_at", "id")), job.batch)
