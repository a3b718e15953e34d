"""Time zones by the names that people know them by."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator, WithJsonSchema

from mcpp.phrases import Phrase, phrase_of
from mcpp.phrases.mistakes import not_valid


def find_zone(name: str) -> ZoneInfo:
    """The time zone of a name, such as Europe/Berlin. Raises ValueError, which says which one may be meant."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory of zones, such as Europe
        nearest = get_close_matches(name[:100], sorted(available_timezones()), n=1, cutoff=0.0)
        if nearest:
            why = Phrase("{name!r} is no time zone; did you mean {nearest}?", name=name[:100], nearest=nearest[0])
        else:
            why = Phrase("{name!r} is no time zone; this machine has no time zones, install tzdata", name=name[:100])
        raise ValueError(why) from None


def _known(given: object) -> object:
    if isinstance(given, ZoneInfo):
        return given
    try:
        return find_zone(str(given))
    except ValueError as error:
        raise not_valid("time_zone", phrase_of(error)) from None


TimeZone = Annotated[
    ZoneInfo,
    BeforeValidator(_known),
    WithJsonSchema({"type": "string", "maxLength": 100, "examples": ["Europe/Berlin"]}),
]
"""A time zone in a request, by its name."""
