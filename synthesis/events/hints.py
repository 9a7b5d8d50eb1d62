"""What a person can do about a known failure."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

HINTS: dict[str, str | Promise] = {
    "out_of_memory": _("The machine ran out of memory. Try a shorter text, or ask an administrator to free memory."),
    "reference_unusable": _(
        "The reference holds no usable voice. Choose or record another one: 3 to 15 seconds of clear speech."
    ),
    "voice_file_missing": _("The voice's recording is gone. Choose another voice and submit again."),
    "text_unspeakable": _("Nothing in this text can be spoken by this engine. Use Chinese or English words."),
    "weights_unusable": _(
        "The model files are missing or damaged. An administrator can check them with: python manage.py checkmodel"
    ),
    "storage_full": _("The disk is full. Ask an administrator to free space, then run the job again."),
    "database_lost": _("The portal's database did not answer. If this comes again, tell an administrator."),
    "redis_lost": _("The portal's Redis did not answer. Run the job again; if it fails again, tell an administrator."),
    "engine_child_killed": _(
        "The system ended a process of the engine, most often for lack of memory. Run the job again later."
    ),
    "segment_short": _("Words may be missing. Listen to the segment; if so, make it again with another seed."),
    "segment_long": _("Words may be repeated. Listen to the segment; if so, make it again with another seed."),
    "log_incomplete": _("The disk may be full. Ask an administrator to free space."),
    "attempts_exhausted": _(
        "The worker died several times at this job. An administrator finds the reason in the worker's log."
    ),
    "engine_error": _(
        "The engine stopped with an error. Run the job again; if it fails again, show this page to an administrator."
    ),
    "reference_low_sample_rate": _("The voice will sound duller than it could. Record again with at least 16 kHz."),
    "reference_clipped": _("The recording is too loud and distorted. Record again at a lower level."),
    "reference_narrow_band": _("The voice will sound duller than it could. Record again with a better microphone."),
    "reference_long_silence": _("Cut the silence away, so that only speech remains."),
    "reference_noisy": _("The noise becomes part of the voice. Record again in a quiet room."),
    "reference_quiet": _("The recording is very quiet. Record again closer to the microphone."),
}


def hint_for(code: str) -> str:
    """A sentence to act on, in the active language; empty if there is none."""
    return str(HINTS.get(code, ""))
