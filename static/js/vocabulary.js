/** Mirror of synthesis/vocabulary.py; tests/unit/web/test_vocabulary.py keeps the two equal. */

export const Status = Object.freeze({
  QUEUED: "queued",
  RUNNING: "running",
  PAUSED: "paused",
  COMPLETED: "completed",
  FAILED: "failed",
  CANCELLED: "cancelled",
});

export const Stage = Object.freeze({
  EXTRACT: "extract",
  ACOUSTIC: "acoustic",
  VOCODER: "vocoder",
  SAVE: "save",
});

export const Level = Object.freeze({
  DEBUG: "DEBUG",
  INFO: "INFO",
  WARNING: "WARNING",
  ERROR: "ERROR",
});

export const Mode = Object.freeze({
  ZERO_SHOT: "zero_shot",
  CROSS_LINGUAL: "cross_lingual",
  INSTRUCT: "instruct",
});

export const Command = Object.freeze({
  PAUSE: "pause",
  RESUME: "resume",
  CANCEL: "cancel",
  SPEED: "speed",
  VOICE: "voice",
  INSTRUCT: "instruct",
  PRIORITY: "priority",
});

export const AudioFormat = Object.freeze({
  WAV: "wav",
  FLAC: "flac",
  MP3: "mp3",
  OGG: "ogg",
});

/** Statuses that accept nothing more. */
export const ENDED = Object.freeze(["completed", "failed", "cancelled"]);

/** Statuses of jobs that are still to end. */
export const ACTIVE = Object.freeze(["queued", "running", "paused"]);
