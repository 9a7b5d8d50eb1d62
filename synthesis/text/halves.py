"""A segment that is too much for the machine, cut once more."""

from synthesis.text.clean import has_speech
from synthesis.text.cuts import Cut, cut_strengths

MARGIN = 1 / 4
"""The cut is looked for in the middle half first: very uneven pieces help little."""


def halves(text: str) -> tuple[str, str] | None:
    """``text`` cut near its middle at the most natural place; None if no cut leaves something to say on both sides.

    Deterministic. The pieces have no white space around them; together they hold every letter of ``text``.
    """
    strengths = cut_strengths(text)
    low, high = round(len(text) * MARGIN), round(len(text) * (1 - MARGIN))
    for window in (range(low, high + 1), range(1, len(text))):
        places = sorted(
            (at for at in window if 0 < at < len(text) and strengths[at] > Cut.NEVER),
            key=lambda at: (-strengths[at], abs(at - len(text) / 2), at),
        )
        for at in places:
            first, second = text[:at].strip(), text[at:].strip()
            if has_speech(first) and has_speech(second):
                return first, second
    return None
