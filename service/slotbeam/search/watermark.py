"""Up to which live edit an index holds the items."""

from __future__ import annotations

from typing import Any, NamedTuple


class Watermark(NamedTuple):
    """A place in the feed of edited items.

    Attributes:
        epoch: of the feed; empty for an index that holds no edit.
        seq: of the newest edit in the index.
    """

    epoch: str = ""
    seq: int = 0

    def covers(self, epoch: str, seq: int) -> bool:
        """Return whether the index holds the edit `seq` of that epoch."""
        return self.epoch == epoch and seq <= self.seq

    def __str__(self) -> str:
        """Return it as `slotbeam items watermark` says it."""
        return f"{self.epoch}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Watermark:
        """Read what `str` made of one. Raises `ValueError`."""
        epoch, colon, seq = text.rpartition(":")
        if colon and epoch and seq.isascii() and seq.isdigit():
            return cls(epoch, int(seq))
        raise ValueError(text)

    @classmethod
    def read(cls, kept: Any) -> Watermark:
        """Read what a manifest says; None says nothing. Raises `ValueError`."""
        if kept is None:
            return NO_EDITS
        if isinstance(kept, dict) and kept.keys() == {"epoch", "seq"}:
            epoch, seq = kept["epoch"], kept["seq"]
            if isinstance(epoch, str) and epoch and type(seq) is int and seq >= 0:
                return cls(epoch, seq)
        raise ValueError(f"index.watermark is {kept!r}; allowed: an epoch and a seq of the feed of edited items")


NO_EDITS = Watermark()
"""Of an index of a catalog as it was given."""
