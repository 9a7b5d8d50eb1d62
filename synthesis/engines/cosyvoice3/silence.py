"""Long silences are cut short before they are rendered; the language model still hears all of them."""

from collections.abc import Iterable, Iterator

SILENT_IDS = frozenset({1, 2, 28, 29, 55, 248, 494, 2241, 2242, 2322, 2323})
"""Speech tokens of the released quantiser that sound of nothing."""
MOST_IN_A_ROW = 5
"""40 ms each: 0.2 s of silence at most."""


def without_long_silences(tokens: Iterable[int]) -> Iterator[int]:
    """``tokens`` with only the first MOST_IN_A_ROW of every run of silent ones."""
    run = 0
    for token in tokens:
        run = run + 1 if token in SILENT_IDS else 0
        if run <= MOST_IN_A_ROW:
            yield token
