"""One job, from its claim to its end: the only place where an engine meets the database."""

from __future__ import annotations

import errno
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from synthesis.audio import peaks, wav
from synthesis.engines.base import Engine, EngineError, ReferenceVoice, SegmentRequest, ShouldStop, Stopped
from synthesis.events import facts
from synthesis.jobs import estimate, lifecycle, steering
from synthesis.jobs.lifecycle import Claim, LeaseLost
from synthesis.models import Control, Job, Segment, Voice
from synthesis.outputs import store
from synthesis.vocabulary import Command, Level, Mode, Stage
from synthesis.worker import saving
from synthesis.worker.journal import EngineLog, Journal
from synthesis.worker.progress import ProgressMeter
from synthesis.worker.watchdog import Watchdog

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.15
"""How often the database is asked whether somebody cancelled."""
PEAKS_PER_S = 40
ENGINE_LOGGERS = "synthesis.engines"


class Left(Exception):
    """The job was let go in good order between two segments."""


class VoiceFileMissing(EngineError):
    code = "voice_file_missing"


class Performance:
    """Runs the job of one claim with a loaded engine. Made for each job anew: nothing is shared between jobs."""

    def __init__(self, claim: Claim, engine: Engine, shutting_down: ShouldStop) -> None:
        self._claim = claim
        self._engine = engine
        self._shutting_down = shutting_down
        self._journal = Journal(claim)
        self._job = Job.objects.select_related("voice", "owner").get(pk=claim.job_id)
        self._meter = self._new_meter()
        self._watchdog = Watchdog(settings.STALL_S)
        self._looked_at = 0.0
        self._reported_at = 0.0
        self._index = 0
        self._voice_ready = ""
        self._ready_features: Any = None

    def run(self) -> None:
        """Work until the job ends or has to be let go; raises nothing that concerns only this job."""
        handler = EngineLog(self._journal)
        engine_log = logging.getLogger(ENGINE_LOGGERS)
        engine_log.addHandler(handler)
        self._watchdog.moved()
        try:
            self._guard(self._work)
        except LeaseLost:
            logger.warning("Job %s went to another worker; what was under way here is void.", self._claim.job_id)
        except (OperationalError, InterfaceError):
            # The database is away, which is no fault of the job: when the lease has run out, it is taken up again.
            logger.exception("Job %s is let go: the database does not answer.", self._claim.job_id)
        except Left:
            logger.info("Job %s is paused.", self._claim.job_id)
        finally:
            self._watchdog.rest()
            engine_log.removeHandler(handler)

    def _guard(self, work: Callable[[], None]) -> None:
        """Turn every way a job can end early into its stored end."""
        try:
            work()
        except Stopped:
            self._let_go()
        except (LeaseLost, Left, OperationalError, InterfaceError):
            raise
        except EngineError as problem:
            self._fail(problem.code, str(problem))
        except MemoryError as problem:
            self._fail("out_of_memory", str(problem) or "MemoryError")
        except OSError as problem:
            self._fail("storage_full" if problem.errno == errno.ENOSPC else "engine_error", str(problem))
        except Exception as problem:  # noqa: BLE001 an engine may raise anything; the job fails, the worker lives on
            self._fail("engine_error", f"{type(problem).__name__}: {problem}")

    def _work(self) -> None:
        segments = list(self._job.segments.all())
        todo = [segment for segment in segments if not segment.audio_path]
        self._begin(len(segments), len(segments) - len(todo))
        for segment in todo:
            self._index = segment.index
            self._stop_if_asked()
            self._apply_controls()
            segment.refresh_from_db()
            self._speak(segment)
        self._stop_if_asked()
        self._report(Stage.SAVE, 0, 1)
        saving.save(self._claim, self._job, self._engine, self._journal, self._report)

    def _begin(self, segments: int, kept: int) -> None:
        fact = facts.Started(
            worker=self._claim.worker, engine=self._engine.name, attempt=self._claim.attempt, segments=segments
        )
        self._journal.flush(fact)
        for finding in self._job.voice.findings:
            self._journal.log(Level.WARNING, code=f"reference_{finding['code']}", **finding["values"])
        if kept:
            self._journal.log(Level.INFO, code="segment_kept", count=kept)
        self._journal.progress(self._meter.fact(Stage.EXTRACT, 0, 0, 1), at_once=True)

    def _speak(self, segment: Segment) -> None:
        """Make, store and announce one segment."""
        self._journal.log(
            Level.INFO,
            code="segment_started",
            number=segment.index + 1,
            total=self._job.segments_total,
            text=segment.text[:60],
        )
        began = time.monotonic()
        voice = segment.voice or self._job.voice
        features = self._features(voice)
        self._report(Stage.ACOUSTIC, 0, 1)
        request = SegmentRequest(
            text=segment.text,
            language=segment.language,
            features=features,
            seed=segment.seed,
            instruct=segment.instruct,
            speed=segment.speed,
            mode=Mode(self._job.mode),
        )
        chunks = [chunk.samples for chunk in self._engine.synthesize(request, self._report, self._should_stop)]
        samples = np.concatenate(chunks)
        self._store(segment, samples, time.monotonic() - began)

    def _features(self, voice: Voice) -> Any:
        """Reference features, once a voice."""
        if voice.pk != self._voice_ready:
            began = time.monotonic()
            self._ready_features = self._engine.prepare(_reference(voice), self._report, self._should_stop)
            self._voice_ready = voice.pk
            self._journal.log(
                Level.INFO, code="reference_ready", voice=voice.name, seconds=round(time.monotonic() - began, 2)
            )
        return self._ready_features

    def _store(self, segment: Segment, samples: np.ndarray[tuple[int], np.dtype[np.float32]], compute_s: float) -> None:
        rate = self._engine.sample_rate_hz
        path = store.segment_path(self._claim.job_id, segment.index, self._claim.attempt)
        with store.writing(path) as temporary:
            wav.write_wav(temporary, samples, rate)
        duration_s = round(len(samples) / rate, 3)
        heights = peaks.peaks(samples, max(8, round(duration_s * PEAKS_PER_S)))
        finished = facts.SegmentFinished(
            index=segment.index,
            total=self._job.segments_total,
            text=segment.text,
            duration_s=duration_s,
            compute_s=round(compute_s, 3),
            peaks=heights,
        )
        self._journal.log(
            Level.INFO,
            code="segment_finished",
            number=segment.index + 1,
            duration=duration_s,
            compute=round(compute_s, 2),
        )
        try:
            with transaction.atomic():
                Segment.objects.filter(pk=segment.pk).update(
                    audio_path=path,
                    sha256=store.sha256(path),
                    duration_s=duration_s,
                    compute_s=compute_s,
                    peaks=heights,
                    finished_at=timezone.now(),
                )
                # Last, and in the same transaction: if the lease is lost, the row above is taken back too.
                self._job.compute_s += compute_s
                # A job that moves on is no poison, however many workers it saw die: the count begins anew.
                self._journal.flush(finished, segments_done=segment.index + 1, compute_s=self._job.compute_s, deaths=0)
        except LeaseLost:
            store.remove(path)
            raise

    def _apply_controls(self) -> None:
        """At the border of two segments: do what was asked meanwhile."""
        for control in steering.pending(self._claim):
            if control.command == Command.PAUSE:
                self._pause(control)
            if control.command != Command.CANCEL:
                steering.apply(self._claim, control, self._index)

    def _pause(self, control: Control) -> None:
        self._journal.flush()
        with transaction.atomic():
            lifecycle.pause(self._claim, control.asked_by.get_username() if control.asked_by else "")
            steering.mark_applied(control, self._index)
        raise Left

    def _let_go(self) -> None:
        """Somebody cancelled, or the worker is being stopped."""
        self._journal.flush()
        cancels = [control for control in steering.pending(self._claim) if control.command == Command.CANCEL]
        if cancels:
            by = cancels[0].asked_by.get_username() if cancels[0].asked_by else ""
            with transaction.atomic():
                lifecycle.stop_cancelled(self._claim, by)
                for control in cancels:
                    steering.mark_applied(control, self._index)
        else:
            lifecycle.hand_back(self._claim)

    def _fail(self, code: str, message: str) -> None:
        if self._shutting_down():
            # What stops the worker may have stopped an engine's helper process a moment earlier: no fault of the job.
            logger.warning("Job %s is handed back; what broke while stopping: %s", self._claim.job_id, message)
            self._let_go()
            return
        logger.exception("Job %s failed: %s", self._claim.job_id, message)
        stage = self._journal.stage or Stage.EXTRACT
        fact = facts.Failed(stage=stage, code=code, message=f"{stage.capitalize()} failed: {message}")
        self._journal.flush()
        lifecycle.fail(self._claim, fact, traceback.format_exc())

    def _report(self, stage: Stage, done: float, total: float) -> None:
        self._watchdog.moved()
        entered = stage is not self._journal.stage
        if entered or time.monotonic() - self._reported_at >= 0.05:
            self._reported_at = time.monotonic()
            self._journal.progress(self._meter.fact(stage, self._index, done, total), at_once=entered)

    def _stop_if_asked(self) -> None:
        self._looked_at = 0.0
        if self._should_stop():
            raise Stopped

    def _should_stop(self) -> bool:
        """Polled by the engine's inner loops; also the moment to write what waits."""
        self._watchdog.moved()
        if self._shutting_down():
            return True
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return False
        self._looked_at = now
        self._journal.tick()
        state = self._claim.rows().values_list("cancel_asked_at", flat=True).first()
        if state is None and not self._claim.rows().exists():
            raise LeaseLost(self._claim.job_id)
        return state is not None

    def _new_meter(self) -> ProgressMeter:
        rows = list(self._job.segments.values_list("text", "audio_path"))
        lengths = [len(text) for text, _path in rows]
        left = sum(len(text) for text, path in rows if not path)
        estimate_s = left * estimate.seconds_per_char() + estimate.OVERHEAD_S
        return ProgressMeter(lengths, sum(1 for _text, path in rows if path), estimate_s)


def _reference(voice: Voice) -> ReferenceVoice:
    path = store.open_path(voice.path)
    try:
        samples, rate = wav.read_wav(path)
    except FileNotFoundError:
        raise VoiceFileMissing(f"The recording of the voice “{voice.name}” is gone.") from None
    return ReferenceVoice(
        key=voice.sha256,
        samples=samples,
        sample_rate_hz=rate,
        transcript=voice.transcript,
        language=voice.language,
        preset=voice.preset,
    )
