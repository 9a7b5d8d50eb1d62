"""Message catalogues: from .po, which people write, to .mo, which Django reads.

Compiled at start and not kept in the repository: GNU gettext, which Django's own command needs, is not on
every machine.
"""

from __future__ import annotations

from pathlib import Path

import polib
from django.conf import settings


def compile_stale() -> list[Path]:
    """Compile every catalogue whose .mo is missing or older; the ones that were compiled."""
    compiled = []
    for root in settings.LOCALE_PATHS:
        for source in sorted(Path(root).glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
                polib.pofile(str(source)).save_as_mofile(str(target))
                compiled.append(source)
    return compiled
