"""One job, from its claim to its end: the only place where an engine meets the database."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.text import Truncator

from synthesis.audio import wav
from synthesis.engines import problems
from synthesis.engines.base import Engine, EngineError, ReferenceVoice, Samples, SegmentRequest, ShouldStop, Stopped
from synthesis.events import facts
from synthesis.jobs import estimate, lifecycle, steering
from synthesis.jobs.lifecycle import CancelAsked, Claim, LeaseLost
from synthesis.models import Control, Job, Segment, Voice
from synthesis.outputs import store
from synthesis.text.halves import halves
from synthesis.vocabulary import Command, Level, Mode, Stage
from synthesis.worker import memory, outage, pieces, saving
from synthesis.worker.capture import Capture
from synthesis.worker.early import EarlySound
from synthesis.worker.journal import Journal
from synthesis.worker.outage import DATABASE_LOST
from synthesis.worker.progress import ProgressMeter
from synthesis.worker.watchdog import Watchdog
from synthesis.worker.wishes import RedoAsked, Wishes

logger = logging.getLogger(__name__)

TEXT_IN_LOG = 60
"""Characters of a segment in its log line."""
MOST_RETURNS = 5
"""A database that takes the lease but refuses the rest is given up after this many turns."""


class Left(Exception):
    """The job was let go in good order between two segments."""


class VoiceFileMissing(EngineError):
    code = "voice_file_missing"


class Performance:
    """Runs the job of one claim with a loaded engine. Made for each job anew: nothing is shared between jobs."""

    def __init__(
        self, claim: Claim, engine: Engine, shutting_down: ShouldStop, leaving: ShouldStop = lambda: False
    ) -> None:
        """``shutting_down`` is polled all the time and ends the work at once, ``leaving`` between two segments."""
        self._claim = claim
        self._engine = engine
        self._shutting_down = shutting_down
        self._leaving = leaving
        self._journal = Journal(claim)
        self._job = Job.objects.select_related("voice", "owner").get(pk=claim.job_id)
        self._meter = self._new_meter()
        self._watchdog = Watchdog(settings.STALL_S)
        self._wishes = Wishes(claim, shutting_down, polled=self._watchdog.moved, looked=self._journal.tick)
        self._reported_at = 0.0
        self._index = 0
        self._voice_ready = ""
        self._ready_features: Any = None
        self._memory_ran_out = False

    def run(self) -> None:
        """Work until the job ends or has to be let go; raises nothing that concerns only this job."""
        self._watchdog.moved()
        try:
            self._until_settled()
        except LeaseLost:
            logger.warning("Job %s went to another worker; what was under way here is void.", self._claim.job_id)
        except DATABASE_LOST:
            # The database stays away, which is no fault of the job: when the lease has run out, it is taken up again.
            logger.exception("Job %s is let go: the database does not answer.", self._claim.job_id)
        except Left:
            logger.info("Job %s is paused.", self._claim.job_id)
        finally:
            self._watchdog.rest()
            if self._memory_ran_out:
                self._free_memory()  # only here: until now the traceback held what the engine had made

    def _until_settled(self) -> None:
        """Work, and if the database goes away meanwhile, work on after the last stored segment when it is back."""
        for _ in range(MOST_RETURNS):
            try:
                return self._guard(self._captured)
            except DATABASE_LOST as problem:
                logger.warning("The database is away, job %s waits for it: %s", self._claim.job_id, problem)
                away_s = outage.outlast(self._claim, self._shutting_down, self._watchdog.moved)
            self._job.refresh_from_db(fields=["compute_s"])
            self._journal.log(Level.WARNING, code="database_lost", seconds=round(away_s, 1))
        return self._guard(self._captured)

    def _captured(self) -> None:
        with Capture(self._claim, self._journal):
            self._work()

    def _guard(self, work: Callable[[], None]) -> None:
        """Turn every way a job can end early into its stored end; a lost database is the one that cannot be stored."""
        try:
            work()
        except (Stopped, CancelAsked):
            self._let_go()
        except (LeaseLost, Left, *DATABASE_LOST):
            raise
        except Exception as problem:
            # An engine may raise anything; the job fails, the worker lives on.
            code = problems.code_of(problem, extracting=self._journal.stage is Stage.EXTRACT)
            if code == "database_lost":
                raise
            self._memory_ran_out = code == "out_of_memory"
            self._fail(code, problems.describe(problem))

    def _work(self) -> None:
        segments = list(self._job.segments.all())
        todo = [segment for segment in segments if not segment.audio_path]
        self._begin(len(segments), len(segments) - len(todo))
        for segment in todo:
            self._make(segment)
        self._index = len(segments)
        self._wishes.stop_if_asked()
        self._pause_if_asked()
        self._report(Stage.SAVE, 0, 1)
        saving.save(self._claim, self._job, self._engine, self._journal, self._report, self._wishes.should_stop)

    def _make(self, segment: Segment) -> None:
        """One segment, from its beginning again as often as somebody changes it and asks for that."""
        self._index = segment.index
        while True:
            self._wishes.stop_if_asked()
            if self._leaving():
                raise Stopped
            self._apply_changes()
            self._pause_if_asked()
            segment.refresh_from_db()
            try:
                self._speak(segment)
            except RedoAsked:
                self._journal.log(Level.INFO, code="segment_dropped", number=segment.index + 1)
            else:
                return

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
            text=Truncator(segment.text).chars(TEXT_IN_LOG),
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
            mode=self._mode(segment),
        )
        with EarlySound(self._claim, segment.index, self._journal) as early:
            samples = self._samples(segment, request, early)
            self._wishes.stop_if_asked(redo=True)
            compute_s, rate = time.monotonic() - began, self._engine.sample_rate_hz
            saving.keep_segment(self._claim, self._job, segment, samples, rate, compute_s, self._journal)

    def _samples(self, segment: Segment, request: SegmentRequest, early: EarlySound) -> Samples:
        """The segment's audio, shape (N,); if memory runs out, made once more in smaller pieces."""
        texts: list[str] | None = segment.pieces
        if texts is None:
            try:
                return self._spoken(request, [segment.text], early)
            except Exception as problem:
                smaller = halves(segment.text)
                if smaller is None or problems.code_of(problem) != "out_of_memory":
                    raise
                complaint = problems.describe(problem)
            # After the handler: its traceback held on to what the engine had made.
            self._free_memory()
            early.restart()
            texts = self._cut_smaller(segment, smaller, complaint)
        return self._spoken(request, texts, early)

    def _spoken(self, request: SegmentRequest, texts: list[str], early: EarlySound) -> Samples:
        heard = early.add if self._engine.streams else _unheard
        return pieces.speak(self._engine, request, texts, self._report, self._wishes.should_stop_or_redo, heard)

    def _cut_smaller(self, segment: Segment, smaller: tuple[str, ...], complaint: str) -> list[str]:
        """Stored at once: whoever makes this segment, now or after a crash, makes it of these pieces."""
        texts = list(smaller)
        number = segment.index + 1
        self._journal.log(Level.WARNING, code="memory_ran_out", number=number, reason=complaint)
        self._journal.log(Level.WARNING, code="segment_in_pieces", number=number, count=len(smaller))
        with transaction.atomic():
            Segment.objects.filter(pk=segment.pk).update(pieces=texts)
            self._journal.flush()
        return texts

    def _free_memory(self) -> None:
        self._engine.release()
        memory.give_back()

    def _mode(self, segment: Segment) -> Mode:
        """An instruction that was given or taken away in the middle decides as it does at submission."""
        if segment.instruct == self._job.instruct:
            return Mode(self._job.mode)
        return Mode.INSTRUCT if segment.instruct else Mode.ZERO_SHOT

    def _features(self, voice: Voice) -> Any:
        """Reference features, once a voice."""
        if voice.pk != self._voice_ready:
            began = time.monotonic()
            self._ready_features = self._engine.prepare(
                _reference(voice), self._report, self._wishes.should_stop_or_redo
            )
            self._voice_ready = voice.pk
            self._journal.log(
                Level.INFO, code="reference_ready", voice=voice.name, seconds=round(time.monotonic() - began, 2)
            )
        return self._ready_features

    def _apply_changes(self) -> None:
        """Before a segment: let what was changed meanwhile hold from it on."""
        for control in steering.pending(self._claim):
            if control.command in steering.CHANGES_SEGMENTS:
                steering.apply(self._claim, control, self._index)
        self._wishes.redo_heard()

    def _pause_if_asked(self) -> None:
        """Between two segments, and between the last one and the files."""
        asked = self._asked(Command.PAUSE)
        if asked is None:
            return
        self._journal.flush()
        with transaction.atomic():
            lifecycle.pause(self._claim, asked.by)
            steering.mark_applied(self._claim.job_id, Command.PAUSE, self._index)
        raise Left

    def _let_go(self) -> None:
        """Somebody cancelled, or the worker is being stopped."""
        self._journal.flush()
        asked = self._asked(Command.CANCEL)
        if asked is None:
            lifecycle.hand_back(self._claim)
            return
        with transaction.atomic():
            steering.mark_applied(self._claim.job_id, Command.CANCEL, self._index)
            lifecycle.stop_cancelled(self._claim, asked.by)

    def _asked(self, command: Command) -> Control | None:
        """The first pending control of a kind."""
        return next((control for control in steering.pending(self._claim) if control.command == command), None)

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

    def _new_meter(self) -> ProgressMeter:
        rows = list(self._job.segments.values_list("text", "audio_path"))
        lengths = [len(text) for text, _path in rows]
        left = sum(len(text) for text, path in rows if not path)
        estimate_s = left * estimate.seconds_per_char() + estimate.OVERHEAD_S
        return ProgressMeter(lengths, sum(1 for _text, path in rows if path), estimate_s)


def _unheard(samples: Samples) -> None:
    """Chunks of an engine whose segments are quick, or come all at once."""


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
