"""Everything that is logged, printed or warned about while a job runs belongs to that job.

Three ways in: ``logging`` of all but the portal's own loggers, Python's standard streams and warnings, and the two
descriptors that libraries in C print to. All the engine's thread does for a line is to append it to a deque. A thread
beside it puts lines together and writes them to the job's log file; the journal takes a bounded number of them as
events, and says how many more there are.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import logging
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TextIO, cast

from synthesis.events.facts import Logged
from synthesis.jobs.lifecycle import Claim
from synthesis.outputs import store
from synthesis.outputs.log_lines import Lines, LogLine
from synthesis.vocabulary import Level, Stage
from synthesis.worker import spool
from synthesis.worker.journal import Journal
from synthesis.worker.kept import Kept
from synthesis.worker.raw_lines import LineMaker, tidy
from synthesis.worker.spool import Spool

logger = logging.getLogger(__name__)

DRAIN_EVERY_S = 0.1
LINES_AT_A_TIME = 100
"""Put together in one go; the engine waits no longer for Python's lock than this takes."""
_WARNING, _ERROR = Level.WARNING, Level.ERROR
OWN_LOGGERS = frozenset({"synthesis", "cosyweb", "django", "rq", "redis", "channels", "channels_redis", "asyncio"})
"""The worker's own: they go on to the console. An engine is no part of the worker."""
ENGINE_LOGGERS = "synthesis.engines"
STREAM_LEVELS = {1: Level.INFO, 2: Level.WARNING}
_PRINTED = {1: -1, 2: -2}
_SPOOLED = {1: -3, 2: -4}
"""By descriptor: where a log record has its level. A line begun in Python is not gone on with in C."""
_SOURCES = (*_PRINTED.items(), *_SPOOLED.items())

_Heard = tuple[float, int, Stage | None, str | bytes]
"""When, level of a record or ``_PRINTED``, stage, text."""
_process = threading.Lock()
"""Standard streams belong to the process: one capture at a time may have them."""


class Capture:
    """Takes over the process's output for one job, as a context manager. Any thread may print; one drains."""

    def __init__(self, claim: Claim, journal: Journal) -> None:
        self._claim = claim
        self._journal = journal
        self._path = store.log_path(claim.job_id)
        self._fresh: deque[_Heard] = deque()
        self._makers = {source: LineMaker(STREAM_LEVELS[target]) for target, source in _SOURCES}
        self._spools: dict[int, Spool] = {}
        self._streams: list[TextIO] = []
        self._draining = threading.Lock()
        self._severe, self._mild = Kept(), Kept()
        self._unfiled: list[Lines] = []
        self._unwritten = 0
        self._why_unwritten = ""
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
            lines = self._assemble(len(self._fresh))
            for maker in self._makers.values():
                maker.settle(lines)
            self._keep(lines)
        self._file()

    @property
    def waiting(self) -> bool:
        """Whether the journal would get something."""
        return bool(self._fresh or self._severe.waiting or self._mild.waiting or self._unwritten)

    def take(self) -> list[tuple[Logged, datetime.datetime]]:
        """What is to become events now, in order of time. Of a burst, what the thread beside has put together."""
        with self._draining:
            if len(self._fresh) <= LINES_AT_A_TIME:
                self._keep(self._assemble(LINES_AT_A_TIME))
            picked = self._severe.pick() + self._mild.pick()
            skipped = self._severe.give_up() + self._mild.give_up()
            facts = [_fact(line) for line in sorted(picked, key=lambda line: line.at)]
            if skipped:
                facts.append(_note(Level.INFO, "lines_skipped", count=skipped))
            if self._unwritten:
                facts.append(_note(Level.WARNING, "log_incomplete", count=self._unwritten, reason=self._why_unwritten))
            self._unwritten = 0
            return facts

    def catch_up(self) -> None:
        with self._draining:
            self._keep(self._assemble(len(self._fresh)))

    # Taking over, and giving back

    def _take_over(self, undo: contextlib.ExitStack) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        spool.flush_c()
        self._hear_last_words()
        for target in STREAM_LEVELS:
            self._spools[target] = Spool(self._claim.job_id, self._claim.attempt, target)
            undo.callback(self._close_spool, target)
        undo.enter_context(_console_to({target: one.real for target, one in self._spools.items()}))
        undo.enter_context(_records_to(self._fresh, self._journal))
        undo.enter_context(_warnings_to(self._hear_warning))
        self._streams = [_stream(_Raw(target, self._fresh, self._journal)) for target in STREAM_LEVELS]
        undo.enter_context(_streams_to(*self._streams))
        ended = threading.Event()
        thread = threading.Thread(target=self._drain, args=(ended,), name="log-capture", daemon=True)
        thread.start()
        undo.callback(thread.join)
        undo.callback(ended.set)

    def _close_spool(self, target: int) -> None:
        spool.flush_c()
        self._spooled(target, self._spools.pop(target).close())

    def _hear_last_words(self) -> None:
        for at, target, text in spool.last_words(self._claim.job_id):
            self._fresh.append((at, _SPOOLED[target], None, text))

    # What the engine's thread runs into: as little as possible

    def _hear_warning(self, text: str) -> None:
        self._fresh.append((time.time(), logging.WARNING, self._journal.stage, text))

    # What the thread beside it does

    def _drain(self, ended: threading.Event) -> None:
        while not ended.wait(DRAIN_EVERY_S):
            spool.flush_c()
            for stream in self._streams:
                stream.flush()
            with self._draining:
                for target, one in self._spools.items():
                    self._spooled(target, one.read())
                left = len(self._fresh)
            while left > 0:
                with self._draining:
                    self._keep(self._assemble(LINES_AT_A_TIME))
                left -= LINES_AT_A_TIME
                time.sleep(0)  # hands Python's lock to the engine if it waits for it
            self._file()

    def _spooled(self, target: int, text: str) -> None:
        if text:
            self._fresh.append((time.time(), _SPOOLED[target], self._journal.stage, text))

    def _assemble(self, most: int) -> Lines:
        """Whole lines out of what has come in, at most ``most`` of it."""
        lines = Lines()
        fresh, makers, add = self._fresh, self._makers, lines.add
        for _ in range(min(most, len(fresh))):
            at, source, stage, text = fresh.popleft()
            if isinstance(text, bytes):
                text = text.decode("utf-8", "replace")
            if source >= 0:
                add(at, _LEVELS[min(source, logging.CRITICAL) // 10], stage or "", tidy(text))
            else:
                makers[source].feed(at, stage or "", text, lines)
        if not fresh:
            now = time.time()
            for maker in makers.values():
                maker.settle(lines, now)
        return lines

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


class _Raw(io.RawIOBase):
    """Below ``sys.stdout`` and ``sys.stderr``: one call a line, the putting together is done in C above it."""

    def __init__(self, target: int, fresh: deque[_Heard], journal: Journal) -> None:
        self._target = target
        self._source = _PRINTED[target]
        self._append = fresh.append
        self._journal = journal

    def write(self, data: Any) -> int:
        self._append((time.time(), self._source, self._journal.stage, data))
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """For children that inherit it: it leads into the spool."""
        return self._target


def _stream(raw: _Raw) -> TextIO:
    # As its buffer: a lock and a copy less. It takes whatever it is given at once.
    return io.TextIOWrapper(cast(BinaryIO, raw), "utf-8", "replace", newline="\n", line_buffering=True)


class _Records(logging.Handler):
    """In the root's place: the portal's own records go on to its handlers, all others to the job."""

    def __init__(self, handlers: list[logging.Handler], fresh: deque[_Heard], journal: Journal) -> None:
        super().__init__()
        self.before = handlers
        self._append = fresh.append
        self._journal = journal
        self._own: dict[str, bool] = {}

    def handle(self, record: logging.LogRecord) -> bool:
        # Not ``emit``: its lock would make threads wait for each other, and a deque needs none.
        own = self._own.get(record.name)
        if own is None:
            own = self._own[record.name] = is_own(record.name)
        if not own:
            self._append((record.created, record.levelno, self._journal.stage, _text(record)))
            return True
        for handler in self.before:
            if record.levelno >= handler.level:
                handler.handle(record)
        return True


def _text(record: logging.LogRecord) -> str:
    """Formatted at once: what it speaks of may change, and must not be kept alive."""
    try:
        text = str(record.msg)
        if record.args:
            text = text % record.args
    except Exception:  # noqa: BLE001 a wrong placeholder, or whatever an object's own text raises, ends no job
        text = f"{record.msg!r} {type(record.args).__name__}"
    if record.exc_info:
        text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
    return text


def is_own(name: str) -> bool:
    """Whether a logger speaks of the worker and not of its engine."""
    if name == ENGINE_LOGGERS or name.startswith(f"{ENGINE_LOGGERS}."):
        return False
    return name.partition(".")[0] in OWN_LOGGERS


@contextlib.contextmanager
def _records_to(fresh: deque[_Heard], journal: Journal) -> Iterator[None]:
    root = logging.getLogger()
    records = _Records(list(root.handlers), fresh, journal)
    root.handlers[:] = [records]
    try:
        yield
    finally:
        # Whatever was added meanwhile stays.
        root.handlers[:] = [*records.before, *(handler for handler in root.handlers if handler is not records)]


@contextlib.contextmanager
def _console_to(descriptors: dict[int, int]) -> Iterator[None]:
    """Handlers of the root and of the worker's own loggers that write to the console go on doing so."""
    real = {
        target: open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 closed below
        for target, descriptor in descriptors.items()
    }
    names = [name for name in logging.root.manager.loggerDict if is_own(name)]
    moved: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []
    for speaker in (logging.root, *map(logging.getLogger, names)):
        for handler in speaker.handlers:
            target = _descriptor(handler)
            if isinstance(handler, logging.StreamHandler) and target in real:
                before = handler.setStream(real[target])
                if before is not None:
                    moved.append((handler, before))
    try:
        yield
    finally:
        for handler, before in moved:
            handler.setStream(before)
        for stream in real.values():
            stream.close()


def _descriptor(handler: logging.Handler) -> int:
    stream = getattr(handler, "stream", None)
    try:
        return int(stream.fileno()) if stream is not None else -1
    except (OSError, ValueError):  # not a file, or closed
        return -1


@contextlib.contextmanager
def _warnings_to(hear: Callable[[str], None]) -> Iterator[None]:
    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object, **__: object
    ) -> None:
        hear(f"{category.__name__}: {message} ({filename}:{lineno})")

    before = warnings.showwarning
    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


@contextlib.contextmanager
def _streams_to(out: Any, error: Any) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, error
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        # Also those from before: who kept one from earlier has put into its buffer what belongs to the job.
        for stream in (out, error, *before):
            stream.flush()
