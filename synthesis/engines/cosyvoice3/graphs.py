"""Work on a GPU recorded once and repeated: one call instead of handing over hundreds of kernels, one by one."""

from collections.abc import Callable
from typing import Any

import torch


@torch.inference_mode()
def recorded(work: Callable[[], None], device: torch.device, pool: Any = None) -> torch.cuda.CUDAGraph:
    """``work`` as one graph. It reads and writes the same memory at every replay and asks the device for no number.

    Graphs of one ``pool`` (``torch.cuda.graph_pool_handle``) share the memory of what is computed in between; they must
    never run at the same time. Record before anybody speaks: what other threads do on the device would spoil it.
    """
    beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    beside.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(beside):
        work()  # once outside, so that libraries have what they allocate at first use
    torch.cuda.current_stream(device).wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool):
        work()
    return graph
