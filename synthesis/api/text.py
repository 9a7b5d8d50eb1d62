"""How a text will be cut, before it is spoken."""

from __future__ import annotations

from ninja import Field, Router, Schema

from synthesis.api.auth import ApiRequest
from synthesis.api.errors import answers
from synthesis.api.limits import PerUser
from synthesis.text import clean, duration, segment

router = Router(tags=["text"])


class TextRequest(Schema):
    text: str = Field(max_length=2 * clean.MAX_TEXT_CHARS, examples=["你好。Hello there."])


class TextSegment(Schema):
    start: int = Field(description="Offsets into the answer's `text`, in characters (Unicode code points).")
    end: int
    text: str
    language: str = Field(examples=["zh", "en"])
    duration_s: float = Field(description="About, at speed 1.")


class SplitAnswer(Schema):
    text: str = Field(description="The text as it is kept: without control characters and stray white space.")
    segments: list[TextSegment]
    duration_s: float


@router.post(
    "/split",
    response=answers({200: SplitAnswer}, 400, 403, 413, 422, 429),
    throttle=[PerUser("split", 600)],
    summary="Preview how a text is cut into segments",
    url_name="split",
)
def split(request: ApiRequest, body: TextRequest) -> SplitAnswer:
    """Nothing is stored. An empty list: there is nothing to say."""
    text = clean.clean(body.text)
    segments = [
        TextSegment(
            start=piece.start,
            end=piece.end,
            text=piece.text,
            language=piece.language,
            duration_s=round(duration.estimate_duration_s(piece.text), 2),
        )
        for piece in segment.split(text)
    ]
    return SplitAnswer(text=text, segments=segments, duration_s=round(sum(s.duration_s for s in segments), 2))
