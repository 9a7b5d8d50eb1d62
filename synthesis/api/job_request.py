"""What a caller may send about jobs. The schemas describe; ``jobs/spec.py`` checks, and says better what is wrong."""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from ninja import Field, Schema

from synthesis.errors import InvalidInput
from synthesis.jobs import spec, submission
from synthesis.models import Job
from synthesis.models.job import JobQuerySet
from synthesis.vocabulary import AudioFormat, Command, Mode, Status


def field(kind: str, about: str, **more: Any) -> Any:
    """A field of any type: the document says what it should be, the domain says what is wrong with it."""
    return Field(default=None, description=about, json_schema_extra={"type": kind, **more})


class JobRequest(Schema):
    """A text (or several) to speak."""

    text: Any = field(
        "string",
        "What is spoken.",
        minLength=1,
        maxLength=spec.MAX_TEXT_CHARS,
        examples=["你好，欢迎使用。Hello there."],
    )
    texts: Any = field(
        "array",
        "Instead of `text`: a job for each, in one batch.",
        items={"type": "string", "maxLength": spec.MAX_TEXT_CHARS},
        minItems=1,
        maxItems=submission.MAX_TEXTS,
    )
    takes: Any = field(
        "integer",
        "The same text several times, with the seeds s, s+1, s+2 …; makes a batch.",
        minimum=1,
        maximum=submission.MAX_TAKES,
        default=1,
    )
    prompt_audio: Any = field("string", "Id of a voice; without it the default voice speaks.")
    prompt_text: Any = field(
        "string",
        "What is said in the voice's recording; default: the voice's transcript.",
        maxLength=spec.MAX_PROMPT_TEXT_CHARS,
    )
    instruct: Any = field(
        "string", "How it should be said.", maxLength=spec.MAX_INSTRUCT_CHARS, examples=["speak gently"]
    )
    mode: Any = field("string", "Default: `instruct` with an instruction, else `zero_shot`.", enum=[*Mode])
    seed: Any = field(
        "integer",
        "Same request, same seed, same samples. Without it one is drawn and told.",
        minimum=0,
        maximum=spec.MAX_SEED,
        examples=[1986],
    )
    speed: Any = field("number", "2.0 is twice as fast.", minimum=spec.MIN_SPEED, maximum=spec.MAX_SPEED, default=1.0)
    priority: Any = field(
        "integer",
        "Among your own jobs, higher is taken first.",
        minimum=spec.MIN_PRIORITY,
        maximum=spec.MAX_PRIORITY,
        default=0,
    )
    format: Any = field("string", "Of the main output.", enum=[*AudioFormat], default=AudioFormat.WAV)


class ControlRequest(Schema):
    """A command to a job."""

    command: Any = field("string", "What to do.", enum=[*Command], examples=["speed"])
    value: Any = Field(
        default=None,
        description="`speed`: a number; `voice`: a voice's id; `instruct`: a text; `priority`: a whole number.",
        examples=[1.2],
    )
    redo: Any = field(
        "boolean",
        "With `speed`, `voice` or `instruct`: drop the segment that is being made and make it again with the change.",
        default=False,
    )


class JobFilter(Schema):
    """Which jobs, newest first."""

    status: list[Status] = Field(default=[], description="One or more; repeat the parameter.")
    q: str = Field(default="", max_length=200, description="The text contains this.")
    voice: str = Field(default="", max_length=16, description="Id of a voice.")
    owner: str = Field(default="", max_length=150, description="A user's name; for administrators.")
    seed: int | None = Field(default=None, ge=0, le=spec.MAX_SEED)
    batch: str = Field(default="", max_length=16, description="Id of a batch.")
    since: datetime.datetime | None = Field(default=None, description="Created at or after: ISO 8601 or Unix seconds.")
    until: datetime.datetime | None = Field(default=None, description="Created before.")
    limit: int = Field(default=25, ge=1, le=100)
    cursor: str = Field(default="", max_length=100, description="`next` of the previous page.")

    def apply(self, jobs: JobQuerySet) -> JobQuerySet:
        """The jobs that are meant, the cursor aside."""
        wanted = {
            "status__in": self.status,
            "text__icontains": self.q.replace("\0", ""),
            "voice_id": self.voice.replace("\0", ""),
            "owner__username": self.owner.replace("\0", ""),
            "seed": self.seed,
            "batch_id": self.batch.replace("\0", ""),
            "created_at__gte": _aware(self.since),
            "created_at__lt": _aware(self.until),
        }
        return jobs.filter(**{name: value for name, value in wanted.items() if value not in (None, "", [])})

    def page(self, jobs: JobQuerySet) -> tuple[list[Job], str | None]:
        """One page and the cursor of the next, without counting and without skipping rows."""
        if self.cursor:
            at, pk = _decode(self.cursor)
            # The first condition is implied by the second; it lets the database begin in the middle of the index.
            jobs = jobs.filter(created_at__lte=at).filter(Q(created_at__lt=at) | Q(pk__lt=pk))
        newest = jobs.order_by("-created_at", "-id")
        # Ids first: a search reads many rows, and only those of this page are needed whole.
        ids = list(newest.values_list("pk", flat=True)[: self.limit + 1])
        rows = list(Job.objects.filter(pk__in=ids[: self.limit]).order_by("-created_at", "-id").lines())
        return rows, _encode(rows[-1]) if len(ids) > self.limit else None


def _encode(job: Job) -> str:
    words = json.dumps([job.created_at.isoformat(), job.pk]).encode()
    return base64.urlsafe_b64encode(words).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime.datetime, str]:
    try:
        at, pk = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        moment = datetime.datetime.fromisoformat(at)
    except (ValueError, TypeError, binascii.Error):
        moment, pk = datetime.datetime.now(), ""  # noqa: DTZ005 naive on purpose: refused below
    if moment.tzinfo is None or not isinstance(pk, str) or not pk.isalnum():
        problem = _("This is no cursor of a page before.")
        raise InvalidInput(problem, fields={"cursor": problem})
    return moment, pk


def _aware(moment: datetime.datetime | None) -> datetime.datetime | None:
    """A time without a zone means UTC."""
    return moment.replace(tzinfo=datetime.UTC) if moment and moment.tzinfo is None else moment
