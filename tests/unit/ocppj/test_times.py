"""Moments as chargers write them: what is clear is read, what isn't is not guessed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.ocppj.times import Written, read_moment

TEN = datetime(2026, 1, 5, 10, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-01-05T10:20:30Z", Written.RIGHT),
        ("2026-01-05t10:20:30z", Written.RIGHT),
        ("2026-01-05T11:20:30+01:00", Written.RIGHT),
        ("2026-01-05T10:20:30", Written.WITHOUT_ZONE),
        ("2026-01-05 10:20:30", Written.WITHOUT_ZONE),
        ("2026/1/5 10:20:30", Written.WITHOUT_ZONE),
        ("2026.01.05 10:20:30", Written.WITHOUT_ZONE),
        ("  2026-01-05T10:20:30Z ", Written.OTHERWISE),
        ("2026-1-5T10:20:30Z", Written.OTHERWISE),
        ("2026-01-05 10:20:30 UTC", Written.OTHERWISE),
        ("2026-01-05T10:20:30 GMT", Written.OTHERWISE),
        ("2026-01-05T10:20:30+00:00Z", Written.OTHERWISE),
        ("2026-01-05T12:20:30+0200", Written.OTHERWISE),
        ("2026-01-05T12:20:30 +2", Written.OTHERWISE),
        ("2026-01-05T12:20:30 UTC+2", Written.OTHERWISE),
        ("2026-01-05T05:20:30-05", Written.OTHERWISE),
        ("2026-01-05T10:20:29,999999999Z", None),
        ("1767608430", Written.AS_NUMBER),
        ("1767608430000", Written.AS_NUMBER),
        ("1767608430000000", Written.AS_NUMBER),
        ("1767608430.0", Written.AS_NUMBER),
    ],
)
def test_a_clear_time_is_read(text: str, written: Written | None) -> None:
    read = read_moment(text)

    assert read is not None
    if written is not None:
        assert read == (TEN, written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-29T7:05:09Z", datetime(2026, 11, 29, 7, 5, 9, tzinfo=UTC)),
        ("2026/11/29 07:05", datetime(2026, 11, 29, 7, 5, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-12-31T24:00:00Z", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-11-29T07:05:09,25Z", datetime(2026, 11, 29, 7, 5, 9, 250_000, tzinfo=UTC)),
        ("2026-11-29T07:05:09.123456789Z", datetime(2026, 11, 29, 7, 5, 9, 123_456, tzinfo=UTC)),
        ("1970-01-01T00:00:10Z", datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)),
        ("1795935909123", datetime(2026, 11, 29, 7, 5, 9, 123_000, tzinfo=UTC)),
    ],
)
def test_an_odd_time_is_read(text: str, expected: datetime) -> None:
    read = read_moment(text)

    assert read is not None
    assert read[0] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "0",
        "12345",
        "2026-11-29",
        "2026/11/29",
        "29/11/2026 10:00:00",
        "0000-00-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-11-29T25:00:00Z",
        "2026-11-29T24:00:01Z",
        "2026-11-29T10:61:00Z",
        "2026-11-29T10:00:61Z",
        "2026-11-29T10:00:00+02:00Z",
        "9999-12-31T23:59:59-01:00",
        "2026-11-29T10:00:00 CET",
        "99999999999",
        "9" * 10,
        "2026-01-05T10:20:30" + " " * 60 + "Z",
    ],
)
def test_an_unclear_time_is_not_guessed(text: str) -> None:
    assert read_moment(text) is None


@given(st.text(alphabet="0123456789-/.:,TtZzUC+ ", max_size=80))
def test_any_text_is_taken_or_not(text: str) -> None:
    read = read_moment(text)

    assert read is None or read[0].tzinfo is UTC
