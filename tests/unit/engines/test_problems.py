"""Failures as they really read, and the code each gets."""

from __future__ import annotations

import errno
import sqlite3
import subprocess
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import redis
import torch
from django.db.utils import InterfaceError, OperationalError

from synthesis.engines.base import ChildKilled, EngineError, OutOfMemory, ReferenceUnusable, Stopped
from synthesis.engines.problems import code_of, describe
from synthesis.events.hints import hint_for

CUDA = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.64 GiB of which 1 GiB is free. "
    "Of the allocated memory 20.11 GiB is allocated by PyTorch, and 1.64 GiB is reserved by PyTorch but unallocated."
)
KILLED = subprocess.CalledProcessError(-9, ["espeak"])
CASES: list[tuple[BaseException, str]] = [
    (OutOfMemory("too long"), "out_of_memory"),
    (EngineError("CUDA error: out of memory"), "out_of_memory"),
    (torch.OutOfMemoryError(CUDA), "out_of_memory"),
    (RuntimeError(CUDA), "out_of_memory"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"), "out_of_memory"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "out_of_memory"),
    (RuntimeError("MPS backend out of memory (MPS allocated: 9.07 GB)"), "out_of_memory"),
    (RuntimeError("std::bad_alloc"), "out_of_memory"),
    (MemoryError(), "out_of_memory"),
    (np._core._exceptions._ArrayMemoryError((10, 10), np.dtype("f4")), "out_of_memory"),  # type: ignore[attr-defined]  # numpy hides it
    (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
    (OSError(errno.ENOSPC, "No space left on device"), "storage_full"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "storage_full"),
    (OperationalError("database or disk is full"), "storage_full"),
    (OperationalError("could not extend file: No space left on device"), "storage_full"),
    (OperationalError("database is locked"), "database_lost"),
    (sqlite3.OperationalError("unable to open database file"), "database_lost"),
    (OperationalError("connection failed: Connection refused"), "database_lost"),
    (OperationalError("server closed the connection unexpectedly"), "database_lost"),
    (InterfaceError("connection already closed"), "database_lost"),
    (redis.ConnectionError("Error 111 connecting to 127.0.0.1:6379. Connection refused."), "redis_lost"),
    (redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "redis_lost"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "/models/llm.safetensors"), "weights_unusable"),
    (
        RuntimeError("PytorchStreamReader failed reading zip archive: failed finding central directory"),
        "weights_unusable",
    ),
    (RuntimeError("Error(s) in loading state_dict for Flow:\n\tMissing key(s) in state_dict: a"), "weights_unusable"),
    (RuntimeError("Error while deserializing header: InvalidHeaderDeserialization"), "weights_unusable"),
    (EOFError("unexpected EOF, expected 4021 more bytes. The file might be corrupted."), "weights_unusable"),
    (KILLED, "engine_child_killed"),
    (ChildKilled("eSpeak NG was killed by signal 9."), "engine_child_killed"),
    (BrokenProcessPool("A process in the process pool was terminated abruptly"), "engine_child_killed"),
    (RuntimeError("DataLoader worker (pid 12) is killed by signal: Killed."), "engine_child_killed"),
    (ReferenceUnusable("no voice"), "reference_unusable"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "/etc/voices.txt"), "engine_error"),
    (ValueError("something else"), "engine_error"),
    (EngineError("eSpeak NG failed: no data"), "engine_error"),
]


@pytest.mark.parametrize(("problem", "code"), CASES, ids=lambda value: str(value)[:40])
def test_a_failure_gets_its_code_and_a_hint(problem: BaseException, code: str) -> None:
    assert code_of(problem) == code
    assert hint_for(code)


def test_a_tensor_that_is_too_short_while_extracting_is_the_references_fault() -> None:
    problem = RuntimeError(
        "Calculated padded input size per channel: (2). Kernel size: (5). "
        "Kernel size can't be greater than actual input size"
    )
    assert code_of(problem, extracting=True) == "reference_unusable"
    assert code_of(problem) == "engine_error"


def test_the_cause_counts_where_the_wrapper_says_nothing() -> None:
    wrapped = RuntimeError("the decoder failed")
    wrapped.__cause__ = MemoryError()
    assert code_of(wrapped) == "out_of_memory"


def test_a_message_is_never_empty() -> None:
    assert describe(MemoryError()) == "MemoryError"
    assert describe(ValueError("bad")) == "ValueError: bad"
    assert describe(OutOfMemory("2 GiB missing")) == "2 GiB missing"
    assert describe(Stopped()) == "Stopped"
