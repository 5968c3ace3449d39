"""Times as milliseconds and as ISO 8601: `datetime` is the oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slotbeam.bindings.times import FIRST_MS, LAST_MS, iso, parse_ms

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
