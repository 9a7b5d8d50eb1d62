"""Message catalogues: from .po, which people write, to .mo, which Django reads.

Compiled at start and not kept in the repository: GNU gettext, which Django's own command needs, is not on
every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polib


def compile_stale(roots: Iterable[Path]) -> list[Path]:
    """Compile every catalogue whose .mo is missing or older; the ones that were compiled."""
    compiled = []
    for root in roots:
        for source in sorted(root.glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
                polib.pofile(str(source)).save_as_mofile(str(target))
                compiled.append(source)
    return compiled
