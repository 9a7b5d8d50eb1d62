"""The page of a batch, and its finished audio as one ZIP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import PurePosixPath

from asgiref.sync import sync_to_async
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from synthesis.jobs import batches
from synthesis.models import Batch, Job, Output, User
from synthesis.outputs import archive, store
from synthesis.web import files
from synthesis.web.lines import lines_of
from synthesis.web.session import login_required, user_of

MAX_NAME_CHARS = 48


@login_required
@require_safe
def batch(request: HttpRequest, batch_id: str) -> HttpResponse:
    row = _find(user_of(request), batch_id)
    if row is None:
        raise Http404
    jobs = batches.jobs_of(row)
    lines = [{**line, "owner_name": row.owner.get_username()} for line in lines_of(jobs)]
    context = {
        "batch": row,
        "lines": lines,
        "progress": batches.progress_of(jobs),
        "state": [
            {"id": job.pk, "status": job.status, "progress": job.progress, "chars": len(job.text)} for job in jobs
        ],
    }
    return render(request, "web/batch.html", context)


@require_safe
async def download(request: HttpRequest, batch_id: str) -> HttpResponseBase:
    """The main output of every completed job, numbered in order; made block by block while it is sent."""
    user = await files.listener(request)
    if user is None:
        return files.who_are_you(request)
    row = await sync_to_async(_find)(user, batch_id)
    entries = await sync_to_async(_entries)(row) if row else []
    if row is None or not entries:
        raise Http404
    name = f"{slugify(row.title, allow_unicode=True)[:MAX_NAME_CHARS] or row.pk}.zip"
    headers = {
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers, content_type="application/zip")
    return StreamingHttpResponse(_in_threads(archive.blocks(entries)), headers=headers, content_type="application/zip")


def _find(user: User, batch_id: str) -> Batch | None:
    return Batch.objects.visible_to(user).select_related("owner").filter(pk=batch_id).first()


def _entries(row: Batch) -> list[archive.Entry]:
    """Numbers count all jobs of the batch: a gap is one that is not finished."""
    jobs = list(enumerate(batches.jobs_of(row), 1))
    outputs = Output.objects.in_bulk([job.main_output for _number, job in jobs if job.main_output], field_name="name")
    found = [(number, job, outputs[job.main_output]) for number, job in jobs if job.main_output in outputs]
    entries = [
        archive.Entry(store.open_path(output.path), _name(number, job, output), output.created_at)
        for number, job, output in found
    ]
    return [entry for entry in entries if entry.path.is_file()]


def _name(number: int, job: Job, output: Output) -> str:
    """``003-hello-there.wav``: nothing in it means a folder or an option anywhere."""
    words = slugify(job.title, allow_unicode=True)[:MAX_NAME_CHARS].strip("-")
    return f"{number:03d}-{words or job.pk}{PurePosixPath(output.name).suffix}"


async def _in_threads(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Reading and check sums stay off the event loop."""
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        yield block
