"""A job's progress in a terminal."""

from __future__ import annotations

import time

from tqdm import tqdm

from synthesis.events import replay, wire
from synthesis.models import Job

LOOK_EVERY_S = 0.2


def watch(job: Job) -> Job:
    """Draw the job's progress on standard error until it ends; the job as it then is."""
    seq = 0
    with tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed} {postfix}") as bar:
        while True:
            for event in replay.after(job.pk, seq):
                seq = event["seq"]
                frame = wire.render(job.pk, event, "en")
                bar.set_description_str(frame.get("stage", frame["status"])[:10].ljust(10), refresh=False)
                bar.update(max(0.0, round(frame.get("progress", 0.0) * 100, 1) - bar.n))
                if frame["kind"] in {"progress", "completed", "failed"}:
                    bar.set_postfix_str(frame.get("message", "")[:60])
            job.refresh_from_db()
            if job.has_ended and job.last_seq == seq:
                return job
            time.sleep(LOOK_EVERY_S)
