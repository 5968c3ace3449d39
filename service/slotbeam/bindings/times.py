"""Times as the store holds them (unix milliseconds) and as people write them (ISO 8601 with an offset)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
FIRST_MS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MS
LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MS
"""What ISO 8601 can say: the years 1 to 9999."""


def parse_ms(text: str | None) -> int | None:
    """Read an ISO 8601 time with its offset as unix ms, rounded down; None stays None.

    Raises:
        ValueError: saying what is allowed.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    at_ms = None if moment is None or moment.tzinfo is None else (moment - _EPOCH) // _MS
    if at_ms is None or not FIRST_MS <= at_ms <= LAST_MS:
        raise ValueError("is not a time with its offset, for example 2026-12-31T00:00:00Z")
    return at_ms


def iso(at_ms: int | None) -> str | None:
    """Unix ms from `FIRST_MS` to `LAST_MS` as ISO 8601 in UTC; None stays None."""
    if at_ms is None:
        return None
    return (_EPOCH + at_ms * _MS).isoformat(timespec="milliseconds").replace("+00:00", "Z")
