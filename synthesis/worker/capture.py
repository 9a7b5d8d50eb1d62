"""Everything that is logged, printed or warned about while a job runs belongs to that job.

Three ways in: ``logging`` of all but the portal's own loggers, Python's standard streams and warnings, and the two
descriptors that libraries in C print to. The engine's thread does no more than worker/tape.py says. A thread beside it
puts lines together and writes them to the job's log file; the journal takes a bounded number of them as events, and
says how many more there are.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import sys
import threading
import time
from typing import Any

from synthesis.events.facts import Logged
from synthesis.jobs.lifecycle import Claim
from synthesis.outputs import store
from synthesis.outputs.log_lines import Lines, LogLine
from synthesis.vocabulary import Level, Stage
from synthesis.worker import spool, takeover
from synthesis.worker.journal import Journal
from synthesis.worker.kept import Kept
from synthesis.worker.raw_lines import LineMaker, tidy
from synthesis.worker.spool import Spool
from synthesis.worker.tape import PRINTED, SPOOLED, Tape

DRAIN_EVERY_S = 0.1
LINES_AT_A_TIME = 100
"""Put together in one go; the engine waits no longer for Python's lock than this takes."""
TELL_SKIPPED_EVERY_S = 1.0
STREAM_LEVELS = {1: Level.INFO, 2: Level.WARNING}
_WARNING, _ERROR = Level.WARNING, Level.ERROR
_LEVELS = (Level.DEBUG, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.ERROR)
"""By tens of a record's level number."""
_process = threading.Lock()
"""Standard streams belong to the process: one capture at a time may have them."""


class Capture:
    """Takes over the process's output for one job, as a context manager. Any thread may print; one drains."""

    def __init__(self, claim: Claim, journal: Journal) -> None:
        self._claim = claim
        self._journal = journal
        self._path = store.log_path(claim.job_id)
        self._tape = Tape(journal)
        sources = (*PRINTED.items(), *SPOOLED.items())
        self._makers = {source: LineMaker(STREAM_LEVELS[target]) for target, source in sources}
        self._spools: dict[int, Spool] = {}
        self._draining = threading.Lock()
        self._severe, self._mild = Kept(), Kept()
        self._unfiled: list[Lines] = []
        self._unwritten = 0
        self._why_unwritten = ""
        self._told_skipped_at = 0.0
        self._undo = contextlib.ExitStack()

    def __enter__(self) -> Capture:
        """Raises OSError if there is no place to write to."""
        with contextlib.ExitStack() as undo:
            if _process.acquire(blocking=False):
                undo.callback(_process.release)
                self._take_over(undo)
            self._undo = undo.pop_all()
        self._journal.engine_lines = self
        return self

    def __exit__(self, *_problem: object) -> None:
        """The journal may still take the last lines: a failure is told after the words that led to it."""
        self._undo.close()
        with self._draining:
            lines, _ = self._assemble(sys.maxsize)
            for maker in self._makers.values():
                maker.settle(lines)
            self._keep(lines)
            self._told_skipped_at = 0.0
        self._file()

    @property
    def waiting(self) -> bool:
        """Whether the journal would get something."""
        return bool(
            self._tape.fresh or self._tape.pile or self._severe.waiting or self._mild.waiting or self._unwritten
        )

    def take(self) -> list[tuple[Logged, datetime.datetime]]:
        """What is to become events now, in order of time. Of a burst, what the thread beside has put together."""
        with self._draining:
            if not self._tape.hurried and len(self._tape.fresh) <= LINES_AT_A_TIME:
                self._keep(self._assemble(LINES_AT_A_TIME)[0])
            picked = self._severe.pick() + self._mild.pick()
            facts = [_fact(line) for line in sorted(picked, key=lambda line: line.at)]
            if (now := time.monotonic()) - self._told_skipped_at >= TELL_SKIPPED_EVERY_S:
                skipped = self._severe.give_up() + self._mild.give_up()
                if skipped:
                    self._told_skipped_at = now
                    facts.append(_note(Level.INFO, "lines_skipped", count=skipped))
            if self._unwritten:
                facts.append(_note(Level.WARNING, "log_incomplete", count=self._unwritten, reason=self._why_unwritten))
            self._unwritten = 0
            return facts

    def catch_up(self) -> None:
        self._tape.collect()
        with self._draining:
            self._keep(self._assemble(sys.maxsize)[0])
            self._told_skipped_at = 0.0

    def turn(self) -> None:
        self._tape.collect()

    # Taking over, and giving back

    def _take_over(self, undo: contextlib.ExitStack) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        spool.flush_c()
        self._hear_last_words()
        for target in STREAM_LEVELS:
            self._spools[target] = Spool(self._claim.job_id, self._claim.attempt, target)
            undo.callback(self._close_spool, target)
        undo.enter_context(takeover.all_to(self._tape, {target: one.real for target, one in self._spools.items()}))
        ended = threading.Event()
        thread = threading.Thread(target=self._drain, args=(ended,), name="log-capture", daemon=True)
        thread.start()
        undo.callback(thread.join)
        undo.callback(ended.set)

    def _close_spool(self, target: int) -> None:
        spool.flush_c()
        self._tape.hear(SPOOLED[target], self._spools.pop(target).close())

    def _hear_last_words(self) -> None:
        for at, target, text in spool.last_words(self._claim.job_id):
            self._tape.fresh.append((at, SPOOLED[target], None, text))

    # What the thread beside it does

    def _drain(self, ended: threading.Event) -> None:
        while not ended.wait(DRAIN_EVERY_S):
            spool.flush_c()
            self._tape.collect()
            with self._draining:
                for target, one in self._spools.items():
                    self._tape.hear(SPOOLED[target], one.read())
            written, left = 0, len(self._tape.fresh)
            while left > 0:
                with self._draining:
                    lines, taken = self._assemble(LINES_AT_A_TIME)
                    self._keep(lines)
                written += len(lines)
                left = left - taken if taken else 0  # another thread may have caught up meanwhile
                time.sleep(0)  # hands Python's lock to the engine if it waits for it
            self._tape.pace(written)
            self._file()

    def _assemble(self, most: int) -> tuple[Lines, int]:
        """Whole lines out of what has come in, about ``most`` of them; and how many entries of the tape they were."""
        lines = Lines()
        fresh, makers = self._tape.fresh, self._makers
        taken = 0
        while fresh and most > 0:
            at, source, stage, text = fresh.popleft()
            taken += 1
            if isinstance(text, bytes):
                text = text.decode("utf-8", "replace")
            if source >= 0:
                most -= 1
                lines.add(at, _LEVELS[min(source, logging.CRITICAL) // 10], stage or "", tidy(text))
            else:
                most -= text.count("\n")
                makers[source].feed(at, stage or "", text, lines)
        if not fresh:
            now = time.time()
            for maker in makers.values():
                maker.settle(lines, now)
        return lines, taken

    def _keep(self, lines: Lines) -> None:
        """All for the file, and the first ones for events."""
        if lines.groups:
            self._unfiled.append(lines)
        for first, messages in lines.groups:
            kept = self._severe if first.level is _WARNING or first.level is _ERROR else self._mild
            kept.add(first, messages)

    def _file(self) -> None:
        """Write what is not in the file yet: never on the engine's thread while it works."""
        with self._draining:
            unfiled, self._unfiled = self._unfiled, []
        if not unfiled:
            return
        try:
            store.append(self._path, "".join(lines.encoded() for lines in unfiled))
        except OSError as problem:
            # The job itself may still end well; that its log does not is said in the job.
            with self._draining:
                self._unwritten += sum(map(len, unfiled))
                self._why_unwritten = str(problem)


_LEVELS = (Level.DEBUG, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.ERROR)
"""By tens of a record's level number."""


def _fact(line: LogLine) -> tuple[Logged, datetime.datetime]:
    stage = Stage(line.stage) if line.stage else None
    at = datetime.datetime.fromtimestamp(line.at, datetime.UTC)
    return Logged(severity=line.level, stage=stage, message=line.message), at


def _note(severity: Level, code: str, **values: Any) -> tuple[Logged, datetime.datetime]:
    return Logged(severity=severity, stage=None, code=code, values=values), datetime.datetime.now(datetime.UTC)
