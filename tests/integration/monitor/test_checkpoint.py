"""SQLite's log is moved into the database beside its writers."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from synthesis.models import Job, User
from synthesis.monitor.checkpoint import checkpoint

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_written_is_in_the_database_file_itself(
    owner: User, make_job: Callable[..., Job], tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("other databases have no such log")
    job = make_job(owner)
    checkpoint()
    alone = tmp_path / "without-its-log.sqlite3"
    shutil.copy(str(connection.settings_dict["NAME"]), alone)
    rows = sqlite3.connect(alone).execute("SELECT owner_id FROM synthesis_job WHERE id = ?", [job.pk]).fetchall()
    assert rows == [(owner.pk,)]
