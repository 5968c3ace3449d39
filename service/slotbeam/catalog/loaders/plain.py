"""Text as shops keep it → plain text: tags away, character references resolved. Anything else stays as it is."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_INLINE = "a abbr b big cite code em font i mark s small span strike strong sub sup tt u"
_BLOCK = (
    "article aside blockquote body br button caption center dd div dl dt figure footer form h1 h2 h3 h4 h5 h6 head "
    "header hr html iframe img input label li link main meta nav ol option p picture pre script section select source "
    "style table tbody td textarea tfoot th thead title tr ul video"
)
_HIDDEN = frozenset(("script", "style", "head", "iframe"))
_TAG = re.compile(rf"</?(?:{'|'.join((_INLINE + ' ' + _BLOCK).split())})(?:\s[^<>]*)?/?>|<!--", re.IGNORECASE)
"""A tag that HTML has: "a < b > c" holds none."""
_REFERENCE = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")


def plain(text: str) -> str:
    """Return `text` without HTML; a text that holds none is returned as it is."""
    if "<" in text and _TAG.search(text):
        stripper = _Stripper()
        stripper.feed(text)
        stripper.close()
        return " ".join("".join(stripper.parts).split())
    return html.unescape(text) if "&" in text and _REFERENCE.search(text) else text


class _Stripper(HTMLParser):
    """Keeps what a page would show; what begins a line or a cell there leaves a blank here."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        self._blank(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        self._blank(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def _blank(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append(" ")


_BLOCKS = frozenset(_BLOCK.split())
