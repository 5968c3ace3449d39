"""Parts of a text that are read as something else: the text then, and where its places were before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from slotbeam.language.boundaries import Span


class TextChange(NamedTuple):
    """A part of a text, what is read in place of it, and where it stands in the text before any part was changed."""

    word: str
    to: str
    span: Span


def rewritten(text: str, changes: Sequence[TextChange]) -> str:
    """Return a text with all changes made; they are in order and do not overlap."""
    out, at = "", 0
    for _, to, (start, end) in changes:
        out, at = out + text[at:start] + to, end
    return out + text[at:]


def moved(span: Span, changes: Sequence[TextChange]) -> Span:
    """Return where a part of a text stands after all changes; a changed part that it reaches into is in it whole."""
    return _moved(span[0], changes, is_end=False), _moved(span[1], changes, is_end=True)


def _moved(at: int, changes: Iterable[TextChange], is_end: bool) -> int:
    longer = 0
    for _, to, (first, last) in changes:
        if at <= first:
            break
        if at < last:
            return first + longer + (len(to) if is_end else 0)
        longer += len(to) - (last - first)
    return at + longer


def origin(span: Span, changes: Iterable[TextChange]) -> Span:
    """Return where a part of the text after all changes stood before; a part that was changed stands there whole."""
    start, end = span
    longer = 0
    for word, to, (first, last) in changes:
        begin = first + longer
        longer += len(to) - len(word)
        if span[0] >= begin + len(to):
            start = span[0] - longer
        elif span[0] > begin:
            start = first
        if span[1] >= begin + len(to):
            end = span[1] - longer
        elif span[1] > begin:
            end = last
    return start, end
