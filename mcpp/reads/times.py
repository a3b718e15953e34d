"""Times as the outside writes and reads them: RFC 3339, with a zone."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, tzinfo
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from mcpp.phrases import Phrase
from mcpp.phrases.mistakes import not_valid

BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
"""Where no beginning is asked for."""

AFTER_ALL: Final = datetime.max.replace(tzinfo=UTC)
"""Where no end is asked for."""

_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def in_zone(moment: datetime, zone: tzinfo | None) -> datetime:
    """A time in a time zone, None being the machine's; at the ends of time, where there is none, as it is in UTC.

    Chargers' clocks stand at year 1 and 9999, too.
    """
    try:
        return moment.astimezone(zone)
    except (OverflowError, ValueError, OSError):  # the last two: the machine's zone
        return moment


def begin_of_day(day: date, zone: tzinfo | None) -> datetime:
    """When a day begins in a time zone, None being the machine's; at the ends of time, as it is in UTC."""
    midnight = datetime.combine(day, time.min, tzinfo=zone)
    try:
        return midnight.astimezone(UTC)
    except (OverflowError, ValueError, OSError):  # as in in_zone
        return midnight.replace(tzinfo=UTC)


def spell_time(moment: datetime) -> str:
    """RFC 3339, UTC, with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[
    datetime,
    PlainSerializer(spell_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-05-04T09:30:00.000Z"]}),
]
"""A time in an answer, as `spell_time` writes it."""


def _rfc_3339(given: object) -> object:
    """Pydantic would take Unix times, too."""
    if isinstance(given, datetime) or (isinstance(given, str) and _RFC_3339.fullmatch(given)):
        return given
    raise not_valid("rfc_3339", Phrase("should be a time with its zone, such as 2026-05-04T09:30:00Z"))


ZonedTime = Annotated[AwareDatetime, BeforeValidator(_rfc_3339)]
"""A time in a request."""


def _day_or_rfc_3339(given: object, info: ValidationInfo) -> object:
    if isinstance(given, str) and _DAY.fullmatch(given):
        with suppress(ValueError):
            return begin_of_day(date.fromisoformat(given), info.data.get("timezone"))
    if isinstance(given, datetime) or (isinstance(given, str) and _RFC_3339.fullmatch(given)):
        return given
    raise not_valid(
        "day_or_time",
        Phrase("should be a day such as 2026-05-04, or a time with its zone such as 2026-05-04T09:30:00Z"),
    )


DayOrTime = Annotated[AwareDatetime, BeforeValidator(_day_or_rfc_3339)]
"""A time in a request; a day is where it begins in the field `timezone`, which stands before; None: the machine's."""
