"""What instructions can ask for, and the words they ask with."""

from dataclasses import dataclass


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
    "gentle": (
        r"gentl[ey]|gentler|soft(?:er|ly)?|tender(?:ly)?|kindly|warm(?:ly)?|"
        r"温柔|轻柔|柔和|柔声|温和|温暖|亲切"
    ),
    "fast": (
        r"fast(?:er)?|quick(?:er|ly)?|rapid(?:ly)?|speed(?:y| up)|"
        r"hurr(?:y|ied(?:ly)?)|"
        r"快速|语速快|加快|赶紧|急促|快(?!乐|活)"
    ),
    "slow": (
        r"slow(?:er|ly)?|unhurried(?:ly)?|take your time|"
        r"慢|缓缓|不慌不忙|从容"
    ),
    "cheerful": (
        r"cheer(?:ful(?:ly)?|y)|happ(?:y|ily|ier)|joy(?:ful(?:ly)?|ous(?:ly)?)?|"
        r"glad(?:ly)?|delighted|"
        r"开心|高兴|快乐|欢快|愉快|喜悦|活泼"
    ),
    "sad": (
        r"sad(?:ly|der|ness)?|sorrow(?:ful(?:ly)?)?|melanchol(?:y|ic)|"
        r"unhapp(?:y|ily)|depressed|"
        r"悲伤|伤心|难过|忧伤|悲痛|哀伤|忧郁|沮丧"
    ),
    "whisper": (
        r"whisper(?:s|ed|ing)?|under (?:your|one's) breath|"
        r"耳语|悄悄话|悄声|气声|说悄悄"
    ),
    "loud": (
        r"loud(?:er|ly)?|shout(?:s|ed|ing)?|yell(?:ing)?|"
        r"大声|响亮|高声|喊"
    ),
    "quiet": (
        r"quiet(?:er|ly)?|"
        r"小声|低声|轻声|安静"
    ),
    "low": (
        r"(?:low|lower|deep|deeper)(?: |-)?(?:voice|pitch|pitched|tone)|"
        r"deep(?:er|ly)?|in a low|"
        r"低沉|低音|压低|低一点|音调低|嗓音低|浑厚"
    ),
    "high": (
        r"high(?:er)?(?: |-)?(?:voice|pitch|pitched|tone)|in a high|"
        r"高音|音调高|高一点|尖细|尖声|嗓音高"
    ),
    "angry": (
        r"ang(?:ry|rily|er)|furious(?:ly)?|mad|"
        r"生气|愤怒|恼火|发怒|气愤"
    ),
    "excited": (
        r"excit(?:ed(?:ly)?|ement|ing)|enthusiastic(?:ally)?|energetic(?:ally)?|"
        r"兴奋|激动|热情|激昂|充满活力"
    ),
    "calm": (
        r"calm(?:er|ly)?|peaceful(?:ly)?|relax(?:ed)?|sooth(?:e|ing)(?:ly)?|"
        r"平静|冷静|放松|舒缓|沉稳|安详"
    ),
    "serious": (
        r"serious(?:ly)?|formal(?:ly)?|solemn(?:ly)?|stern(?:ly)?|"
        r"严肃|正式|庄重|认真|郑重"
    ),
    "breathy": (
        r"breath(?:y|ily)|airy|"
        r"气息感"
    ),
    "monotone": (
        r"monoton(?:e|ous(?:ly)?)|flat(?:ly)?|robot(?:ic(?:ally)?)?|"
        r"机器人|单调|平淡"
    ),
    "expressive": (
        r"expressive(?:ly)?|lively|dramatic(?:ally)?|"
        r"抑扬顿挫|有感情|生动|富有表现力"
    ),
    "clear": (
        r"clear(?:er|ly)?|articulate(?:ly)?|distinct(?:ly)?|"
        r"清晰|清楚|字正腔圆"
    ),
    "tired": (
        r"tired(?:ly)?|sleepy|exhausted|weary|wearily|"
        r"疲惫|疲倦|困倦|累"
    ),
    "afraid": (
        r"afraid|scared|fear(?:ful(?:ly)?)?|nervous(?:ly)?|anxious(?:ly)?|"
        r"害怕|恐惧|紧张|惊慌"
    ),
    "surprised": (
        r"surpris(?:ed|e)|astonished|amazed|"
        r"惊讶|吃惊|惊奇"
    ),
}
"""Trait to a regular expression over lower-case text, English first."""
