"""NVIDIA GPUs of this machine, through the driver's own library (NVML)."""

from __future__ import annotations

import logging
from typing import TypedDict

import pynvml

logger = logging.getLogger(__name__)


class Gpu(TypedDict):
    """Memory in bytes, ``load`` from 0 to 1; None where the driver does not tell it (a MIG slice)."""

    name: str
    memory_used: int
    memory_total: int
    load: float | None


class _Driver:
    """NVML, loaded at the first look and then kept. A machine without it is asked once."""

    def __init__(self) -> None:
        self._handles: list[object] | None = None
        self._told = ""

    def read(self) -> list[Gpu]:
        if self._handles is None:
            self._handles = self._open()
        found = []
        for handle in self._handles:
            try:
                found.append(_gpu(handle))
            except pynvml.NVMLError as problem:
                self._tell(logging.WARNING, f"A GPU does not answer: {problem}")
        return found

    def _open(self) -> list[object]:
        try:
            pynvml.nvmlInit()
            return [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
            self._tell(logging.INFO, "This machine has no NVIDIA driver; there are no GPU gauges.")
        except pynvml.NVMLError as problem:
            self._tell(logging.WARNING, f"The GPUs cannot be read: {problem}")
        return []

    def _tell(self, level: int, text: str) -> None:
        """Once, not every second."""
        if text != self._told:
            self._told = text
            logger.log(level, text)


def _gpu(handle: object) -> Gpu:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        load = round(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100, 2)
    except pynvml.NVMLError_NotSupported:
        load = None
    name = pynvml.nvmlDeviceGetName(handle)
    return Gpu(name=name, memory_used=int(memory.used), memory_total=int(memory.total), load=load)


_driver = _Driver()


def read() -> list[Gpu]:
    """Every GPU in the driver's order; empty without a driver. About 1 ms a GPU."""
    return _driver.read()
