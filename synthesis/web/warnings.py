"""What is about to run out, as sentences: for pages without JavaScript, and for the words that JavaScript shows."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from synthesis.monitor import machine
from synthesis.monitor.outlook import Warning  # noqa: A004 what the protocol calls it


def texts() -> dict[str, str]:
    """Code to sentence in the active language."""
    return {
        "memory_low": _("Memory is almost used up. Long jobs may fail; wait until others are done."),
        "memory_rising": _("Memory is filling up: at this rate it is full in about {minutes} min."),
        "gpu_memory_low": _("The memory of GPU {gpu} is almost used up."),
        "disk_low": _("The disk is almost full: finished audio may not fit any more."),
        "no_workers": _("No worker is running: jobs will wait."),
    }


def sentences(warnings: Sequence[Warning]) -> list[str]:
    known = texts()
    found = []
    for warning in warnings:
        text = known[warning["code"]].format(minutes=warning["minutes"], gpu=warning["gpu"])
        elsewhere = warning["host"] and warning["host"] != machine.NAME
        found.append(_("{host}: {text}").format(host=warning["host"], text=text) if elsewhere else text)
    return found
