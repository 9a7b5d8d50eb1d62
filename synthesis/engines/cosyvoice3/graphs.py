"""Work on a GPU recorded once and repeated: one call instead of handing over hundreds of kernels, one by one."""

import logging
from collections.abc import Callable
from typing import Any

import torch

logger = logging.getLogger(__name__)

Work = Callable[[], None]


def repeatable(work: Work, device: torch.device, pool: Any = None) -> Work:
    """``work``, on CUDA as one recorded graph. It reads and writes the same memory at every call.

    On CUDA it may ask the device for no number. Graphs of one ``pool`` (``torch.cuda.graph_pool_handle``) share the
    memory of what is computed in between; they must never run at the same time. Record before anybody speaks: what
    other threads do on the device would spoil it. Raises torch.OutOfMemoryError; whatever else hinders the recording
    costs speed alone, so then ``work`` is done as it is, and the log says why.
    """
    if device.type != "cuda":
        return work
    try:
        return recorded(work, device, pool)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as problem:
        logger.warning("The GPU records no graph, so steps are handed over kernel by kernel: %s", problem)
        return work


@torch.inference_mode()
def recorded(work: Work, device: torch.device, pool: Any) -> Work:
    """A replay of the graph that ``work`` is on a CUDA device."""
    beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    beside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(beside):
        work()  # once outside, so that libraries have what they allocate at first use
    torch.cuda.current_stream(device).wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool):
        work()
    return graph.replay
