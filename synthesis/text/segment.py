"""A text to the segments that are spoken one after the other.

Written here rather than taken from a library: sentence splitters know one language at a time and stop at the
sentence. A segment needs more: Chinese and English in one paragraph, an upper and a lower bound of length,
a short first one so that sound comes early, and offsets, so that a page can show where the text will be cut.
"""

import math
from dataclasses import dataclass

from synthesis.text.clean import has_speech
from synthesis.text.cuts import Cut, cut_strengths
from synthesis.text.language import Language, detect

MAX_CHARS = 120
"""Of Latin text; some eight seconds of speech."""
CHINESE_SHARE = 2 / 3
"""A Chinese character takes longer to say than a letter: 80 of them are the most a segment holds by default."""
MIN_CHARS = {Language.ZH: 10, Language.JA: 10}
MIN_CHARS_SPACED = 20
"""Below it a model has too little to find a melody; such sentences join a neighbour."""
FIRST_CHARS = {Language.ZH: 40, Language.JA: 40}
FIRST_CHARS_SPACED = 90
"""The first segment decides when the first sound is heard."""
UNCUT_FACTOR = 4
"""A single word or address may be this many times too long before even it is cut."""


@dataclass(frozen=True, slots=True)
class TextSegment:
    """``text`` is ``source[start:end]``, begins and ends with no white space, and has something to say."""

    index: int
    text: str
    language: str
    """``zh`` or ``en``; ``ja`` or ``other`` where the text is in a language that is not spoken here."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    language: Language


def split(text: str, *, max_chars: int = MAX_CHARS, default_language: str = Language.EN) -> tuple[TextSegment, ...]:
    """Cut a cleaned text (``clean.clean``) into segments; empty if there is nothing to say.

    Every letter and digit outside tags is in exactly one segment, in order. No segment passes ``max_chars`` characters
    (two thirds of it in Chinese) unless a single word does. ``default_language`` is for text without letters.
    Deterministic; linear in the text. Raises ValueError if ``max_chars`` is below 20.
    """
    if max_chars < 20:
        raise ValueError("segments of fewer than 20 characters say nothing")
    splitter = _Splitter(text, max_chars, Language(default_language))
    pieces = splitter.merge(splitter.early_start(splitter.shorten(splitter.sentences())))
    return tuple(
        TextSegment(index, text[piece.start : piece.end], piece.language.value, piece.start, piece.end)
        for index, piece in enumerate(pieces)
    )


class _Splitter:
    """The text, where it may be cut, and the bounds; each method is one step from pieces to pieces."""

    def __init__(self, text: str, max_chars: int, default: Language) -> None:
        self.text = text
        self.strengths = cut_strengths(text)
        self.max_chars = max_chars
        self.default = default

    def sentences(self) -> list[_Piece]:
        """Whole sentences with something to say, each with its own language."""
        ends = [at for at, strength in enumerate(self.strengths) if strength >= Cut.SENTENCE and at > 0]
        spans = list(zip([0, *ends], ends, strict=False))
        return self._pieces(spans, detect(self.text) or self.default)

    def shorten(self, sentences: list[_Piece]) -> list[_Piece]:
        """Sentences over the bound, cut at the best places near equal parts."""
        pieces: list[_Piece] = []
        for sentence in sentences:
            if sentence.end - sentence.start <= self._most(sentence.language):
                pieces.append(sentence)
            else:
                pieces += self._pieces(self._parts(sentence), sentence.language)
        return pieces

    def early_start(self, pieces: list[_Piece]) -> list[_Piece]:
        """The first piece, cut at a clause if it would keep the listener waiting."""
        if not pieces:
            return pieces
        first = pieces[0]
        limit = FIRST_CHARS.get(first.language, FIRST_CHARS_SPACED)
        if first.end - first.start <= limit:
            return pieces
        least = self._least(first.language)
        for at in range(min(first.start + limit, first.end - least), first.start + least - 1, -1):
            if self.strengths[at] >= Cut.CLAUSE:
                halves = self._pieces([(first.start, at), (at, first.end)], first.language)
                return [*halves, *pieces[1:]]
        return pieces

    def merge(self, pieces: list[_Piece]) -> list[_Piece]:
        """Very short pieces joined to a neighbour of the same language."""
        merged: list[_Piece] = []
        for piece in pieces:
            if merged and self._belongs(merged[-1], piece) and self._fits(merged, piece):
                merged[-1] = _Piece(merged[-1].start, piece.end, piece.language)
            else:
                merged.append(piece)
        # The last one had no successor to wait for.
        if len(merged) > 1 and self._is_short(merged[-1]) and self._fits(merged[:-1], merged[-1]):
            last = merged.pop()
            merged[-1] = _Piece(merged[-1].start, last.end, last.language)
        return merged

    def _belongs(self, before: _Piece, piece: _Piece) -> bool:
        if self._is_short(before):
            return True
        # A short line of its own is a heading more often than an afterthought: it waits for what follows.
        heading = max(self.strengths[before.end : piece.start + 1]) >= Cut.PARAGRAPH
        return self._is_short(piece) and not heading

    def _fits(self, merged: list[_Piece], piece: _Piece) -> bool:
        before = merged[-1]
        if before.language is not piece.language:
            return False
        limit = self._most(piece.language)
        if len(merged) == 1:
            limit = min(limit, FIRST_CHARS.get(piece.language, FIRST_CHARS_SPACED))
        return piece.end - before.start <= limit

    def _is_short(self, piece: _Piece) -> bool:
        return piece.end - piece.start < self._least(piece.language)

    def _least(self, language: Language) -> int:
        return MIN_CHARS.get(language, MIN_CHARS_SPACED)

    def _most(self, language: Language) -> int:
        return int(self.max_chars * CHINESE_SHARE) if language in MIN_CHARS else self.max_chars

    def _pieces(self, spans: list[tuple[int, int]], fallback: Language) -> list[_Piece]:
        """Spans without the white space around them and without those that say nothing."""
        pieces: list[_Piece] = []
        for start, end in spans:
            part = self.text[start:end]
            if not has_speech(part):
                continue
            fallback = detect(part) or fallback
            start += len(part) - len(part.lstrip())
            pieces.append(_Piece(start, start + len(part.strip()), fallback))
        return pieces

    def _parts(self, sentence: _Piece) -> list[tuple[int, int]]:
        parts: list[tuple[int, int]] = []
        start, limit = sentence.start, self._most(sentence.language)
        while sentence.end - start > limit:
            at = self._best_cut(start, sentence.end, limit)
            parts.append((start, at))
            start = at
        return [*parts, (start, sentence.end)] if start < sentence.end else parts

    def _best_cut(self, start: int, end: int, limit: int) -> int:
        """The strongest cut that leaves a piece of a third of ``limit`` to ``limit``; of equals, the most even one."""
        even = start + (end - start) / math.ceil((end - start) / limit)
        window = range(start + limit // 3, start + limit + 1)
        best: int = max(window, key=lambda at: (self.strengths[at], -abs(at - even)))
        if self.strengths[best]:
            return best
        last = min(start + limit * UNCUT_FACTOR, end)
        elsewhere: list[int] = [*range(start + limit // 3 - 1, start, -1), *range(start + limit + 1, last)]
        return next((at for at in elsewhere if self.strengths[at]), last)
