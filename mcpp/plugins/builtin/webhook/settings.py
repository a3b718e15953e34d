"""Settings of the plugin `webhook`: `MCPP_PLUGIN_WEBHOOK_URLS` and so on."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

import httpx
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from mcpp.plugins.settings import PluginSettings
from mcpp.reads.event_json import EVENT_NAMES

ENCODED_SECRET: Final = "whsec_"  # noqa: S105  a prefix
"""Before a secret that stands in base64 (Standard Webhooks)."""

_SHORTEST_SECRET: Final = 16
_FREQUENT: Final = frozenset({"heartbeat_received", "meter_values_received"})


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _http_url(value: SecretStr) -> SecretStr:
    try:
        url = httpx.URL(value.get_secret_value())
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("must be URLs such as https://example.com/hooks, with a comma between two")
    return value


def _event_name(value: str) -> str:
    if value not in EVENT_NAMES:
        raise ValueError(f"there is no event {value!r}; there are {', '.join(sorted(EVENT_NAMES))}")
    return value


def _strong(value: SecretStr) -> SecretStr:
    if len(signing_key(value.get_secret_value())) < _SHORTEST_SECRET:
        raise ValueError(f"has less than {_SHORTEST_SECRET} bytes; make one with: openssl rand -hex 32")
    return value


def signing_key(secret: str) -> bytes:
    """The bytes of a secret: what stands in base64 behind `whsec_`, or the text itself. Raises ValueError."""
    encoded = secret.removeprefix(ENCODED_SECRET)
    if encoded == secret:
        return secret.encode()
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError(f"has no base64 behind {ENCODED_SECRET}") from None


class WebhookSettings(PluginSettings, env_prefix="MCPP_PLUGIN_WEBHOOK_"):
    """Settings of the plugin `webhook`."""

    urls: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_http_url)], ...],
        NoDecode,
        BeforeValidator(_split),
        Field(min_length=1),
    ] = Field(description="Where to post events, comma-separated; user:password@ is sent as basic authentication.")
    secret: Annotated[SecretStr, AfterValidator(_strong)] = Field(
        description="Signs each delivery: text of 16 or more bytes, or base64 behind whsec_."
    )
    events: Annotated[
        frozenset[Annotated[str, AfterValidator(_event_name)]],
        NoDecode,
        BeforeValidator(_split),
        Field(min_length=1),
    ] = Field(
        EVENT_NAMES - _FREQUENT,
        description="Names of the events to post, comma-separated; all but heartbeats and meter values if not set.",
    )
    timeout: float = Field(10.0, gt=0, le=60, description="Seconds that a receiver may take for one delivery.")
    tries: int = Field(10, ge=1, le=20, description="How often one delivery is tried.")
    queue_limit: int = Field(
        1000, ge=1, le=100_000, description="How many events may wait for each URL before new ones are dropped."
    )
