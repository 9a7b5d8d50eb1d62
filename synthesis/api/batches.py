"""Batches: made from a file, watched, steered as a whole."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from ninja import Field, FileEx, Form, HeaderEx, P, Router, Schema, Status, UploadedFile

from synthesis.accounts.address import address_of
from synthesis.api import visible
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.job_answer import JobLine, SubmissionAnswer
from synthesis.api.job_request import field
from synthesis.api.limits import PerUser
from synthesis.jobs import batches, submission, upload
from synthesis.models import Batch

router = Router(tags=["batches"])

File = FileEx[
    UploadedFile,
    P(
        description=f"`.txt`: a text per line; `.csv`: a header with `text` and perhaps `voice`, `instruct`, `seed`, "
        f"`speed`, `format`, `priority`; `.srt`: a text per cue. UTF-8 or GB18030, 1 MiB, {upload.MAX_ROWS} texts."
    ),
]


class BatchForm(Schema):
    """Fields of a job, for every row that does not say otherwise."""

    prompt_audio: str = Field(default="", description="Id of a voice.")
    prompt_text: str = ""
    instruct: str = ""
    mode: str = ""
    seed: str = ""
    speed: str = ""
    priority: str = ""
    format: str = ""


class RowAnswer(Schema):
    """A text of the file."""

    line: int = Field(description="Of the file, from 1; of subtitles: the number of the cue.")
    label: str
    fields: dict[str, str]


class RowProblem(Schema):
    """What is wrong with a row."""

    row: int = Field(description="From 0.")
    line: int
    field: str
    message: str


class PreviewAnswer(Schema):
    """What a file would make."""

    kind: str = Field(examples=["csv"])
    encoding: str = Field(examples=["utf-8"])
    columns: list[str]
    ignored: list[str] = Field(description="Columns that mean nothing here.")
    rows: list[RowAnswer]
    problems: list[RowProblem] = Field(description="Empty: the file can be submitted.")


class BatchLinks(Schema):
    self: str = Field(examples=["/api/v1/batches/k3f9m2pq7xyz"])
    control: str
    download: str = Field(description="A ZIP with the main output of every completed job.")
    page: str

    @classmethod
    def of(cls, batch_id: str) -> BatchLinks:
        return cls(
            self=reverse("api:batch", args=[batch_id]),
            control=reverse("api:batch_control", args=[batch_id]),
            download=reverse("batch_download", args=[batch_id]),
            page=reverse("batch", args=[batch_id]),
        )


class BatchAnswer(Schema):
    """A batch and the state of its jobs."""

    id: str
    title: str
    owner_name: str
    created_at: float
    progress: float = Field(description="0 to 1, by length of text; 1: every job has ended.")
    counts: dict[str, int] = Field(description="Jobs by status.", examples=[{"completed": 3, "running": 1}])
    jobs: list[JobLine] = Field(description="In the order in which they were asked for.")
    links: BatchLinks

    @classmethod
    def of(cls, batch: Batch) -> BatchAnswer:
        jobs = batches.jobs_of(batch)
        counts: dict[str, int] = {}
        for job in jobs:
            counts[job.status] = counts.get(job.status, 0) + 1
        return cls(
            id=batch.pk,
            title=batch.title,
            owner_name=batch.owner.get_username(),
            created_at=batch.created_at.timestamp(),
            progress=round(batches.progress_of(jobs), 4),
            counts=counts,
            jobs=[JobLine.of(job) for job in jobs],
            links=BatchLinks.of(batch.pk),
        )


class BatchControl(Schema):
    """A command to all jobs of a batch."""

    command: Any = field("string", "What to do.", enum=[*batches.COMMANDS], examples=["cancel"])
    value: Any = Field(default=None, description="`priority`: a whole number.", examples=[5])


class BatchControlAnswer(Schema):
    taken: int = Field(description="Jobs that took the command.")
    refused: int = Field(description="Jobs that could not: they have ended, or are in that state already.")


@router.post(
    "",
    response=answers({202: SubmissionAnswer}, 400, 403, 413, 422, 429),
    throttle=[PerUser("jobs", 240)],
    summary="Submit a file of texts",
    url_name="batches",
)
def submit(
    request: ApiRequest,
    file: File,
    form: Form[BatchForm],
    idempotency_key: HeaderEx[
        str, P(alias="Idempotency-Key", description="A repeated POST with the same key returns the first one's jobs.")
    ] = "",
) -> Status[SubmissionAnswer]:
    """A job for every text, all or none; a wrong row is named as `rows.3.speed`."""
    done = submission.submit_file(
        _content(file),
        file.name or "",
        form.model_dump(),
        owner=request.auth,
        address=address_of(request),
        idempotency_key=idempotency_key.strip() or None,
    )
    return Status(202, SubmissionAnswer.of_jobs(done.jobs, done.batch))


@router.post(
    "/preview",
    response=answers({200: PreviewAnswer}, 400, 403, 413, 422, 429),
    throttle=[PerUser("preview", 120)],
    summary="What a file of texts would make",
    url_name="batch_preview",
)
def preview(request: ApiRequest, file: File, form: Form[BatchForm]) -> PreviewAnswer:
    """The same check as on submission; stores nothing."""
    checked = upload.check(_content(file), file.name or "", form.model_dump(), user=request.auth)
    sheet = checked.sheet
    return PreviewAnswer(
        kind=sheet.kind,
        encoding=sheet.encoding,
        columns=sheet.columns,
        ignored=sheet.ignored,
        rows=[RowAnswer(line=row.line, label=row.label, fields=row.fields) for row in sheet.rows],
        problems=[
            RowProblem(row=one.row, line=one.line, field=one.field, message=str(one.said)) for one in checked.problems
        ],
    )


@router.get("/{batch_id}", response=answers({200: BatchAnswer}, 404), summary="A batch and its jobs", url_name="batch")
def get_batch(request: ApiRequest, batch_id: str) -> BatchAnswer:
    return BatchAnswer.of(visible.batch(request.auth, batch_id))


@router.post(
    "/{batch_id}/control",
    response=answers({202: BatchControlAnswer}, 400, 403, 404, 422, 429),
    throttle=[PerUser("control", 600)],
    summary="Steer all jobs of a batch",
    url_name="batch_control",
)
def control(request: ApiRequest, batch_id: str, body: BatchControl) -> Status[BatchControlAnswer]:
    """Each job by its own rules; the answer tells how many took it."""
    batch = visible.batch(request.auth, batch_id)
    done = batches.control(batch, body.command, body.value, by=request.auth, address=address_of(request))
    return Status(202, BatchControlAnswer(taken=done.taken, refused=done.refused))


def _content(file: UploadedFile) -> bytes:
    """One byte more than is allowed tells that it is too large."""
    content: bytes = file.read(upload.MAX_FILE_BYTES + 1)
    return content
