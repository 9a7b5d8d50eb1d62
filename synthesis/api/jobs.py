"""Jobs: submitted, listed, followed, steered."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import get_language
from ninja import Field, HeaderEx, P, Query, QueryEx, Router, Schema, Status

from synthesis.accounts.address import address_of
from synthesis.api import visible
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.job_answer import JobAnswer, JobLine, OutputAnswer, SubmissionAnswer
from synthesis.api.job_request import ControlRequest, JobFilter, JobRequest
from synthesis.api.limits import PerUser
from synthesis.events import replay, wire
from synthesis.jobs import log as whole_log
from synthesis.jobs import steering, submission
from synthesis.models import Job, Output

router = Router(tags=["jobs"])


class JobPage(Schema):
    """Some jobs, newest first."""

    items: list[JobLine]
    next: str | None = Field(description="`cursor` of the next page; null: this is the last one.")


class EventPage(Schema):
    """Stored events in order. ``seq`` counts 1, 2, 3 … per job without gaps."""

    events: list[dict[str, Any]] = Field(
        description="Frames as the socket sends them.",
        examples=[[{"job": "k3f9m2pq7xyz", "seq": 1, "at": 1766400000.12, "status": "queued", "kind": "queued"}]],
    )
    last_seq: int = Field(description="Number of the newest event there is; ask again with `since` while it is higher.")


class OutputList(Schema):
    items: list[OutputAnswer]


@router.post(
    "",
    response=answers({202: SubmissionAnswer}, 400, 403, 413, 422, 429),
    throttle=[PerUser("jobs", 240)],
    summary="Submit a job",
    url_name="jobs",
)
def submit(
    request: ApiRequest,
    body: JobRequest,
    idempotency_key: HeaderEx[
        str, P(alias="Idempotency-Key", description="A repeated POST with the same key returns the first one's jobs.")
    ] = "",
) -> Status[SubmissionAnswer]:
    """Returns at once; follow the job at `links.socket` or ask `links.events`.

    `takes` and `texts` make several jobs in one batch; the answer's own `id` is the first one's.
    """
    done = submission.submit(
        body.model_dump(exclude_unset=True),
        owner=request.auth,
        address=address_of(request),
        idempotency_key=idempotency_key.strip() or None,
    )
    return Status(202, SubmissionAnswer.of_jobs(done.jobs, done.batch))


@router.get("", response=answers({200: JobPage}, 422), summary="List jobs", url_name="jobs")
def list_jobs(request: ApiRequest, query: Query[JobFilter]) -> JobPage:
    """Your own; administrators see everyone's."""
    rows, cursor = query.page(query.apply(Job.objects.visible_to(request.auth)))
    return JobPage(items=[JobLine.of(job) for job in rows], next=cursor)


@router.get("/{job_id}", response=answers({200: JobAnswer}, 404), summary="Everything about a job", url_name="job")
def get_job(request: ApiRequest, job_id: str) -> JobAnswer:
    return JobAnswer.of(visible.job(request.auth, job_id))


@router.get(
    "/{job_id}/events",
    response=answers({200: EventPage}, 404, 422),
    summary="Stored events of a job",
    url_name="job_events",
)
def list_events(
    request: ApiRequest,
    job_id: str,
    since: QueryEx[int, P(ge=0, le=2**31 - 1, description="Only events with a higher `seq`.")] = 0,
    limit: QueryEx[int, P(ge=1, le=replay.PAGE)] = replay.PAGE,
) -> EventPage:
    """The same frames as the socket sends, in the caller's language."""
    job = visible.job(request.auth, job_id)
    language = get_language() or "en"
    events = [wire.render(job.pk, event, language) for event in replay.after(job.pk, since, limit=limit)]
    return EventPage(events=[dict(event) for event in events], last_seq=job.last_seq)


@router.get(
    "/{job_id}/log",
    response=answers({200: str}, 404),
    summary="The whole log of a job",
    url_name="job_log",
    openapi_extra={"responses": {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}},
)
def get_log(request: ApiRequest, job_id: str) -> StreamingHttpResponse:
    """Plain text, with every line the engine printed or logged; of a burst, `events` have only some."""
    job = visible.job(request.auth, job_id)
    blocks = whole_log.blocks(job.pk, get_language() or "en")
    return StreamingHttpResponse(blocks, content_type="text/plain; charset=utf-8")


@router.post(
    "/{job_id}/control",
    response=answers({202: JobLine}, 400, 403, 404, 409, 422, 429),
    throttle=[PerUser("control", 600)],
    summary="Steer a job",
    url_name="job_control",
)
def control(request: ApiRequest, job_id: str, body: ControlRequest) -> Status[JobLine]:
    """Asks; an event tells when it is applied, and from which segment on."""
    job = visible.job(request.auth, job_id)
    job = steering.ask(job, body.command, body.value, redo=body.redo, by=request.auth, address=address_of(request))
    return Status(202, JobLine.of(job))


@router.get(
    "/{job_id}/outputs",
    response=answers({200: OutputList}, 404),
    summary="Finished audio files of a job and of its other versions",
    url_name="job_outputs",
)
def list_outputs(request: ApiRequest, job_id: str) -> OutputList:
    """The newest version first."""
    lineage = Job.objects.visible_to(request.auth).lineage(visible.job(request.auth, job_id))
    outputs = Output.objects.filter(job__in=lineage).order_by("-version", "format")
    return OutputList(items=[OutputAnswer.of(output) for output in outputs])
