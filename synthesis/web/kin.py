"""The jobs that a job belongs to: its other versions, the one it replays, those that replay it."""

from __future__ import annotations

from typing import Any

from synthesis.events import verdict_text
from synthesis.jobs import spec
from synthesis.models import Job, User

REPLAYS = 5
"""Of one job that its page names; the newest."""


def context(job: Job, user: User) -> dict[str, Any]:
    """What the page of a job says about them. Takes two queries, and one more if the job is a replay."""
    visible = Job.objects.visible_to(user)
    versions = list(visible.lineage(job).order_by("version").values("pk", "version", "status"))
    replays = visible.filter(replay_of=job).order_by("-created_at", "-id")[:REPLAYS]
    return {
        "versions": versions if len(versions) > 1 else [],
        "newest": versions[-1]["pk"] if versions else job.pk,
        "replays": [{"pk": replay.pk, "verdict": verdict(replay)} for replay in replays],
        "verdict": verdict(job),
        "original": visible.filter(pk=job.replay_of_id).first() if job.replay_of_id else None,
        "max_segment_chars": spec.MAX_SEGMENT_CHARS,
    }


def verdict(job: Job) -> dict[str, Any] | None:
    """The verdict on a replay as pages show it; None for other jobs and for replays that are not compared."""
    if job.verdict is None:
        return None
    if "pending" in job.verdict:
        return {"state": "unknown" if job.has_ended else "pending"}
    return {
        "state": "identical" if job.verdict["identical"] else "differs",
        "headline": verdict_text.headline(job.verdict),
        "changes": verdict_text.changes(job.verdict),
        "compared": job.verdict["compared"],
        "total": job.segments_total,
    }
