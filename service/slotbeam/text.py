"""Texts of callers in messages: cut, and without what could forge a log line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SHOWN = 64
"""Characters of a caller's text that a message shows."""

_TRUTH = {"true": True, "1": True, "": True, "false": False, "0": False}


def truth(text: str) -> bool | None:
    """Return what a flag of a query string means; None where it is neither true nor false."""
    return _TRUTH.get(text.lower())


def shown(value: object, limit: int = SHOWN) -> str:
    """Render a caller's value for a message: JSON-like, cut at `limit` characters, without control characters."""
    if isinstance(value, str):
        text = f'"{value[: limit + 1]}"' if len(value) <= limit else f'"{value[:limit]}…"'
    elif isinstance(value, Mapping):
        text = f"an object of {len(value)} fields"
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        text = f"a list of {len(value)}"
    elif value is None or isinstance(value, bool):
        text = {None: "null", True: "true", False: "false"}[value]
    else:
        text = repr(value)[:limit]
    return printable(text)


def printable(text: str) -> str:
    """Escape what could forge a log line or not be encoded: controls, bidi and format characters, surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
