"""Puts a tape in the place of the process's log handlers, streams and warnings, and puts back what was there."""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import TextIO

from synthesis.worker.tape import Records, Tape, is_own


@contextlib.contextmanager
def all_to(tape: Tape, console: dict[int, int]) -> Iterator[None]:
    """``console``: descriptors of the real standard output and error, by number; the worker's own log stays there."""
    with _console_to(console), _records_to(tape), _warnings_to(tape), _streams_to(tape):
        yield


@contextlib.contextmanager
def _records_to(tape: Tape) -> Iterator[None]:
    root = logging.getLogger()
    records = Records(list(root.handlers), tape)
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
def _warnings_to(tape: Tape) -> Iterator[None]:
    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object, **__: object
    ) -> None:
        tape.hear(logging.WARNING, f"{category.__name__}: {message} ({filename}:{lineno})")

    before = warnings.showwarning
    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


@contextlib.contextmanager
def _streams_to(tape: Tape) -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = tape.out, tape.error
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        tape.pace(0)
        # Also those from before: who kept one from earlier has put into its buffer what belongs to the job.
        for stream in (tape.out, tape.error, *before):
            stream.flush()
