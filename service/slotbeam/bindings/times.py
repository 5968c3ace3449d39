"""Times as the store holds them (unix milliseconds), as programs write them (RFC 3339) and as people do (in a zone)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
FIRST_MS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MS
LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MS
"""What ISO 8601 can say: the years 1 to 9999."""

_DAY = timedelta(days=1)
LOCAL = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?))?"
    r"(?: +([A-Za-z][A-Za-z0-9_/+-]*))?"
)
"""A date, perhaps a time of day, perhaps the name of a zone."""
_LOCAL = re.compile(LOCAL)
_EXAMPLES = "for example 2026-12-31T00:00:00Z, 2026-12-31 09:00 Europe/Berlin or 2026-12-31"


def parse_ms(text: str | None) -> int | None:
    """Read an ISO 8601 time with its offset, in either case, as unix ms, rounded down; None stays None.

    Raises:
        ValueError: saying what is allowed.
    """
    if text is None:
        return None
    at_ms = _with_offset(text)
    if at_ms is None:
        raise ValueError("is not a time with its offset, for example 2026-12-31T00:00:00Z")
    return at_ms


def starts_ms(text: str | None) -> int | None:
    """Read when something starts that is said to start at `text`, as unix ms; None stays None.

    A time with its offset, a local time and its zone (`2026-11-27 09:00 Europe/Berlin`), or a date with or without a
    zone (UTC), which is the first moment of that day there.

    Raises:
        ValueError: saying what is allowed; also for a local time that its zone skips or has twice.
    """
    return _moment(text, timedelta(0))


def ends_ms(text: str | None) -> int | None:
    """Read when something ends that is said to end at `text`: as `starts_ms`, but a date is the end of that day."""
    return _moment(text, _DAY)


def in_zone(text: str, zone: str | None) -> str:
    """Return `text` with `zone` where it has neither a zone nor an offset of its own; anything else as it is."""
    found = _LOCAL.fullmatch(text)
    return f"{text} {zone}" if zone and found and found[3] is None else text


def iso(at_ms: int | None) -> str | None:
    """Write unix ms from `FIRST_MS` to `LAST_MS` as ISO 8601 in UTC; None stays None."""
    if at_ms is None:
        return None
    return (_EPOCH + at_ms * _MS).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seen_from(text: str | None, zone: ZoneInfo) -> str | None:
    """Write what `iso` wrote as the clocks of `zone` show it, for people, and for `starts_ms` to read; None stays None.

    An hour that the zone has twice keeps its offset instead, and so does what lies at the ends of the calendar.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(zone)
    except OverflowError:
        return text
    if _offset(moment.replace(fold=0)) != _offset(moment.replace(fold=1)):
        return moment.isoformat(timespec="milliseconds")
    exact = "milliseconds" if moment.microsecond else "seconds" if moment.second else "minutes"
    return f"{moment.replace(tzinfo=None).isoformat(' ', exact)} {zone.key}"


def zone_of(name: str) -> ZoneInfo:
    """Find the zone of an IANA name, in any case. Raises `ValueError` when there is none."""
    known = _zones().get(name.lower())
    if known is None:
        raise ValueError(
            f'names a time zone that does not exist, "{name}"; give an IANA name such as Europe/Berlin, or UTC'
        )
    return ZoneInfo(known)


@cache
def _zones() -> Mapping[str, str]:
    """List every zone of the tz database: its name in lower case → its name."""
    names = (files("tzdata") / "zones").read_text("utf-8").split()
    return {name.lower(): name for name in names}


def _with_offset(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    at_ms = None if moment.tzinfo is None else (moment - _EPOCH) // _MS
    return at_ms if at_ms is not None and FIRST_MS <= at_ms <= LAST_MS else None


def _moment(text: str | None, after_date: timedelta) -> int | None:
    """Read a time as a person writes it; `after_date` is added to a date alone."""
    if text is None:
        return None
    at_ms = _with_offset(text)
    if at_ms is not None:
        return at_ms
    found = _LOCAL.fullmatch(text)
    try:
        date, clock, name = found.groups() if found else ("", None, None)
        naive = datetime.fromisoformat(f"{date} {clock or '00:00'}")
    except ValueError:
        raise ValueError(f"is no time; give one with its offset or its zone, or a date, {_EXAMPLES}") from None
    if clock and not name:
        raise ValueError(f"has neither an offset nor a zone; add one, {_EXAMPLES}")
    zone = zone_of(name or "UTC")
    try:
        # The first of two midnights; where clocks go forward at midnight, the moment when they do (PEP 495).
        moment = _once(naive, zone) if clock else (naive + after_date).replace(tzinfo=zone)
        return (moment.astimezone(UTC) - _EPOCH) // _MS
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None


def _once(naive: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time that its zone has exactly once. Raises `ValueError` for any other."""
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = _offset(first), _offset(second)
    if before > after:
        either = f"{first.isoformat()} or {second.isoformat()}"
        raise ValueError(f"is there twice in {zone.key}, where clocks go back; give its offset: {either}")
    if before < after:
        raise ValueError(f"is skipped in {zone.key}, where clocks go forward; give an earlier or a later time")
    return first


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)
