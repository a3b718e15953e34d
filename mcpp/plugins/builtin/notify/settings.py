"""Settings of the plugin `notify`: `MCPP_PLUGIN_NOTIFY_URLS` and so on."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from mcpp.plugins.settings import PluginSettings
from mcpp.reads.attention import AttentionCode

_SPAN: Final = re.compile(r"(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})")


class QuietHours(NamedTuple):
    """From when to when of each day, by the machine's clock, nobody is told anything; over midnight, too."""

    begin: time
    end: time

    def contain(self, moment: datetime) -> bool:
        """Whether a time of the machine's zone lies in them."""
        clock = moment.time()
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _split_urls(value: object) -> object:
    """At blanks and at commas that a URL follows: a URL may hold commas."""
    if isinstance(value, str):
        return tuple(url.strip() for url in re.split(r"\s+|,(?=\s*[A-Za-z][\w+.-]*://)", value) if url.strip())
    return value


def _known_to_apprise(value: SecretStr) -> SecretStr:
    from apprise import Apprise  # of an extra: the plugin's module says which

    if not Apprise().add(value.get_secret_value()):
        scheme = value.get_secret_value().partition("://")[0][:20]
        raise ValueError(f"has a URL (of {scheme!r}) that Apprise can't use; its documentation has each service's form")
    return value


def _quiet_hours(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _SPAN.fullmatch(value.strip())
    try:
        if match is None:
            raise ValueError(value)
        begin, end = (time.fromisoformat(text.zfill(len("00:00"))) for text in match.groups())
    except ValueError:
        raise ValueError("must be a span such as 22:00-07:00") from None
    return QuietHours(begin, end)


class NotifySettings(PluginSettings, env_prefix="MCPP_PLUGIN_NOTIFY_"):
    """Settings of the plugin `notify`."""

    urls: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_known_to_apprise)], ...],
        NoDecode,
        BeforeValidator(_split_urls),
        Field(min_length=1),
    ] = Field(description="Whom to tell, as Apprise's URLs, comma-separated; they hold secrets.")
    codes: Annotated[frozenset[AttentionCode], NoDecode, BeforeValidator(_split), Field(min_length=1)] = Field(
        frozenset(
            {
                AttentionCode.FAULTED,
                AttentionCode.OFFLINE,
                AttentionCode.OPEN_TOO_LONG,
                AttentionCode.UNKNOWN_CARD,
            }
        ),
        description="Of what to tell, comma-separated codes of docs/attention.md.",
    )
    after: int = Field(
        60, ge=0, le=86_400, description="Seconds that it must last to be told, and be over to be well again."
    )
    quiet_hours: Annotated[QuietHours | None, NoDecode, BeforeValidator(_quiet_hours)] = Field(
        None, description="When to tell nothing, such as 22:00-07:00 by the machine's clock; what lasts is told then."
    )
