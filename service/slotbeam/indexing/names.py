"""Names of indexes: each is a directory under SLOTBEAM_INDEX_DIR, and nothing else of a path is accepted."""

from __future__ import annotations

import re

from slotbeam.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_index_name(name: str) -> str:
    """Return a name that an index may have. Raises `InputError`."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"index name {name[:80]!r} is refused; allowed: 1 to 64 of A-Z a-z 0-9 . _ -, a letter or a digit first"
        )
    return name
