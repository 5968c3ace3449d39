"""Cursors: where the pages of one answer stand, as text that the caller keeps. No replica remembers one.

A cursor is the unpadded base64url of, big-endian:

    version (1) · items shown (2) · digest of the request (8) · digest of the snapshot (8) · marks (8 each) · check (8)

It is checked and not signed: whoever changes one can but leave out items, which `exclude_ids` does, too, so any replica
reads any other's, whatever their keys. The hashes say nothing that the pages did not.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np

from slotbeam.errors import CursorError
from slotbeam.search.paging import Page, Shown
from slotbeam.search.request import MAX_K
from slotbeam.search.snapshot import Snapshot

VERSION = 1
BEGIN = "*"
"""The cursor of the first page."""
MAY_CHANGE = ("k", "user", "exclude_ids", "fields", "facets", "explain")
"""Members of a request that may differ from page to page."""

_DIGEST = 8
_HEAD = struct.Struct(f">BH{_DIGEST}s{_DIGEST}s")
_MARK = np.dtype(">u8")
_MARKS_OF_ITEM = 2
MAX_CURSOR = -(-(_HEAD.size + MAX_K * _MARKS_OF_ITEM * _MARK.itemsize + _DIGEST) * 8 // 6)
"""Characters of the longest one."""


def digest(*parts: bytes) -> bytes:
    """Return 8 bytes that tell one sequence of parts from another."""
    hashed = blake2b(digest_size=_DIGEST, person=b"slotbeam cursor")
    for part in parts:
        hashed.update(struct.pack(">I", len(part)) + part)
    return hashed.digest()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the pages of an answer stand.

    Attributes:
        asked: digest of the request that they are pages of.
        shown: by the pages so far; fewer than `MAX_K` items.
        seen: digest of the snapshot that the last one is of; empty before the first.
    """

    asked: bytes
    shown: Shown = field(default_factory=Shown)
    seen: bytes = b""

    @classmethod
    def read(cls, text: str, asked: bytes) -> Cursor:
        """Return what the cursor `text` says.

        Args:
            text: `BEGIN`, or the `next` of an answer.
            asked: digest of the request that it came with.

        Raises:
            CursorError: no answer gave it, or one to another request.
        """
        if text == BEGIN:
            return cls(asked)
        try:
            payload = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-_DIGEST]
        except ValueError:
            payload = b""
        # Texts are compared, not bytes: base64 has several texts for the same bytes, and only one was given.
        if text != _checked(payload) or not _is_whole(payload):
            raise CursorError("cursor", f'was changed; send the "next" of an answer as it is, or "{BEGIN}" to begin')
        _, items, of, seen = _HEAD.unpack_from(payload)
        if of != asked:
            raise CursorError(
                "cursor",
                f"is of another request; send it with the same one, of which {', '.join(MAY_CHANGE)} may change, "
                f'or "{BEGIN}" to begin',
            )
        return cls(asked, Shown(items, np.frombuffer(payload, _MARK, offset=_HEAD.size).astype(np.uint64)), seen)

    def said(self, snapshot: Snapshot, page: Page) -> dict[str, object]:
        """Return what an answer says of itself as the page that was asked for, as JSON values."""
        seen = digest(*(str(part).encode() for part in snapshot.identity()))
        is_last = not page.more or page.shown.items >= MAX_K
        head = _HEAD.pack(VERSION, page.shown.items, self.asked, seen)
        return {
            "next": None if is_last else _checked(head + page.shown.marks.astype(_MARK).tobytes()),
            "end": ("limit" if page.more else "exhausted") if is_last else None,
            "changed": self.seen not in (b"", seen),
            "candidates": page.candidates,
        }


def _is_whole(payload: bytes) -> bool:
    """Return whether a payload that fits its check is of this version, and of a size that can be."""
    if len(payload) < _HEAD.size or payload[0] != VERSION:
        return False
    items, marks = _HEAD.unpack_from(payload)[1], len(payload) - _HEAD.size
    return 0 < items < MAX_K and marks % _MARK.itemsize == 0 and 0 < marks <= items * _MARKS_OF_ITEM * _MARK.itemsize


def _checked(payload: bytes) -> str:
    return base64.urlsafe_b64encode(payload + digest(payload)).rstrip(b"=").decode("ascii")
