"""SLOTBEAM_INDEX_DIR: names of indexes, each a directory there and nothing else of a path; one writer at a time."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from slotbeam.errors import InputError, SetupError
from slotbeam.files import locked_directory
from slotbeam.search.watermark import Watermark

BUILDING, PULLING = ".index", ".pull"
"""Suffixes of directories that are not ready."""
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


@contextmanager
def alone_in(indexes: Path) -> Iterator[None]:
    """Work in a directory of indexes: wait for whoever does, and clear what one that was killed left.

    Raises:
        SetupError: it cannot be made, or not be read.
    """
    with ExitStack() as held:
        try:
            held.enter_context(locked_directory(indexes))
        except OSError as error:
            raise SetupError(f"{indexes} cannot be used: {error.strerror}; set SLOTBEAM_INDEX_DIR") from None
        for left in indexes.glob(".*"):
            if left.suffix in (BUILDING, PULLING):
                shutil.rmtree(left, ignore_errors=True)
        yield
