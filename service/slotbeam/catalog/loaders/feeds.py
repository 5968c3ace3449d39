"""Feeds in XML, RSS 2.0 or Atom, as Google Merchant takes them: each `item` or `entry` is a row.

A feed needs no document type, so that any is refused; with it go entities that a feed defines: none can be expanded or
fetched. What is left to a feed is size: its tags, depth and items are bounded, and an item that is read is not held.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from slotbeam.catalog.loaders.place import SourcePlace
from slotbeam.catalog.loaders.source import LONGEST, RowOrFault, SourceRow, source_of
from slotbeam.errors import InputError

DEEPEST = 64
LONGEST_TAG = 2**20
"""Bytes of a tag, with its attributes, or of a comment: they are held whole."""
_CHUNK = 2**16
_ELEMENT = 64
"""What an element counts for in the size of an item, beside its name and text: objects take memory, too."""
_GOOGLE = "http://base.google.com/ns/1.0"
_PLAIN = ("", "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/")
_ITEMS = ("item", "entry")


def feed_rows(path: Path, file: BinaryIO) -> Iterator[RowOrFault]:
    """Yield each item as element → text, without those that are empty; its place is the line that it begins on.

    An element that repeats gives a list, one with elements inside an object, Atom's `link` its address. Namespaces are
    dropped: of `g:title` and `title` the first counts. Raises `InputError` for what is no XML, and for XML that is
    built to use up memory.
    """
    feed = _Feed(path)
    since_event = 0
    while chunk := file.read(_CHUNK):
        yield from feed.parse(chunk)
        since_event = 0 if feed.moved else since_event + len(chunk)
        if since_event > LONGEST_TAG:
            raise feed.fault(f"has a tag or a comment longer than {LONGEST_TAG} bytes; that is no feed")
    yield from feed.parse(b"", is_last=True)


class _Element:
    """An open element of an item: its text so far, and its closed children by name, each with the rank of its name."""

    def __init__(self, name: str, rank: int, address: str | None = None) -> None:
        self.name = name
        self.rank = rank
        self.texts = [address] if address else []
        self.children: dict[str, tuple[int, Any]] = {}

    def value(self) -> Any:
        """Return its text, or an object of what is in it; None where it is empty."""
        if self.children:
            return {name: value for name, (_, value) in self.children.items()}
        return "".join(self.texts).strip() or None

    def take(self, child: _Element) -> None:
        """Keep a child's value. A name of a better namespace replaces, the same one again makes a list."""
        value = child.value()
        rank, held = self.children.get(child.name, (-1, None))
        if value is None or child.rank < rank:
            return
        if child.rank == rank:
            value = [*held, value] if isinstance(held, list) else [held, value]
        self.children[child.name] = (child.rank, value)


class _Feed:
    """The state of one pass: the open elements of the item that is read, and the rows that are complete."""

    def __init__(self, path: Path) -> None:
        self.moved = False
        """Whether the last chunk brought anything: false while a tag goes on and on."""
        self._path = path
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.CommentHandler = parser.ProcessingInstructionHandler = self._move
        self._depth = 0
        self._open: list[_Element] = []
        self._line = self._size = 0
        self._rows: list[RowOrFault] = []

    def parse(self, chunk: bytes, is_last: bool = False) -> list[RowOrFault]:
        """Return the rows that end in this chunk."""
        self.moved, self._rows = False, []
        try:
            self._parser.Parse(chunk, is_last)
        except expat.ExpatError as error:
            raise self.fault(f"is not XML ({expat.ErrorString(error.code)}); nothing behind it is read") from error
        except (LookupError, UnicodeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise self.fault(f"has an encoding that is not read ({error}); save the file as UTF-8") from error
        return self._rows

    def fault(self, what: str) -> InputError:
        """Return a fault of the line that has been reached."""
        return SourcePlace(self._path, self._parser.CurrentLineNumber).fault("(line)", what)

    def _move(self, *_: object) -> None:
        self.moved = True

    def _document_type(self, *_: object) -> None:
        raise self.fault("has a document type (<!DOCTYPE); a feed needs none, and entities are not read: leave it out")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.moved = True
        self._depth += 1
        if self._depth > DEEPEST:
            raise self.fault(f"is nested deeper than {DEEPEST} elements; that is no feed")
        space, _, local = name.rpartition(" ")
        rank = 2 if space == _GOOGLE else 1 if space in _PLAIN else 0
        if self._open:
            self._grow(_ELEMENT + len(local))
            if self._size <= LONGEST:
                self._open.append(_Element(local, rank, attributes.get("href") if local == "link" else None))
        elif local in _ITEMS and rank == 1:
            self._line, self._size = self._parser.CurrentLineNumber, 0
            self._open.append(_Element(local, rank))
            self._item_depth = self._depth

    def _text(self, text: str) -> None:
        self.moved = True
        if self._open:
            self._grow(len(text))
            if self._size <= LONGEST:
                self._open[-1].texts.append(text)

    def _grow(self, size: int) -> None:
        """Count what an item holds; of one that is too long nothing is kept but that it was."""
        self._size += size
        if self._size > LONGEST:
            del self._open[1:]
            self._open[0] = _Element("", 0)

    def _end(self, name: str) -> None:
        self.moved = True
        self._depth -= 1
        if not self._open:
            return
        if self._depth < self._item_depth:
            self._rows.append(self._row(self._open.pop()))
        elif self._size <= LONGEST:
            child = self._open.pop()
            self._open[-1].take(child)

    def _row(self, item: _Element) -> RowOrFault:
        place = SourcePlace(self._path, self._line)
        if self._size > LONGEST:
            return place.fault("(line)", f"is an item longer than {LONGEST} bytes", "long")
        values = item.value()
        if not isinstance(values, dict):
            return place.fault("(line)", "is an item that holds nothing; allowed: elements such as g:id and g:title")
        return SourceRow(place, values, source_of(values))
