"""Times as milliseconds and as ISO 8601: `datetime` is the oracle."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slotbeam.bindings.times import FIRST_MS, LAST_MS, ends_ms, in_zone, iso, parse_ms, seen_from, starts_ms, zone_of

LAST = datetime(9999, 12, 31, 23, 59, 59, 999_999)
offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.integers(FIRST_MS, LAST_MS))
@example(FIRST_MS)
@example(LAST_MS)
@example(-1)
def test_every_millisecond_of_the_years_1_to_9999_survives_its_text(at_ms: int) -> None:
    text = iso(at_ms)
    assert parse_ms(text) == at_ms
    assert text is not None
    assert text.endswith("Z")


@given(st.datetimes(), offsets)
@example(LAST, UTC)
@example(LAST, timezone(timedelta(hours=-12)))
@example(datetime.min, timezone(timedelta(hours=12)))
def test_a_time_with_an_offset_is_its_millisecond_in_utc_or_refused(naive: datetime, offset: timezone) -> None:
    text = naive.replace(tzinfo=offset).isoformat()
    try:
        utc = naive.replace(tzinfo=offset).astimezone(UTC)
    except OverflowError:
        with pytest.raises(ValueError, match="with its offset"):
            parse_ms(text)
        return
    cut = utc.replace(microsecond=utc.microsecond // 1000 * 1000)
    assert iso(parse_ms(text)) == cut.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-12-31", "2026-12-31T00:00:00", "10000-01-01T00:00:00Z"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time with its offset, for example 2026-12-31T00:00:00Z"):
        parse_ms(text)


def test_no_time_is_no_time() -> None:
    assert (parse_ms(None), iso(None)) == (None, None)


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
]


@given(st.integers(FIRST_MS, LAST_MS), st.sampled_from(ZONES))
@example(parse_ms("2026-10-25T00:30:00Z") or 0, "Europe/Berlin")  # the hour that is there twice, either time
@example(parse_ms("2026-10-25T01:30:00Z") or 0, "Europe/Berlin")
@example(FIRST_MS, "America/New_York")
@example(LAST_MS, "Asia/Kolkata")
def test_a_time_that_is_shown_in_a_zone_is_read_back_as_the_same_moment(at_ms: int, zone: str) -> None:
    shown = seen_from(iso(at_ms), zone_of(zone))
    assert (starts_ms(shown), ends_ms(shown)) == (at_ms, at_ms)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-27T09:00:00+01:00", "2026-11-27T08:00"),
        ("2026-11-27t08:00:00z", "2026-11-27T08:00"),
        ("2026-11-27 09:00 Europe/Berlin", "2026-11-27T08:00"),
        ("2026-11-27T09:00:00 europe/berlin", "2026-11-27T08:00"),
        ("2026-07-27 09:00:30.5 Europe/Berlin", "2026-07-27T07:00:30.5"),
        ("2026-11-27 09:00 UTC", "2026-11-27T09:00"),
        ("2026-11-27 09:00 America/Argentina/ComodRivadavia", "2026-11-27T12:00"),
    ],
)
def test_a_time_of_day_is_the_same_moment_at_either_end(text: str, utc: str) -> None:
    assert starts_ms(text) == ends_ms(text) == parse_ms(f"{utc}Z")


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("2026-11-27", "2026-11-27T00:00Z", "2026-11-28T00:00Z"),
        ("2026-11-27 Europe/Berlin", "2026-11-26T23:00Z", "2026-11-27T23:00Z"),
        ("2026-10-25 Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),  # 25 hours
        ("2026-04-24 Africa/Cairo", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),  # begins at 01:00
        ("2026-12-31", "2026-12-31T00:00Z", "2027-01-01T00:00Z"),
    ],
)
def test_a_date_is_its_whole_day_from_its_first_moment_to_its_end(text: str, first: str, end: str) -> None:
    assert (starts_ms(text), ends_ms(text)) == (parse_ms(first), parse_ms(end))


def test_a_local_time_that_is_there_twice_or_not_at_all_is_refused_with_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"there twice in Europe/Berlin.*: 2026-10-25T02:30:00\+02:00 or .*\+01:00"):
        starts_ms("2026-10-25 02:30 Europe/Berlin")
    with pytest.raises(ValueError, match="skipped in Europe/Berlin"):
        starts_ms("2026-03-29 02:30 Europe/Berlin")
    assert starts_ms("2026-03-29 03:00 Europe/Berlin") == parse_ms("2026-03-29T01:00:00Z")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no time"),
        ("tomorrow", "is no time"),
        ("27.11.2026", "is no time"),
        ("2026-13-01", "is no time"),
        ("2026-11-31 09:00 Europe/Berlin", "is no time"),
        ("２０２６-11-27", "is no time"),
        ("2026-11-27 9:00 Europe/Berlin", "is no time"),
        ("2026-11-27 25:00 Europe/Berlin", "is no time"),
        ("2026-11-27 09:00", "neither an offset nor a zone"),
        ("2026-11-27 09:00 Mars/Base", 'does not exist, "Mars/Base"; give an IANA name such as Europe/Berlin'),
        ("2026-11-27 09:00 Europe", "does not exist"),
        ("2026-11-27 09:00 right/Europe/Berlin", "does not exist"),
        ("0001-01-01 05:00 Asia/Tokyo", "outside the years"),
    ],
)
def test_what_is_no_time_of_a_person_says_what_one_is(text: str, says: str) -> None:
    for read in (starts_ms, ends_ms):
        with pytest.raises(ValueError, match=says):
            read(text)
    with pytest.raises(ValueError, match="outside the years"):
        ends_ms("9999-12-31")


def test_a_zone_is_put_only_to_a_time_that_has_none() -> None:
    assert in_zone("2026-11-27 09:00", "Europe/Berlin") == "2026-11-27 09:00 Europe/Berlin"
    assert in_zone("2026-11-27", "Europe/Berlin") == "2026-11-27 Europe/Berlin"
    for text in ("2026-11-27 09:00 UTC", "2026-11-27T09:00:00Z", "2026-11-27T09:00+01:00", "tomorrow"):
        assert in_zone(text, "Europe/Berlin") == text
    assert in_zone("2026-11-27", None) == "2026-11-27"


def test_zones_are_there_on_a_machine_that_has_none() -> None:
    zoneinfo.reset_tzpath(to=[])
    try:
        assert zoneinfo.ZoneInfo.no_cache(zone_of("EUROPE/berlin").key).utcoffset(datetime(2026, 7, 1)) == timedelta(
            hours=2
        )
    finally:
        zoneinfo.reset_tzpath()
