"""Jobs as the API tells them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from ninja import Field, Schema

from synthesis.events import wire
from synthesis.events.hints import hint_for
from synthesis.models import Batch, Control, Job, Output, Segment
from synthesis.vocabulary import Mode, Stage, Status


class Links(Schema):
    """Where the rest of a job is."""

    self: str = Field(examples=["/api/v1/jobs/k3f9m2pq7xyz"])
    events: str = Field(description="Stored events; `?since=<seq>`.")
    log: str = Field(description="Everything its engine said, as text.")
    outputs: str
    control: str = Field(description="POST a command.")
    page: str = Field(description="For people.")
    socket: str = Field(description="WebSocket; subscribe with the job's id.", examples=["/ws/"])

    @classmethod
    def of(cls, job_id: str) -> Links:
        return cls(
            self=reverse("api:job", args=[job_id]),
            events=reverse("api:job_events", args=[job_id]),
            log=reverse("api:job_log", args=[job_id]),
            outputs=reverse("api:job_outputs", args=[job_id]),
            control=reverse("api:job_control", args=[job_id]),
            page=reverse("job", args=[job_id]),
            socket="/ws/",
        )


class JobTicket(Schema):
    """A job that was taken in."""

    id: str = Field(examples=["k3f9m2pq7xyz"])
    status: Status
    seed: int = Field(description="The one asked for, or the one that was drawn.", examples=[1986])
    links: Links

    @classmethod
    def of(cls, job: Job) -> JobTicket:
        return cls(id=job.pk, status=Status(job.status), seed=job.seed, links=Links.of(job.pk))


class SubmissionAnswer(JobTicket):
    """The first job of a request, and all of them."""

    batch: str | None = Field(description="Id of the batch, if the request made several jobs.")
    jobs: list[JobTicket]

    @classmethod
    def of_jobs(cls, jobs: list[Job], batch: Batch | None) -> SubmissionAnswer:
        tickets = [JobTicket.of(job) for job in jobs]
        return cls(**dict(tickets[0]), batch=batch.pk if batch else None, jobs=tickets)


class JobLine(Schema):
    """The one-line state of a job: the same keys as in the socket's ``portal`` scope, and a little more."""

    id: str
    owner: int
    owner_name: str
    batch: str | None
    title: str = Field(description="The first words of the text.")
    status: Status
    stage: Stage | str = Field(description="What the worker is doing; empty before it starts.")
    step: int
    total: int
    progress: float = Field(description="0 to 1; reaches 1 only with `completed`.")
    eta_s: float | None = Field(description="About how long it will still take; null: nobody knows.")
    seed: int
    version: int = Field(description="1, and one more for each time a segment was made again.")
    voice: str
    voice_name: str
    created_at: float = Field(description="Unix seconds, as all times.")
    ended_at: float | None
    duration_s: float | None = Field(description="Of the audio.")
    segments_done: int
    segments_total: int
    first_audio_url: str | None
    output_url: str | None
    error_code: str
    links: Links

    @classmethod
    def of(cls, job: Job) -> JobLine:
        return cls(**_line(job))


class SegmentAnswer(Schema):
    """A piece of the text, spoken on its own."""

    index: int
    text: str
    language: str
    start: int = Field(description="Offsets into the job's text, in characters.")
    end: int
    seed: int
    speed: float
    instruct: str
    voice: str | None
    duration_s: float | None = Field(description="null: not finished yet.")
    compute_s: float | None
    sha256: str
    audio_url: str | None
    peaks: list[Any]
    odd: str | None = Field(
        description="`segment_short`, `segment_long`: it does not fit its text; words may be missing or repeated."
    )

    @classmethod
    def of(cls, segment: Segment) -> SegmentAnswer:
        url = wire.segment_url(segment.job_id, segment.index, segment.sha256) if segment.audio_path else None
        return cls(
            index=segment.index,
            text=segment.text,
            language=segment.language,
            start=segment.start,
            end=segment.end,
            seed=segment.seed,
            speed=segment.speed,
            instruct=segment.instruct,
            voice=segment.voice_id,
            duration_s=segment.duration_s,
            compute_s=segment.compute_s,
            sha256=segment.sha256,
            audio_url=url,
            peaks=segment.peaks,
            odd=segment.odd,
        )


class OutputAnswer(Schema):
    """A stored audio file."""

    job: str = Field(description="The job that made it: each version of a job is one of its own.")
    name: str = Field(examples=["output_20241217_143052_k3f9.wav"])
    url: str = Field(description="`Range` and `HEAD` work.")
    download_url: str = Field(description="The same as an attachment.")
    format: str
    version: int
    duration_s: float
    size_bytes: int
    sha256: str
    created_at: float

    @classmethod
    def of(cls, output: Output) -> OutputAnswer:
        url = reverse("output", args=[output.name])
        return cls(
            job=output.job_id,
            name=output.name,
            url=url,
            download_url=f"{url}?download",
            format=output.format,
            version=output.version,
            duration_s=output.duration_s,
            size_bytes=output.size_bytes,
            sha256=output.sha256,
            created_at=output.created_at.timestamp(),
        )


class SteeringAnswer(Schema):
    """What somebody asked of the job, and whether it was done yet."""

    command: str
    value: Any
    redo: bool = Field(description="Also for the segment that was being made.")
    state: str = Field(description="`lapsed`: the job ended first.", examples=["asked", "applied", "lapsed"])
    by: str
    asked_at: float
    applied_at: float | None
    from_segment: int | None

    @classmethod
    def of(cls, control: Control) -> SteeringAnswer:
        return cls(
            command=control.command,
            value=control.value,
            redo=control.redo,
            state=control.state,
            by=control.by,
            asked_at=control.asked_at.timestamp(),
            applied_at=control.applied_at.timestamp() if control.applied_at else None,
            from_segment=control.from_segment,
        )


class FailureAnswer(Schema):
    """Why a job failed."""

    code: str
    stage: str
    message: str = Field(description="The engine's own words.")
    hint: str = Field(description="What can be done, in the caller's language.")


class ChangeAnswer(Schema):
    """Something that is not as it was: a possible reason of a difference."""

    what: str = Field(
        description="`engine`, `engine_version`, `weights`, `device`, `precision`, `libraries.<name>`, `voice_file`, "
        "`voice_gone`, `segment_count`, `pause_s`, `mode`, `text`, `language`, `seed`, `speed` or `instruct`.",
        examples=["engine_version"],
    )
    before: Any
    after: Any


class ReplayAnswer(Schema):
    """What came of comparing a replay with the job it replays."""

    identical: bool | None = Field(description="Every sample is the same; null: nobody can tell (yet).")
    pending: bool = Field(description="It is still being made.")
    segment: int | None = Field(description="Index of the first segment that differs.")
    compared: int | None = Field(description="Segments whose samples were known before.")
    changed: list[ChangeAnswer]

    @classmethod
    def of(cls, job: Job) -> ReplayAnswer | None:
        if job.verdict is None:
            return None
        unknown: dict[str, Any] = {"identical": None, "segment": None, "compared": None, "changed": []}
        pending = "pending" in job.verdict and not job.has_ended
        return cls(**{**unknown, **job.verdict, "pending": pending})


class JobAnswer(JobLine):
    """Everything about a job."""

    text: str
    prompt_text: str
    instruct: str
    mode: Mode
    speed: float
    priority: int
    format: str
    started_at: float | None
    compute_s: float
    attempt: int = Field(description="Grows when the job is resumed or its worker is lost.")
    last_seq: int = Field(description="Number of the newest event.")
    segments: list[SegmentAnswer]
    outputs: list[OutputAnswer]
    steering: list[SteeringAnswer]
    recipe: dict[str, Any] = Field(description="All that decides the samples, engine aside; empty until it has ended.")
    fingerprint: dict[str, Any] = Field(description="Engine, weights and device that made it.")
    error: FailureAnswer | None
    revision_of: str | None = Field(description="The first version, if this is a later one.")
    replay_of: str | None = Field(description="The job that this one replays.")
    replay: ReplayAnswer | None = Field(description="The verdict, of a replay that is compared.")

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        """Takes three queries."""
        return cls(
            **_line(job),
            text=job.text,
            prompt_text=job.prompt_text,
            instruct=job.instruct,
            mode=Mode(job.mode),
            speed=job.speed,
            priority=job.priority,
            format=job.format,
            started_at=job.started_at.timestamp() if job.started_at else None,
            compute_s=job.compute_s,
            attempt=job.attempt,
            last_seq=job.last_seq,
            segments=[SegmentAnswer.of(row) for row in job.segments.order_by("index")],
            outputs=[OutputAnswer.of(row) for row in job.outputs.order_by("-version", "format")],
            steering=[SteeringAnswer.of(row) for row in job.controls.select_related("asked_by").order_by("id")],
            recipe=job.recipe,
            fingerprint=job.fingerprint,
            error=_failure(job),
            revision_of=job.revision_of_id,
            replay_of=job.replay_of_id,
            replay=ReplayAnswer.of(job),
        )


def _line(job: Job) -> dict[str, Any]:
    own = {"owner_name": job.owner.get_username(), "batch": job.batch_id, "links": Links.of(job.pk)}
    return {**wire.portal_line(job), **own}


def _failure(job: Job) -> FailureAnswer | None:
    if not job.error_code:
        return None
    return FailureAnswer(
        code=job.error_code, stage=job.error_stage, message=job.error_message, hint=hint_for(job.error_code)
    )
