"""Where a text may be cut, and how well: one number for each position.

Position ``i`` is the place before character ``i``. White space belongs to what stands before it, closing
quotes and brackets to what they close, so a piece never begins with either.
"""

import re
from enum import IntEnum

from synthesis.text.abbreviations import BEFORE_NUMBER, NEVER_LAST, OFTEN_LAST, SELDOM_LAST, STARTERS
from synthesis.text.scripts import HAN, KANA, LATIN, MARKS


class Cut(IntEnum):
    """How good a place is to cut, from never to always."""

    NEVER = 0
    CHARACTER = 1
    """Between two characters of a script without spaces: the last resort."""
    PARTICLE = 2
    """After a Chinese particle, where a word is likely to end."""
    SPACE = 3
    CLAUSE = 4
    SENTENCE = 5
    PARAGRAPH = 6


CLOSERS = "”’』」）】》〉〕］｝)]}›»"
OPENERS = "“‘『「（【《〈〔［｛([{‹«"

_LETTER = f"(?:[^\\W_{HAN}{KANA}]|[{MARKS}])"
_TOKEN = re.compile(
    rf"""
      (?P<unspaced>[{HAN}{KANA}]+)
    | (?P<newline>[^\S\n]*\n\s*)
    | (?P<space>\s+)
    | (?P<tag><[^<>\n]{{1,80}}>|\[[A-Za-z_-]{{2,20}}\])
    | (?P<address>(?:[a-z][a-z0-9+.-]{{1,9}}://|www\.)[^\s<>"\x80-\U0010ffff]*[\w/=&\#-]
        |[A-Za-z0-9._%+-]{{1,64}}@[A-Za-z0-9-]{{1,63}}(?:\.[A-Za-z0-9-]{{1,63}})+)
    | (?P<marks>[{MARKS}\u200d]+)
    | (?P<word>(?:(?<![\w)])[$€£¥￥+\-\#@.](?=\d))?{_LETTER}+
        (?:(?:[.'’_&\-]|(?<=\d)[,:/~](?=\d)){_LETTER}+)*[%‰°+\#]*)
    | (?P<stop>[.!?。！？；…｡．‼⁇⁈⁉]+)
    | (?P<clause>[，、：,:;—–]+)
    | (?P<quote>["'])
    | (?P<closer>[{re.escape(CLOSERS)}])
    | (?P<opener>[{re.escape(OPENERS)}])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_PARTICLE = re.compile("[的了着过吗吧呢啊]")
_UNSPACED = re.compile(f"[{HAN}{KANA}]")
_WIDE_STOP = re.compile("[。！？；…｡．]")
_WORD = re.compile(f"[{LATIN}]+")
_DOTTED = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]")


def cut_strengths(text: str) -> bytearray:
    """A ``Cut`` for each position 0 to len(text); both ends are ``PARAGRAPH``. Linear in the text."""
    return _Scanner(text).scan()


class _Scanner:
    """One pass over the tokens of a text; every token settles the position behind it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.strengths = bytearray(len(text) + 1)
        self.line = 0
        self.word = (0, 0)
        self.in_quotes = False

    def scan(self) -> bytearray:
        handlers = {
            "unspaced": self._unspaced,
            "marks": self._marks,
            "newline": self._newline,
            "space": self._space,
            "word": self._on_word,
            "stop": self._stop,
            "clause": self._clause,
            "quote": self._quote,
            "closer": self._closer,
            "opener": self._opener,
        }
        strengths = self.strengths
        for match in _TOKEN.finditer(self.text):
            kind = match.lastgroup or "other"
            handler = handlers.get(kind)
            if handler is not None:
                handler(*match.span())
            else:
                strengths[match.end()] = Cut.CHARACTER
        for match in _PARTICLE.finditer(self.text):
            if strengths[match.end()] == Cut.CHARACTER:
                strengths[match.end()] = Cut.PARTICLE
        strengths[0] = strengths[len(self.text)] = Cut.PARAGRAPH
        return strengths

    def _unspaced(self, start: int, end: int) -> None:
        self.strengths[start + 1 : end + 1] = bytes([Cut.CHARACTER]) * (end - start)

    def _marks(self, start: int, end: int) -> None:
        """Accents stay with their letter, and what a joiner joins stays one."""
        self.strengths[start] = Cut.NEVER
        self.strengths[end] = Cut.NEVER if self.text[end - 1] == "\u200d" else Cut.CHARACTER

    def _newline(self, start: int, end: int) -> None:
        self.line = end
        self.strengths[start] = Cut.NEVER
        self.strengths[end] = Cut.PARAGRAPH
        self.in_quotes = False

    def _space(self, start: int, end: int) -> None:
        self.strengths[end] = max(self.strengths[start], Cut.SPACE)
        self.strengths[start] = Cut.NEVER

    def _on_word(self, start: int, end: int) -> None:
        self.word = (start, end)
        # A number stays with its measure word: 3 个.
        self.strengths[end] = Cut.NEVER if self.text[end - 1] in "0123456789%" else Cut.CHARACTER

    def _clause(self, start: int, end: int) -> None:
        self.strengths[start] = Cut.NEVER
        spaced, following, _ = self._next(end)
        tight = self.text[start:end].isascii() and not spaced and following[:1].isascii() and following != ""
        self.strengths[end] = Cut.CHARACTER if tight else Cut.CLAUSE

    def _opener(self, _start: int, end: int) -> None:
        self.strengths[end] = Cut.NEVER

    def _closer(self, start: int, end: int) -> None:
        self.strengths[end] = max(self.strengths[start], Cut.CHARACTER)
        self.strengths[start] = Cut.NEVER

    def _quote(self, start: int, end: int) -> None:
        """Straight quotes do not say which way they face: count them, or look at what stands before."""
        if self.text[start] == '"':
            opens = not self.in_quotes
            self.in_quotes = opens
        else:
            opens = start == 0 or self.text[start - 1].isspace() or self.text[start - 1] in OPENERS
        (self._opener if opens else self._closer)(start, end)

    def _stop(self, start: int, end: int) -> None:
        strength = self._stop_strength(start, end)
        self.strengths[start] = Cut.NEVER
        self.strengths[end] = strength

    def _stop_strength(self, start: int, end: int) -> Cut:
        run = self.text[start:end]
        if _WIDE_STOP.search(run):
            return Cut.SENTENCE
        spaced, following, quoted = self._next(end)
        if not following or "\n" in spaced:
            return Cut.NEVER if run == "." and self._numbers_a_list(start) else Cut.SENTENCE
        if not spaced and not _UNSPACED.match(following) and not ((quoted or run != ".") and following[0].isupper()):
            return Cut.CHARACTER
        if run == "." and not self._full_stop(start, following):
            return Cut.NEVER
        # "Stop!" he said. -- and so on... and on.
        goes_on = following[0].islower() and (quoted or run.startswith(".."))
        return Cut.CLAUSE if goes_on else Cut.SENTENCE

    def _full_stop(self, start: int, following: str) -> bool:
        """Whether a single full stop at ``start`` ends a sentence, given what follows."""
        if self._numbers_a_list(start):
            return False
        begin, end = self.word
        if end != start:
            return True
        word = self.text[begin:end]
        lower = word.lower()
        if lower in NEVER_LAST:
            return False
        if lower in BEFORE_NUMBER and following[0].isdigit():
            return False
        if lower in OFTEN_LAST:
            return not (following[0].islower() or following[0].isdigit())
        initial = len(word) == 1 and word.isupper()
        if lower in SELDOM_LAST or initial or _DOTTED.fullmatch(word):
            first = _WORD.match(following)
            return bool(_UNSPACED.match(following)) or (
                first is not None and following[0].isupper() and first.group().lower() in STARTERS
            )
        return True

    def _numbers_a_list(self, start: int) -> bool:
        """``1.`` at the beginning of a line."""
        begin, end = self.word
        return end == start and begin == self.line and end - begin <= 3 and self.text[begin:end].isdigit()

    def _next(self, at: int) -> tuple[str, str, bool]:
        """Behind the closing marks at ``at``: white space, up to 24 characters, and whether a mark was a quote."""
        text, behind = self.text, at
        closers = CLOSERS + ("\"'" if self.in_quotes else "'")
        while behind < len(text) and text[behind] in closers:
            behind += 1
        quoted = any(mark in "”’』」\"'" for mark in text[at:behind])
        first = behind
        while first < len(text) and text[first].isspace():
            first += 1
        return text[behind:first], text[first : first + 24], quoted
