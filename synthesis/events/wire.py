"""Stored events to the JSON frames of the protocol, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NotRequired, TypedDict

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from synthesis.events import verdict_text
from synthesis.events.hints import hint_for
from synthesis.events.log_text import log_text
from synthesis.models import Event, Job
from synthesis.vocabulary import Command, Level, Stage


class EventData(TypedDict):
    """An event as a bell carries it and as rows are read."""

    seq: int
    at: float
    status: str
    kind: str
    level: str
    data: Mapping[str, Any]


class Frame(TypedDict):
    """A frame about a job: what every client can rely on. See PROTOCOL for the keys of each kind."""

    job: str
    seq: int
    at: float
    status: str
    kind: str
    stage: NotRequired[str]
    level: NotRequired[str]
    step: NotRequired[int]
    total: NotRequired[int]
    progress: NotRequired[float]
    eta_s: NotRequired[float | None]
    message: NotRequired[str]
    hint: NotRequired[str]
    code: NotRequired[str]
    seed: NotRequired[int]
    position: NotRequired[int]
    segment: NotRequired[dict[str, Any]]
    chunk: NotRequired[dict[str, Any]]
    control: NotRequired[dict[str, Any]]
    redo: NotRequired[dict[str, Any]]
    replay: NotRequired[dict[str, Any]]
    output_url: NotRequired[str]
    duration_s: NotRequired[float]
    sha256: NotRequired[str]


class PortalLine(TypedDict):
    """The one-line state of a job."""

    id: str
    owner: int
    title: str
    status: str
    stage: str
    step: int
    total: int
    progress: float
    eta_s: float | None
    seed: int
    version: int
    voice: str
    voice_name: str
    created_at: float
    ended_at: float | None
    duration_s: float | None
    segments_done: int
    segments_total: int
    first_audio_url: str | None
    output_url: str | None
    error_code: str


def event_data(event: Event) -> EventData:
    return {
        "seq": event.seq,
        "at": event.at.timestamp(),
        "status": event.status,
        "kind": event.kind,
        "level": event.level,
        "data": event.data,
    }


def render(job_id: str, event: EventData, language: str) -> Frame:
    """One frame for a reader of ``language``."""
    frame: Frame = {
        "job": job_id,
        "seq": event["seq"],
        "at": round(event["at"], 3),
        "status": event["status"],
        "kind": event["kind"],
    }
    if event["level"]:
        frame["level"] = event["level"]
    with translation.override(language):
        _RENDERERS[event["kind"]](frame, event["data"])
    return frame


def portal_line(job: Job) -> PortalLine:
    """The one-line state of a job; needs ``job.voice``."""
    return {
        "id": job.pk,
        "owner": job.owner_id,
        "title": job.title,
        "status": str(job.status),
        "stage": job.stage,
        "step": job.step,
        "total": job.total,
        "progress": job.progress,
        "eta_s": job.eta_s,
        "seed": job.seed,
        "version": job.version,
        "voice": job.voice_id,
        "voice_name": job.voice.name,
        "created_at": job.created_at.timestamp(),
        "ended_at": job.ended_at.timestamp() if job.ended_at else None,
        "duration_s": job.duration_s,
        "segments_done": job.segments_done,
        "segments_total": job.segments_total,
        "first_audio_url": reverse("segment_audio", args=[job.pk, 0]) if _first_is_ready(job) else None,
        "output_url": reverse("output", args=[job.main_output]) if job.main_output else None,
        "error_code": job.error_code,
    }


def _first_is_ready(job: Job) -> bool:
    """Segments are made in order, but for one that is made again in a new version: it may be the first."""
    return job.segments_done == job.segments_total > 0 or (job.segments_done > 0 and job.version == 1)


def segment_url(job_id: str, index: int, sha256: str) -> str:
    """Where a finished segment is heard. Made again it has another address, so that no cache gives the old one."""
    return reverse("segment_audio", args=[job_id, index]) + (f"?v={sha256[:12]}" if sha256 else "")


def chunk_url(job_id: str, index: int, start: int, end: int) -> str:
    """Where these samples are heard, while the segment is made and after."""
    return reverse("segment_audio", args=[job_id, index]) + f"?from={start}&to={end}"


def _queued(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["seed"] = data["seed"]
    frame["position"] = data["position"]
    frame["eta_s"] = data["eta_s"]
    if data["position"]:
        count = data["position"]
        frame["message"] = ngettext("Waiting: %(count)s job ahead", "Waiting: %(count)s jobs ahead", count) % {
            "count": count
        }
    else:
        frame["message"] = _("Waiting for a worker")


def _started(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["message"] = _("Started on %(worker)s with the %(engine)s engine, %(segments)s segments") % data


def _progressed(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["stage"] = data["stage"]
    frame["step"] = data["step"]
    frame["total"] = data["total"]
    frame["progress"] = data["progress"]
    frame["eta_s"] = data["eta_s"]
    frame["message"] = _("Step %(step)s of %(total)s: %(stage)s") % {
        "step": data["step"],
        "total": data["total"],
        "stage": stage_label(data["stage"]),
    }


def _logged(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["level"] = data["severity"]
    if data["stage"]:
        frame["stage"] = data["stage"]
    frame["message"] = log_text(data["code"], data["values"]) if data["code"] else data["message"]
    if data["code"]:
        frame["code"] = data["code"]
        hint = hint_for(data["code"])
        if hint:
            frame["hint"] = hint


def _segment(frame: Frame, data: Mapping[str, Any]) -> None:
    url = segment_url(frame["job"], data["index"], data.get("sha256", ""))
    frame["segment"] = {**data, "audio_url": url}


def _chunk(frame: Frame, data: Mapping[str, Any]) -> None:
    url = chunk_url(frame["job"], data["index"], data["start"], data["end"])
    frame["chunk"] = {"peaks": [], **data, "audio_url": url}


def _control(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["control"] = {"redo": False, **data}
    words = {"by": data["by"], "value": _control_value(data), "segment": (data["from_segment"] or 0) + 1}
    texts = _applied_texts() if data["state"] == "applied" else _asked_texts()
    none = data["command"] == Command.INSTRUCT and not data["value"]
    frame["message"] = texts["no_instruct" if none else data["command"]] % words
    if data["state"] == "lapsed":
        frame["message"] = _("Too late, the job had ended: %(asked)s") % {"asked": frame["message"]}


def _redo(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["redo"] = dict(data)
    frame["message"] = _("%(by)s has segment %(number)s made again, with seed %(seed)s") % {
        **data,
        "number": data["index"] + 1,
    }


def _verified(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["replay"] = dict(data)
    frame["message"] = _("Compared with job %(job)s: %(verdict)s") % {
        "job": data["of"],
        "verdict": verdict_text.in_full(data),
    }


def _paused(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["message"] = _("Paused; finished segments are kept")


def _requeued(frame: Frame, data: Mapping[str, Any]) -> None:
    reasons = {
        "resumed": _("Resumed; waiting for a worker"),
        "worker_lost": _("The worker was lost; the job continues after its last finished segment"),
        "worker_stopped": _("The worker was stopped; the job continues after its last finished segment"),
    }
    frame["message"] = reasons[data["reason"]]
    if data["reason"] == "resumed":
        frame["level"] = Level.INFO.value


def _completed(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["output_url"] = reverse("output", args=[data["output"]])
    frame["seed"] = data["seed"]
    frame["duration_s"] = data["duration_s"]
    frame["sha256"] = data["sha256"]
    frame["progress"] = 1.0
    frame["message"] = _("Completed: %(duration).1f s of audio in %(compute).1f s") % {
        "duration": data["duration_s"],
        "compute": data["compute_s"],
    }


def _failed(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["stage"] = data["stage"]
    frame["code"] = data["code"]
    frame["message"] = data["message"]
    frame["hint"] = hint_for(data["code"])


def _cancelled(frame: Frame, data: Mapping[str, Any]) -> None:
    frame["message"] = _("Cancelled by %(by)s") % data


_RENDERERS: dict[str, Callable[[Frame, Mapping[str, Any]], None]] = {
    "queued": _queued,
    "started": _started,
    "progress": _progressed,
    "log": _logged,
    "segment": _segment,
    "chunk": _chunk,
    "control": _control,
    "redo": _redo,
    "verified": _verified,
    "paused": _paused,
    "requeued": _requeued,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}


def _control_value(data: Mapping[str, Any]) -> str:
    """What a command carries, as people write it."""
    if data["command"] == Command.SPEED:
        return f"{data['value']:g}"
    return str(data.get("voice_name") or data["value"])


def _asked_texts() -> dict[str, str]:
    return {
        Command.PAUSE: _("%(by)s asked to pause"),
        Command.RESUME: _("%(by)s asked to go on"),
        Command.CANCEL: _("%(by)s asked to cancel"),
        Command.SPEED: _("%(by)s asked for speed %(value)s"),
        Command.VOICE: _("%(by)s asked for the voice “%(value)s”"),
        Command.INSTRUCT: _("%(by)s asked for the instruction “%(value)s”"),
        "no_instruct": _("%(by)s asked for no instruction"),
        Command.PRIORITY: _("%(by)s asked for priority %(value)s"),
    }


def _applied_texts() -> dict[str, str]:
    """Of the commands that a fact says applied; the others are applied by the change of status itself."""
    return {
        Command.SPEED: _("Speed %(value)s from segment %(segment)s on"),
        Command.VOICE: _("Voice “%(value)s” from segment %(segment)s on"),
        Command.INSTRUCT: _("Instruction “%(value)s” from segment %(segment)s on"),
        "no_instruct": _("No instruction from segment %(segment)s on"),
        Command.PRIORITY: _("Priority %(value)s now"),
    }


_STAGE_LABELS = {
    Stage.EXTRACT: gettext_lazy("reference features"),
    Stage.ACOUSTIC: gettext_lazy("acoustic model"),
    Stage.VOCODER: gettext_lazy("waveform"),
    Stage.SAVE: gettext_lazy("saving files"),
}


def stage_label(stage: str) -> str:
    """What a stage does, in the active language."""
    return str(_STAGE_LABELS[Stage(stage)])
