"""Jobs made again: a whole one from its recipe, or one segment of it."""

from __future__ import annotations

from typing import Any

from ninja import Field, HeaderEx, P, Router, Schema, Status

from synthesis.accounts.address import address_of
from synthesis.api import visible
from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.job_answer import JobTicket, SubmissionAnswer
from synthesis.api.job_request import field
from synthesis.api.limits import PerUser
from synthesis.jobs import redo, replay, spec
from synthesis.jobs.redo import Redo

router = Router(tags=["jobs"])
LIMIT = PerUser("jobs", 240)
"""One with submitting: each makes a job."""


class ReplayRequest(Schema):
    verify: bool = Field(default=True, description="Compare the samples at the end and tell in `replay`.")


class RedoRequest(Schema):
    """What is to be different; everything else stays as it was."""

    seed: Any = field(
        "integer",
        "As a job's seed: the same one, the same samples. Without it the next one (s+1, s+2 …) is taken and told.",
        minimum=0,
        maximum=spec.MAX_SEED,
    )
    text: Any = field(
        "string",
        "What is spoken in this place. Other segments and the job's own text stay.",
        minLength=1,
        maxLength=spec.MAX_SEGMENT_CHARS,
    )
    speed: Any = field("number", "2.0 is twice as fast.", minimum=spec.MIN_SPEED, maximum=spec.MAX_SPEED)
    instruct: Any = field("string", "How it should be said.", maxLength=spec.MAX_INSTRUCT_CHARS)
    prompt_audio: Any = field("string", "Id of a voice.")


class RedoneSegment(Schema):
    """How the segment will be made."""

    index: int
    seed: int = Field(description="The one asked for, or the next one.", examples=[1987])
    text: str
    speed: float
    instruct: str
    voice: str


class RedoAnswer(JobTicket):
    """The job in which the segment is made again: a new version, or the paused job itself."""

    version: int
    segment: RedoneSegment

    @classmethod
    def of_redo(cls, done: Redo) -> RedoAnswer:
        made = {name: getattr(done.fact, name) for name in RedoneSegment.model_fields}
        return cls(**dict(JobTicket.of(done.job)), version=done.job.version, segment=RedoneSegment(**made))


@router.post(
    "/{job_id}/replay",
    response=answers({202: SubmissionAnswer}, 400, 403, 404, 409, 422, 429),
    throttle=[LIMIT],
    summary="Run a job again from its recipe",
    url_name="job_replay",
)
def replay_job(
    request: ApiRequest,
    job_id: str,
    body: ReplayRequest,
    idempotency_key: HeaderEx[
        str, P(alias="Idempotency-Key", description="A repeated POST with the same key returns the first one's job.")
    ] = "",
) -> Status[SubmissionAnswer]:
    """Only of jobs that have ended. The new job's `replay` has the verdict when it is done."""
    job = visible.job(request.auth, job_id)
    again = replay.start(
        job,
        by=request.auth,
        address=address_of(request),
        verify=body.verify,
        idempotency_key=idempotency_key.strip() or None,
    )
    return Status(202, SubmissionAnswer.of_jobs([again], None))


@router.post(
    "/{job_id}/segments/{index}/redo",
    response=answers({202: RedoAnswer}, 400, 403, 404, 409, 422, 429),
    throttle=[LIMIT],
    summary="Make one segment again",
    url_name="segment_redo",
)
def redo_segment(request: ApiRequest, job_id: str, index: int, body: RedoRequest) -> Status[RedoAnswer]:
    """Of a completed job: a new job, its next version, takes over all other segments. Of a paused job: in place."""
    job = visible.job(request.auth, job_id)
    raw = body.model_dump(exclude_unset=True)
    done = redo.ask(job, index, raw, by=request.auth, address=address_of(request))
    return Status(202, RedoAnswer.of_redo(done))
