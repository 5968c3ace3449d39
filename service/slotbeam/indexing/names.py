"""Names of indexes: each is a directory under SLOTBEAM_INDEX_DIR, and nothing else of a path is accepted."""

from __future__ import annotations

import re

from slotbeam.errors import InputError
from slotbeam.search.watermark import Watermark

_LONGEST = 64
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{_LONGEST - 1}}}")


def check_index_name(name: str) -> str:
    """Return a name that an index may have. Raises `InputError`."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"index name {name[:80]!r} is refused; allowed: 1 to 64 of A-Z a-z 0-9 . _ -, a letter or a digit first"
        )
    return name


def folded_name(base: str, before: Watermark, seq: int) -> str:
    """Return the name of the index that edits up to `seq` make of the artifact `base`: a suffix does not pile up."""
    stem = base.removesuffix(f"-{before.seq}") if before.epoch else base
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", stem).lstrip("._-") or "index"
    return f"{plain[: _LONGEST - 1 - len(str(seq))]}-{seq}"
