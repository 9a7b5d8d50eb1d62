"""The voices that come with the portal: the embedded engine's presets, each with a recording of itself.

Another engine does not know the presets and takes the recording as its reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthesis.audio import wav
from synthesis.models import Voice
from synthesis.outputs import store
from synthesis.voices import library


def add_missing() -> Iterator[Voice]:
    """Render and add every preset that has no voice yet."""
    # Imported here: the engine loads torch, which the web process never does.
    from synthesis.engines.embedded.presets import PRESETS  # noqa: PLC0415
    from synthesis.engines.embedded.sampling import render_sample  # noqa: PLC0415

    known = set(Voice.objects.filter(origin=Voice.Origin.READY_MADE).values_list("preset", flat=True))
    for preset in PRESETS:
        if preset.id in known:
            continue
        samples, rate = render_sample(preset.id)
        with store.scratch() as directory:
            wav.write_wav(directory / "sample.wav", samples, rate)
            yield library.add_ready_made(
                preset=preset.id,
                name=f"{preset.name_zh} {preset.name_en}",
                description=preset.description_en,
                language=preset.language,
                transcript=preset.sample_text,
                source=directory / "sample.wav",
            )
