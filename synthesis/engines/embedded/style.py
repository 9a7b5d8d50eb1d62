"""Instructions in plain Chinese or English to a handful of numbers.

An instruction is read for words that the tables know. Words of degree before a known word make it stronger or
weaker, words of negation switch it off. What is not understood changes nothing, and a warning says so.
"""

import logging
import re
from dataclasses import dataclass, fields, replace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Style:
    """How a sentence is to be said, relative to plain reading. Zero is no change."""

    rate: float = 0.0
    """Natural logarithm of the tempo."""
    range: float = 0.0
    """Natural logarithm of the pitch range."""
    semitones: float = 0.0
    breath: float = 0.0
    """Noise mixed into voiced sounds, 0-1."""
    tilt_db: float = 0.0
    """Decibels per octave above 500 Hz; negative is softer."""
    gain_db: float = 0.0
    whisper: float = 0.0
    """1: no voice at all."""


PLAIN = Style()

TRAITS: dict[str, Style] = {
    "gentle": Style(rate=-0.10, range=-0.20, semitones=-0.6, breath=0.10, tilt_db=-1.2, gain_db=-4.0),
    "fast": Style(rate=0.30),
    "slow": Style(rate=-0.30),
    "cheerful": Style(rate=0.06, range=0.35, semitones=2.0, tilt_db=0.5, gain_db=1.0),
    "sad": Style(rate=-0.20, range=-0.50, semitones=-2.0, breath=0.06, tilt_db=-1.0, gain_db=-3.0),
    "whisper": Style(rate=-0.05, gain_db=-8.0, whisper=1.0),
    "loud": Style(range=0.12, semitones=1.2, tilt_db=1.2, gain_db=5.0),
    "quiet": Style(range=-0.15, semitones=-0.8, tilt_db=-0.8, gain_db=-6.0),
    "low": Style(semitones=-3.5),
    "high": Style(semitones=3.5),
    "angry": Style(rate=0.10, range=0.25, semitones=1.0, tilt_db=1.5, gain_db=4.0),
    "excited": Style(rate=0.20, range=0.40, semitones=2.5, tilt_db=0.8, gain_db=2.5),
    "calm": Style(rate=-0.10, range=-0.30, tilt_db=-0.4, gain_db=-1.5),
    "serious": Style(rate=-0.08, range=-0.25, semitones=-1.0, tilt_db=0.3),
    "breathy": Style(breath=0.30, tilt_db=-1.0),
    "monotone": Style(range=-1.6),
    "expressive": Style(range=0.45),
    "clear": Style(rate=-0.12, tilt_db=0.6),
    "tired": Style(rate=-0.22, range=-0.40, semitones=-1.5, breath=0.10, tilt_db=-0.8, gain_db=-3.0),
    "afraid": Style(rate=0.12, range=0.10, semitones=2.5, breath=0.12, gain_db=-2.0),
    "surprised": Style(range=0.50, semitones=2.5, gain_db=1.0),
}

WORDS: dict[str, str] = {
    "gentle": r"gentl[ey]|gentler|soft(?:er|ly)?|tender(?:ly)?|kindly|warm(?:ly)?|温柔|轻柔|柔和|柔声|温和|温暖|亲切",
    "fast": r"fast(?:er)?|quick(?:er|ly)?|rapid(?:ly)?|speed(?:y| up)|hurr(?:y|ied(?:ly)?)|快速|语速快|加快|赶紧|急促|快(?!乐|活)",
    "slow": r"slow(?:er|ly)?|unhurried(?:ly)?|take your time|慢|缓缓|不慌不忙|从容",
    "cheerful": r"cheer(?:ful(?:ly)?|y)|happ(?:y|ily|ier)|joy(?:ful(?:ly)?|ous(?:ly)?)?|glad(?:ly)?|delighted|开心|高兴|快乐|欢快|愉快|喜悦|活泼",
    "sad": r"sad(?:ly|der|ness)?|sorrow(?:ful(?:ly)?)?|melanchol(?:y|ic)|unhapp(?:y|ily)|depressed|悲伤|伤心|难过|忧伤|悲痛|哀伤|忧郁|沮丧",
    "whisper": r"whisper(?:s|ed|ing)?|under (?:your|one's) breath|耳语|悄悄话|悄声|气声|说悄悄",
    "loud": r"loud(?:er|ly)?|shout(?:s|ed|ing)?|yell(?:ing)?|大声|响亮|高声|喊",
    "quiet": r"quiet(?:er|ly)?|小声|低声|轻声|安静",
    "low": r"(?:low|lower|deep|deeper)(?: |-)?(?:voice|pitch|pitched|tone)|deep(?:er|ly)?|in a low|低沉|低音|压低|低一点|音调低|嗓音低|浑厚",
    "high": r"high(?:er)?(?: |-)?(?:voice|pitch|pitched|tone)|in a high|高音|音调高|高一点|尖细|尖声|嗓音高",
    "angry": r"ang(?:ry|rily|er)|furious(?:ly)?|mad|生气|愤怒|恼火|发怒|气愤",
    "excited": r"excit(?:ed(?:ly)?|ement|ing)|enthusiastic(?:ally)?|energetic(?:ally)?|兴奋|激动|热情|激昂|充满活力",
    "calm": r"calm(?:er|ly)?|peaceful(?:ly)?|relax(?:ed)?|sooth(?:e|ing)(?:ly)?|平静|冷静|放松|舒缓|沉稳|安详",
    "serious": r"serious(?:ly)?|formal(?:ly)?|solemn(?:ly)?|stern(?:ly)?|严肃|正式|庄重|认真|郑重",
    "breathy": r"breath(?:y|ily)|airy|气息感",
    "monotone": r"monoton(?:e|ous(?:ly)?)|flat(?:ly)?|robot(?:ic(?:ally)?)?|机器人|单调|平淡",
    "expressive": r"expressive(?:ly)?|lively|dramatic(?:ally)?|抑扬顿挫|有感情|生动|富有表现力",
    "clear": r"clear(?:er|ly)?|articulate(?:ly)?|distinct(?:ly)?|清晰|清楚|字正腔圆",
    "tired": r"tired(?:ly)?|sleepy|exhausted|weary|wearily|疲惫|疲倦|困倦|累",
    "afraid": r"afraid|scared|fear(?:ful(?:ly)?)?|nervous(?:ly)?|anxious(?:ly)?|害怕|恐惧|紧张|惊慌",
    "surprised": r"surpris(?:ed|e)|astonished|amazed|惊讶|吃惊|惊奇",
}
PATTERNS = {trait: re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])") for trait, pattern in WORDS.items()}
NEGATED = re.compile(
    r"(?:(?<![a-z])(?:not|no|never|without|less|don't|do not|isn't)(?: (?:be|too|so|sound|very|at all))*\s*|(?:不要|不用|不|别|勿|没有|无)(?:太|那么|很|要|得)?)$"
)
STRONG = re.compile(
    r"(?:(?<![a-z])(?:very|much|really|extremely|so|far|highly)\s*|(?:非常|很|十分|特别|更加|更|极其|极|超级|最)(?:地|的)?)$"
)
MILD = re.compile(
    r"(?:(?<![a-z])(?:slightly|a little|a bit|somewhat|a touch)\s*(?:more )?|(?:稍微|稍稍|稍|有点|有些|略微|略|一点点))$"
)
LIMITS = Style(rate=0.6, range=1.6, semitones=7.0, breath=0.6, tilt_db=3.0, gain_db=9.0, whisper=1.0)
"""Largest size of each number after adding up."""


def parse(instruct: str) -> Style:
    """The style an instruction asks for; PLAIN for an empty one. Traits add up, within LIMITS."""
    text = instruct.casefold().replace("\u2019", "'").strip()
    if not text:
        return PLAIN
    found = [scaled(TRAITS[trait], degree) for trait, degree in understood(text)]
    if not found:
        logger.warning("The instruction %r is not understood by this engine and changes nothing.", instruct)
    return limited(found)


def understood(text: str) -> list[tuple[str, float]]:
    """Traits that ``text`` names and does not negate, with their degree."""
    degrees: dict[str, float] = {}
    for trait, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            before = text[: match.start()]
            if not NEGATED.search(before):
                degrees[trait] = max(degrees.get(trait, 0.0), degree_of(before))
    return sorted(degrees.items())


def degree_of(before: str) -> float:
    """How strongly the words before a trait ask for it."""
    if STRONG.search(before):
        return 1.35
    return 0.6 if MILD.search(before) else 1.0


def scaled(style: Style, degree: float) -> Style:
    """The style in another strength; a whisper stays a whisper."""
    values = {f.name: getattr(style, f.name) * degree for f in fields(Style)}
    return replace(Style(**values), whisper=style.whisper)


def limited(styles: list[Style]) -> Style:
    """The sum of ``styles``, every number within LIMITS."""
    sums = {f.name: sum(getattr(style, f.name) for style in styles) for f in fields(Style)}
    bounds = {name: getattr(LIMITS, name) for name in sums}
    return Style(**{name: max(-bounds[name], min(bounds[name], value)) for name, value in sums.items()})
