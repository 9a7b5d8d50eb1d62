"""The administrators' view of everything that is kept: found, filtered, read. Django finds it by its name."""

from . import api_key, audit_entry, batch, event, job, output, saved_seed, user, voice, worker_state

__all__ = [
    "api_key",
    "audit_entry",
    "batch",
    "event",
    "job",
    "output",
    "saved_seed",
    "user",
    "voice",
    "worker_state",
]
