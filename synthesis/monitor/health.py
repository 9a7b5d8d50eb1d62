"""Is the portal ready to serve?"""

from __future__ import annotations

from django.db import connection
from django.db.utils import DatabaseError

from synthesis.jobs import estimate, queue


def ready() -> dict[str, bool]:
    """What readiness rests on, each on its own."""
    database = _database()
    return {
        "database": database,
        "redis": queue.tickets() is not None,
        "worker": database and estimate.live_workers() > 0,
    }


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
