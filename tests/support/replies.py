"""Replies of a store in the type that their client has: redis-py names those of all its clients at once.

`kind` is `str` for a client that decodes what it reads, else `bytes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import AnyStr


def told(kind: type[AnyStr], reply: bytes | str | None) -> AnyStr:
    """A value that is there."""
    assert isinstance(reply, kind)
    return reply


def fields(kind: type[AnyStr], reply: Mapping[bytes | str, bytes | str] | None) -> dict[AnyStr, AnyStr]:
    """A hash."""
    assert reply is not None
    return {told(kind, name): told(kind, value) for name, value in reply.items()}


def log_entries(
    kind: type[AnyStr], reply: Iterable[tuple[bytes | str | None, Mapping[bytes | str, bytes | str] | None]] | None
) -> list[tuple[AnyStr, dict[AnyStr, AnyStr]]]:
    """The entries of a stream, each with its id."""
    assert reply is not None
    return [(told(kind, entry), fields(kind, of_entry)) for entry, of_entry in reply]
