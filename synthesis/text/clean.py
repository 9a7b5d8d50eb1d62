"""What people paste, made fit to keep (``clean``) and fit to say (``spoken``)."""

import re
import unicodedata

from synthesis.text.scripts import HAN, KANA

MAX_TEXT_CHARS = 20_000
"""Of one job, after cleaning; about an hour of speech. The edges refuse more."""

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"  # soft hyphen, fillers
    "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero-width, direction
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # lone surrogates, non-characters
    "\U000e0000-\U000e0fff]"  # tags
)
_PICTURE = "\U0001f000-\U0001faff\u2600-\u27bf\ufe0f"
_STRAY_JOINER = re.compile(f"(?<![{_PICTURE}])\u200d|\u200d(?![{_PICTURE}])")
_SPACE = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3164\uffa0]")
_LINE_TAIL = re.compile("[ \u3000]+(?=\n)")
_BLANK_LINES = re.compile("\n{3,}")

_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,80}>|<!--[^<>]{0,200}-->|<\|[^<>|\n]{1,40}\|>|\[[A-Za-z_-]{2,20}\](?!\()")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,200})\]\([^()\s]{1,500}\)")
_ENTITY = re.compile("&(?:amp|lt|gt|quot|nbsp|#39);")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": " ", "&#39;": "'"}
_LINE_MARKUP = re.compile(r"^ {0,3}(?:#{1,6} +|> ?|[-*+•·] +|```.*$|[-=*_]{3,} *$)", re.MULTILINE)
_INLINE_MARKUP = re.compile(r"\*\*|__|~~|`+|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_PICTURES = re.compile(f"[{_PICTURE}\u200d\u20e3\u2190-\u21ff\u2300-\u23ff\u25a0-\u25ff\u2b00-\u2bff]+")
_LINE_BREAK = re.compile(r"([^\s])[^\S\n]*\n\s*")
_UNSPACED = re.compile(f"[{HAN}{KANA}”』」）】》]")
_PAUSES = ".!?。！？；…,，、;:：—"


def clean(text: str) -> str:
    """``text`` as it is kept and shown: NFC, ``\\n`` line ends, no control or zero-width characters.

    Words, punctuation, markup and emoji stay as they are. Idempotent. At most one blank line in a row.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _SPACE.sub(" ", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFC", _STRAY_JOINER.sub("", text))
    return _BLANK_LINES.sub("\n\n", _LINE_TAIL.sub("", text)).strip()


def spoken(text: str) -> str:
    """``text`` as it is said: one line without markup, entities and emoji.

    A line that ends without a stop gets one, so that a heading does not run into what follows. Control signs
    such as ``<strong>`` or ``[laughter]`` go too: an engine that knows them takes the text as it is.
    """
    text = _TAG.sub(" ", _LINK.sub(r"\1", text))
    text = _ENTITY.sub(lambda match: _ENTITIES[match.group()], text)
    text = _INLINE_MARKUP.sub("", _LINE_MARKUP.sub("", text))
    text = _LINE_BREAK.sub(_end_line, _PICTURES.sub(" ", text).strip())
    return " ".join(text.split())


def has_speech(text: str) -> bool:
    """Whether there is a letter or digit outside tags: punctuation, symbols and emoji alone make no sound."""
    return any(map(str.isalnum, _TAG.sub(" ", text)))


def _end_line(match: re.Match[str]) -> str:
    last = match.group(1)
    if last in _PAUSES:
        return f"{last} "
    return f"{last}。" if _UNSPACED.match(last) else f"{last}. "
