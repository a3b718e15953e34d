"""Settings of the plugin `mqtt`: `MCPP_PLUGIN_MQTT_URL` and so on."""

from __future__ import annotations

from typing import Annotated, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from mcpp.plugins.settings import PluginSettings

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class Broker(NamedTuple):
    """Where the broker is, and as whom it's spoken to."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None


def broker(url: str) -> Broker:
    """The broker that a URL such as `mqtts://user:password@broker.example` names. Raises ValueError."""
    mistake = "must be a URL such as mqtt://user:password@broker.example, or mqtts:// for TLS"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(mistake) from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(mistake)
    username, password = (unquote(text) if text is not None else None for text in (parts.username, parts.password))
    return Broker(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "mqtts", username, password)


def _broker_url(value: SecretStr) -> SecretStr:
    broker(value.get_secret_value())
    return value


def _topic(value: str) -> str:
    if not value.strip("/") or any(c in "+#\0" for c in value) or value.startswith("$"):
        raise ValueError(f"{value!r} is no topic: it has no + or # and doesn't begin with $")
    return value.strip("/")


Topic = Annotated[str, AfterValidator(_topic)]


class MqttSettings(PluginSettings, env_prefix="MCPP_PLUGIN_MQTT_"):
    """Settings of the plugin `mqtt`."""

    url: Annotated[SecretStr, AfterValidator(_broker_url)] = Field(
        description="The broker: mqtt://user:password@host:port, or mqtts:// for TLS."
    )
    prefix: Topic = Field("mcpp", description="What all topics begin with.")
    commands: bool = Field(True, description="Take commands from the broker's clients.")
    id_tag: str = Field("MCPP", min_length=1, description="Id tag of the charging that a command begins.")
    discovery: bool = Field(True, description="Announce what there is to Home Assistant.")
    discovery_prefix: Topic = Field("homeassistant", description="Where Home Assistant looks for it.")
