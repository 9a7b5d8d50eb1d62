"""Medians, and how sure they are: for figures of a machine that is never quite quiet."""

from __future__ import annotations

import math
import statistics

Sure = dict[str, float | list[float]]


def median(values: list[float]) -> Sure:
    """With the two order statistics that enclose it with 95 % probability: n/2 -+ 1.96 sqrt(n)/2, by the normal
    approximation of the binomial distribution."""
    ordered, count = sorted(values), len(values)
    away = 1.96 * math.sqrt(count) / 2
    low, high = max(math.floor(count / 2 - away), 0), min(math.ceil(count / 2 + away), count - 1)
    return {
        "median": round(statistics.median(ordered), 2),
        "within": [round(ordered[low], 2), round(ordered[high], 2)],
    }
