"""The words that JavaScript shows, translated by the server and handed over as JSON in every page."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from synthesis.events.hints import hint_for
from synthesis.events.wire import stage_label
from synthesis.models.job import STATUS_LABELS
from synthesis.text.duration import OddLength
from synthesis.vocabulary import Stage
from synthesis.web import places, warnings


def messages() -> dict[str, str]:
    """Key to text in the active language; ``{name}`` marks what the page fills in."""
    return {
        **{f"status.{status}": str(label) for status, label in STATUS_LABELS},
        **{f"stage.{stage}": stage_label(stage) for stage in Stage},
        **_connection(),
        **_jobs(),
        **places.messages(),
        **_batches(),
        **_steering(),
        **_again(),
        **_studio(),
        **_voices(),
        **_account(),
        **_system(),
    }


def _connection() -> dict[str, str]:
    return {
        "live": _("Live"),
        "connecting": _("Connecting…"),
        "reconnecting": _("Reconnecting in {seconds} s"),
        "offline": _("Offline"),
        "signed_out": _("Signed out"),
        "network_failed": _("The server cannot be reached. Check the connection and try again."),
        "too_large": _("This is larger than the server accepts."),
        "failed": _("That did not work."),
    }


def _jobs() -> dict[str, str]:
    return {
        "left": _("about {time} left"),
        "step": _("Step {step} of {total}"),
        "seconds": _("{seconds} s"),
        "play": _("Play"),
        "pause": _("Pause"),
        "copied": _("Copied"),
        "copy_failed": _("Copying was refused by the browser"),
        "play_failed": _("This audio cannot be played"),
        "waiting_for_segment": _("waiting for segment {segment}…"),
        "seed_saved": _("Seed saved"),
        "said_progress": _("{percent} percent, {stage}"),
        "said_status": _("Job is now: {status}"),
        "segments_ready": _("{done} of {total} segments ready"),
        "log_lines": _("{shown} of {count} lines"),
        "log_cleared": _("The view is cleared; the stored log is not."),
        "queue_now": _("{queued} waiting, {running} running"),
        "audio_position": _("{at} of {duration}"),
    }


def _batches() -> dict[str, str]:
    return {
        "pasted_texts": _("Pasted texts"),
        "batch_jobs.one": ngettext("{count} job", "{count} jobs", 1),
        "batch_jobs.other": ngettext("{count} job", "{count} jobs", 2),
        "batch_submit.one": ngettext("Make {count} job", "Make {count} jobs", 1),
        "batch_submit.other": ngettext("Make {count} job", "Make {count} jobs", 2),
        "batch_columns": _("columns: {names}"),
        "batch_ignored": _("not used: {names}"),
        "batch_problems.one": ngettext("{count} problem", "{count} problems", 1),
        "batch_problems.other": ngettext("{count} problem", "{count} problems", 2),
        "batch_taken": _("{taken} of {count} jobs"),
        "confirm_cancel_batch": _("Cancel every job of this batch that has not ended?"),
    }


def _steering() -> dict[str, str]:
    return {
        "command.pause": _("Pause"),
        "command.resume": _("Resume"),
        "command.cancel": _("Cancel job"),
        "command.speed": _("Speed"),
        "command.voice": _("Voice"),
        "command.instruct": _("Instruction"),
        "command.priority": _("Priority"),
        "asked": _("asked…"),
        "asked_redo": _("asked, the segment is redone…"),
        "lapsed": _("too late: the job had ended"),
        "applied": _("applied"),
        "applied_from": _("applied from segment {segment}"),
        "not_connected": _("There is no connection at the moment; nothing was sent."),
        "pausing": _("Pausing…"),
        "cancelling": _("Cancelling…"),
    }


def _again() -> dict[str, str]:
    return {
        "redo_segment": _("Make segment {number} again"),
        "redo_waits": _("It is made again when the job is resumed"),
        **{f"odd.{odd}": hint_for(odd) for odd in OddLength},
    }


def _studio() -> dict[str, str]:
    return {
        "characters": _("{count} of {limit} characters"),
        "estimate": _("about {time}, {segments} segments"),
        "submitted": _("Job submitted"),
        "submitted_many": _("{count} jobs submitted"),
        "seed_random": _("A new seed is drawn for every job"),
        "seed_locked": _("This seed is kept for the next jobs"),
    }


def _voices() -> dict[str, str]:
    return {
        "language.zh": _("Chinese"),
        "language.en": _("English"),
        "language.unknown": _("not stated"),
        "file_too_large": _("This file has {size}; at most {limit} are possible."),
        "uploading": _("Uploading… {percent} %"),
        "checking": _("Checking the recording…"),
        "voice_created": _("Voice created"),
        "microphone_denied": _("The microphone is blocked. Allow it in the browser's address bar, then try again."),
        "microphone_missing": _("No microphone was found."),
        "microphone_insecure": _(
            "Browsers only record on https pages or on localhost. Open the portal that way, or upload a file."
        ),
        "microphone_failed": _("The microphone could not be opened."),
        "recording_too_short": _("That was shorter than 1 second. Please record again."),
        "recording_name": _("Recording {date}"),
        "shared": _("Shared with the team"),
        "not_shared": _("Only you can use it now"),
        "deleted": _("Deleted"),
        "confirm_delete_voice": _("Delete the voice “{name}”? Finished audio stays."),
    }


def _account() -> dict[str, str]:
    return {
        "key_created": _("Key created. Copy it now: it is not shown again."),
        "key_revoked": _("Key revoked"),
        "confirm_revoke": _("Revoke the key “{name}”? Programs that use it stop working."),
        "worker.starting": _("starting"),
        "worker.idle": _("idle"),
        "worker.busy": _("busy"),
        "worker.unloaded": _("unloaded"),
        "worker.draining": _("draining"),
        "worker.recycling": _("recycling"),
        "worker.failed": _("cannot work"),
        "worker.stopping": _("stopping"),
        "seconds_ago": _("{seconds} s ago"),
    }


def _system() -> dict[str, str]:
    return {
        **{f"warning.{code}": text for code, text in warnings.texts().items()},
        "at_host": _("{host}: {text}"),
        "engine_failed": _("{worker}: the engine cannot be loaded. {message} It is tried again every 30 s."),
        "model_loaded": _("model in memory"),
        "model_not_loaded": _("model not in memory"),
        "cores": _("{count} cores"),
        "used_of": _("{used} of {total}"),
        "load": _("load {load} %"),
        "ordered.restart": _("Workers finish their segment, start afresh and go on."),
        "ordered.unload": _("The memory is freed as soon as no job needs it."),
    }
