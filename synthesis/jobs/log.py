"""The whole log of a job as text: the portal's own lines from its events, the engine's from its log file."""

from __future__ import annotations

import datetime
import heapq
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from operator import itemgetter

from asgiref.sync import sync_to_async

from synthesis.events import replay, wire
from synthesis.events.wire import EventData
from synthesis.outputs import log_lines, store
from synthesis.vocabulary import Level

SILENT_KINDS = frozenset({"progress", "chunk", "segment"})
"""Events that are no log lines."""
LINES_A_BLOCK = 500

_Line = tuple[float, str]
"""Unix seconds, and the line as text."""


async def blocks(job_id: str, language: str) -> AsyncIterator[str]:
    """The log in blocks of lines; a slow reader costs one block of memory, and never the event loop."""
    lines = text_lines(job_id, language)

    def block() -> str:
        return "".join(islice(lines, LINES_A_BLOCK))

    while text := await sync_to_async(block)():
        yield text


def text_lines(job_id: str, language: str) -> Iterator[str]:
    """Every line in order of time, in a reader's language; an engine's own words stay as they are."""
    path = store.log_path(job_id)
    kept = store.open_path(path).exists()
    merged = heapq.merge(_of_portal(job_id, language, engine_too=not kept), _of_engine(path), key=itemgetter(0))
    return (text for _at, text in merged)


def _of_portal(job_id: str, language: str, *, engine_too: bool) -> Iterator[_Line]:
    """``engine_too``: there is no file, so the engine's lines among the events are all there is."""
    seq = 0
    while page := replay.after(job_id, seq):
        seq = page[-1]["seq"]
        for event in page:
            if event["kind"] in SILENT_KINDS or (not engine_too and _stands_in_file(event)):
                continue
            frame = wire.render(job_id, event, language)
            hint = f" ({frame['hint']})" if frame.get("hint") else ""
            message = f"{frame.get('message', '')}{hint}"
            yield _line(event["at"], frame.get("level", Level.INFO), frame.get("stage", ""), message)


def _stands_in_file(event: EventData) -> bool:
    return event["kind"] == "log" and event["data"]["code"] in {"", "lines_skipped"}


def _of_engine(path: str) -> Iterator[_Line]:
    for line in log_lines.read(path):
        yield _line(line.at, line.level, line.stage, line.message)


def _line(at: float, level: str, stage: str, message: str) -> _Line:
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return at, f"{moment:%Y-%m-%d %H:%M:%S.%f}Z {level:<7} {stage or '-':<8} {message}\n"
