"""The ready-made voices, as data, and a recording of each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A voice that needs no reference: how far it is from eSpeak's own voice."""

    id: str
    name_en: str
    name_zh: str
    description_en: str
    description_zh: str
    language: str
    """``zh`` or ``en``: what the voice suits best and its sample speaks. Every voice speaks both."""
    sample_text: str
    pitch_hz: float
    spread_semitones: float
    tract: float
    """Length of the vocal tract relative to eSpeak's man: under 1 is shorter, formants go up."""
    tint: tuple[float, ...] = ()
    """Added to the mel cepstrum from coefficient 1 on: the voice's own colour."""
    tilt_db: float = 0.0
    """Decibels per octave above 500 Hz."""
    breath: float = 0.0
    rate: float = 0.0
    """Natural logarithm of the tempo."""


PRESETS: tuple[Preset, ...] = (
    Preset(
        id="qingyan",
        name_en="Qingyan",
        name_zh="清妍",
        description_en="A clear woman's voice, friendly and even",
        description_zh="清亮的女声，亲切平稳",
        language="zh",
        sample_text="你好，我是清妍。很高兴为你朗读今天的内容，希望你会喜欢。",
        pitch_hz=205.0,
        spread_semitones=3.0,
        tract=0.97,
        tint=(-3.0, -2.0, -4.0, -2.0),
    ),
    Preset(
        id="mingyuan",
        name_en="Mingyuan",
        name_zh="明远",
        description_en="A calm man's voice for news and narration",
        description_zh="沉稳的男声，适合新闻与旁白",
        language="zh",
        sample_text="你好，我是明远。窗外下着小雨，我们来读一段安静的文字吧。",
        pitch_hz=118.0,
        spread_semitones=2.8,
        tract=1.01,
        tint=(4.0, 1.0, 1.0, 2.0),
    ),
    Preset(
        id="xiaohe",
        name_en="Xiaohe",
        name_zh="小禾",
        description_en="A bright young voice, light and lively",
        description_zh="明亮的少年音，轻快活泼",
        language="zh",
        sample_text="你好，我是小禾！今天天气真好，我们一起出去走走，好不好？",
        pitch_hz=248.0,
        spread_semitones=3.4,
        tract=0.955,
        tint=(-6.0, 1.0, -3.0, -4.0, 2.0),
        rate=0.04,
    ),
    Preset(
        id="alice",
        name_en="Alice",
        name_zh="爱丽丝",
        description_en="A warm woman's voice for English stories",
        description_zh="温暖的女声，适合英文故事",
        language="en",
        sample_text="Hello, my name is Alice. I would love to read your next story out loud.",
        pitch_hz=190.0,
        spread_semitones=2.8,
        tract=0.98,
        tint=(1.0, 3.0, -4.0, 0.0, 2.0),
    ),
    Preset(
        id="henry",
        name_en="Henry",
        name_zh="亨利",
        description_en="A deep man's voice, slow and clear",
        description_zh="低沉的男声，从容清晰",
        language="en",
        sample_text="Good evening, this is Henry. Here is the news of the day, told slowly and clearly.",
        pitch_hz=100.0,
        spread_semitones=2.6,
        tract=1.02,
        tint=(6.0, -2.0, 3.0, 1.0, -2.0),
        rate=-0.03,
    ),
    Preset(
        id="robin",
        name_en="Robin",
        name_zh="罗宾",
        description_en="A neutral voice between a woman's and a man's",
        description_zh="中性的声音，介于男女声之间",
        language="en",
        sample_text="Hi, I am Robin. Tell me what to say, and I will say it in my own way.",
        pitch_hz=155.0,
        spread_semitones=2.7,
        tract=0.99,
        tint=(0.0, -3.0, 0.0, 3.0),
    ),
)

DEFAULT_PRESET = PRESETS[0].id
BY_ID = {preset.id: preset for preset in PRESETS}


def preset_by_id(preset_id: str) -> Preset:
    """The preset of that id. Raises KeyError."""
    return BY_ID[preset_id]
