"""Moves SQLite's write-ahead log into the database while nobody waits for it.

Left to itself, SQLite does that in the commit that makes the log too long: a worker then waits for the disk, about
20 ms, and every listener of its job with it. Here it is a second's writes, moved beside the writers.
"""

from django.db import connection


def checkpoint() -> None:
    """Move what can be moved without making anybody wait. Nothing to do in other databases."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
