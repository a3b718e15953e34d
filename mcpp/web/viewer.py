"""Who looks at a page: in which language, and in which time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.requests import Request

from mcpp.reads.csv_text import Dialect

LANGUAGES: Final = {"en": "English", "de": "Deutsch"}
"""By their codes, each by its own name; the first is where there is no other wish."""

LANGUAGE_COOKIE: Final = "language"

ZONE_COOKIE: Final = "timezone"
"""A module of ours writes the browser's into it."""

_ZONE_NAME: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,3}")

_RANGE: Final = re.compile(r"\s*([A-Za-z]{2,3})(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{1,3})?))?\s*")


@dataclass(frozen=True, slots=True)
class Viewer:
    """What a page is rendered for."""

    language: str
    """One of LANGUAGES."""
    zone: tzinfo | None
    """None for the machine's."""
    zone_name: str | None
    """As the browser says it."""
    is_american: bool = False
    """Whether their browser spells times as those of the United States are; plain English means that, too."""

    @property
    def dialect(self) -> Dialect:
        """Of the CSV that their spreadsheet opens."""
        return Dialect.EXCEL if self.language == "de" else Dialect.EXCEL_EN


def viewer_of(request: Request) -> Viewer:
    """By the cookies, else by what the browser prefers."""
    name = request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/")
    zone = _zone(name)
    language = _language(request)
    return Viewer(language, zone, None if zone is None else name, is_american=_is_american(request, language))


def _zone(name: str) -> ZoneInfo | None:
    if len(name) > 64 or not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory of zones, such as Europe
        return None


def _is_american(request: Request, language: str) -> bool:
    """By the first wish in the page's language, as the pages' own module decides it (`static/format.js`)."""
    wishes = [it.partition(";")[0].strip().lower() for it in request.headers.get("accept-language", "").split(",")[:20]]
    first = next((wish for wish in wishes if wish.partition("-")[0] == language), language)
    return first in {"en", "en-us"}


def _language(request: Request) -> str:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    wishes = [_RANGE.fullmatch(part) for part in request.headers.get("accept-language", "").split(",")[:20]]
    by_weight = sorted((it for it in wishes if it), key=lambda it: -float(it[2] or 1))
    return next((it[1].lower() for it in by_weight if it[1].lower() in LANGUAGES), next(iter(LANGUAGES)))
