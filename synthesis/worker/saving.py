"""What is made, to files and rows: each segment, and at the end the outputs and the completed job."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from synthesis.audio import encode, peaks, wav
from synthesis.engines.base import Engine, Report, Samples, ShouldStop, Stopped
from synthesis.events import facts
from synthesis.jobs import lifecycle, recipe, replay
from synthesis.jobs.lifecycle import Claim, LeaseLost
from synthesis.models import Job, Output, Segment
from synthesis.outputs import store
from synthesis.text.duration import estimate_duration_s, odd_length
from synthesis.vocabulary import AudioFormat, Level, Stage
from synthesis.worker.journal import Journal


def keep_segment(
    claim: Claim,
    job: Job,
    segment: Segment,
    samples: Samples,
    sample_rate_hz: int,
    compute_s: float,
    journal: Journal,
) -> None:
    """Store and announce one segment. Raises LeaseLost, and then leaves no file behind."""
    path = store.segment_path(claim.job_id, segment.index, claim.attempt)
    with store.writing(path) as temporary:
        wav.write_wav(temporary, samples, sample_rate_hz)
    finished = _finished(job, segment, samples, sample_rate_hz, compute_s, store.sha256(path))
    _log(finished, segment.speed, journal)
    try:
        with transaction.atomic():
            Segment.objects.filter(pk=segment.pk).update(
                audio_path=path,
                sha256=finished.sha256,
                duration_s=finished.duration_s,
                compute_s=compute_s,
                peaks=finished.peaks,
                finished_at=timezone.now(),
            )
            # Last, and in the same transaction: if the lease is lost, the row above is taken back too.
            job.compute_s += compute_s
            done = job.segments.exclude(audio_path="").count()  # one made again may lie before others
            # A job that moves on is no poison, however many workers it saw die: the count begins anew.
            journal.flush(finished, segments_done=done, compute_s=job.compute_s, deaths=0)
    except LeaseLost:
        store.remove(path)
        raise


def _finished(
    job: Job, segment: Segment, samples: Samples, sample_rate_hz: int, compute_s: float, sha256: str
) -> facts.SegmentFinished:
    duration_s = round(len(samples) / sample_rate_hz, 3)
    return facts.SegmentFinished(
        index=segment.index,
        total=job.segments_total,
        text=segment.text,
        duration_s=duration_s,
        compute_s=round(compute_s, 3),
        peaks=peaks.of_speech(samples, sample_rate_hz),
        sha256=sha256,
        odd=odd_length(segment.text, duration_s, speed=segment.speed),
    )


def _log(finished: facts.SegmentFinished, speed: float, journal: Journal) -> None:
    values: dict[str, Any] = {"number": finished.index + 1, "duration": finished.duration_s}
    journal.log(Level.INFO, code="segment_finished", compute=round(finished.compute_s, 2), **values)
    if finished.odd:
        expected = round(estimate_duration_s(finished.text, speed=speed), 1)
        journal.log(Level.WARNING, code=finished.odd, expected=expected, **values)


def save(claim: Claim, job: Job, engine: Engine, journal: Journal, report: Report, should_stop: ShouldStop) -> None:
    """Join the segments, write every format with the recipe inside, complete the job.

    Raises Stopped, CancelAsked, LeaseLost, OSError, and then leaves no file behind.
    """

    def check() -> None:
        if should_stop():
            raise Stopped

    segments = list(job.segments.select_related("voice"))
    fingerprint = dataclasses.asdict(engine.fingerprint())
    made = {**recipe.build(job, segments), "engine": fingerprint}
    base = f"output_{timezone.now():%Y%m%d_%H%M%S}_{job.pk}"
    tags = _tags(job, made)
    outputs: list[Output] = []
    try:
        with store.scratch() as directory:
            joined = directory / "joined.wav"
            pause = round(recipe.PAUSE_BETWEEN_SEGMENTS_S * engine.sample_rate_hz)
            pieces = [store.open_path(segment.audio_path) for segment in segments]
            duration_s = wav.join_wavs(pieces, joined, pauses=pause, check=check) / engine.sample_rate_hz
            for number, audio_format in enumerate(AudioFormat):
                name = f"{base}.{audio_format}"
                path = store.output_path(job.pk, name)
                with store.writing(path) as temporary:
                    encode.encode(joined, temporary, audio_format, tags, check)
                outputs.append(_output(job, audio_format, name, path, duration_s))
                check()
                journal.log(Level.INFO, code="output_written", name=name, size=outputs[-1].size_bytes // 1024)
                report(Stage.SAVE, number + 1, len(AudioFormat))
        _complete(claim, job, outputs, made, fingerprint, journal, segments)
    except BaseException:
        # Whatever stopped us (no space left, a lost lease, a signal): files without a row are nobody's.
        for output in outputs:
            store.remove(output.path)
        raise


def _complete(
    claim: Claim,
    job: Job,
    outputs: list[Output],
    made: dict[str, Any],
    fingerprint: dict[str, object],
    journal: Journal,
    segments: list[Segment],
) -> None:
    main = next(output for output in outputs if output.format == job.format)
    compute_s = round(sum(segment.compute_s or 0.0 for segment in segments), 3)
    fact = facts.Completed(
        output=main.name, seed=job.seed, duration_s=main.duration_s, compute_s=compute_s, sha256=main.sha256
    )
    verdict = replay.judge(job, made, segments)
    journal.catch_up()
    journal.flush()
    with transaction.atomic():
        Output.objects.bulk_create(outputs)
        if verdict is not None:
            kind = facts.Verified if verdict["identical"] else facts.Deviated
            journal.flush(kind(of=job.replay_of_id or "", **verdict))
        lifecycle.complete(
            claim,
            fact,
            recipe=made,
            verdict=verdict,
            fingerprint=fingerprint,
            main_output=main.name,
            duration_s=main.duration_s,
            compute_s=compute_s,
            stage=Stage.SAVE,
        )


def _output(job: Job, audio_format: AudioFormat, name: str, path: str, duration_s: float) -> Output:
    return Output(
        job=job,
        version=job.version,
        format=audio_format,
        name=name,
        path=path,
        sha256=store.sha256(path),
        size_bytes=store.open_path(path).stat().st_size,
        duration_s=round(duration_s, 3),
    )


def _tags(job: Job, made: dict[str, Any]) -> dict[str, str]:
    """What the file says of itself; laws on synthetic media ask for an implicit label in the metadata."""
    return {
        "title": job.title,
        "artist": job.voice.name,
        "encoder": f"cosyweb {settings.VERSION}",
        "comment": json.dumps({"synthetic": True, "job": job.pk, "recipe": made}, ensure_ascii=False, sort_keys=True),
    }
