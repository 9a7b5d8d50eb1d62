"""The embedded engine with something of a test's own around it."""

from __future__ import annotations

from collections.abc import Iterator

from synthesis.engines.base import AudioChunk, Engine, Report, SegmentRequest, ShouldStop


class Wrapped:
    """Passes everything on; tests override what they are about."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = engine.name
        self.sample_rate_hz = engine.sample_rate_hz
        self.clones = engine.clones
        self.streams = engine.streams
        self.at_once = engine.at_once
        self.prepare = engine.prepare
        self.fingerprint = engine.fingerprint
        self.device_bytes = engine.device_bytes
        self.close = engine.close

    def synthesize(self, request: SegmentRequest, report: Report, should_stop: ShouldStop) -> Iterator[AudioChunk]:
        yield from self._engine.synthesize(request, report, should_stop)

    def release(self) -> None:
        self._engine.release()
