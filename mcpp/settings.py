"""Every setting of the server, once: its flag, its environment variable, its bounds and its documentation.

A flag beats a variable, a variable beats the default. `--ocpp-port` is `MCPP_OCPP_PORT` is `Settings.ocpp_port`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mcpp.errors import StartError
from mcpp.storage.engine import DatabaseUnusable, Durability
from mcpp.storage.sqlite.database import database_path
from mcpp.telemetry.logs.lines import LogFormat, LogLevel
from mcpp.telemetry.logs.redaction import redact_text

ENV_PREFIX: Final = "MCPP_"

_CLIENT_VARIABLES: Final = frozenset({"MCPP_API_URL"})
"""Of the commands that talk to a running server; `MCPP_API_TOKEN` serves both."""

_PLUGIN_PREFIX: Final = "MCPP_PLUGIN_"
"""A plugin's own settings; the plugin checks them."""


class Registration(StrEnum):
    """What becomes of an identity that isn't in the database."""

    OPEN = "open"
    CLOSED = "closed"


class AuthorizationMode(StrEnum):
    """Which id tags are accepted."""

    OPEN = "open"
    KNOWN = "known"


class ConcurrentTx(StrEnum):
    """Whether one id tag may charge in two places."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True)
class Documented:
    """What the documentation says of a field beside its description and bounds."""

    unit: str = ""
    default: str = ""
    """Where the default is computed from others."""


def _host(value: str) -> str:
    host = value.removeprefix("[").removesuffix("]")
    if not host or any(c.isspace() or c in "/?#@" for c in host):
        raise ValueError(f"{value!r} is no host name or address")
    return host


def _url_path(value: str) -> str:
    if not value.startswith("/") or any(c.isspace() or c in "?#" for c in value):
        raise ValueError(f"{value!r} is no path of a URL: it begins with / and has no blank, ? or #")
    return value.rstrip("/") or "/"


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or "@" in value:
        raise ValueError("must be a URL such as http://files.example or https://files.example/mcpp")
    return value.rstrip("/")


def _database(value: object) -> Path:
    try:
        return database_path(str(value))
    except DatabaseUnusable as error:
        raise ValueError(redact_text(str(error).removeprefix("database "))) from error


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _plugin_name(value: str) -> str:
    if not re.fullmatch(r"-?[\w.-]+|[\w.]+:[\w.]+", value):
        raise ValueError(f"{value!r} is neither a name nor module:attribute")
    return value


def _token(value: SecretStr) -> SecretStr:
    token = value.get_secret_value()
    if not token or not all("!" <= c <= "~" for c in token):
        raise ValueError("must be one or more visible ASCII characters without blanks")
    return value


def _id_tag(value: str) -> str:
    # OCPP 1.6 §7.28 allows 20 characters in a RemoteStartTransaction.
    if not 1 <= len(value) <= 20 or not value.isprintable() or value != value.strip():
        raise ValueError("must be 1 to 20 printable characters without a blank at either end")
    return value


def _separator(value: str) -> str:
    if len(value) > 8 or any(not c.isprintable() or c.isspace() or c.isalnum() for c in value):
        raise ValueError("must be 1 to 8 printable characters, none of them a letter, a digit or a blank")
    return value


Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=0, le=65535)]
_FilesUrl = Annotated[str, AfterValidator(_base_url)]
PluginName = Annotated[str, AfterValidator(_plugin_name)]
Hosts = Annotated[tuple[Host, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]


class Settings(BaseSettings):
    """The effective settings; made from flags with `Settings.load`, or from the environment alone with `Settings()`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    ocpp_host: Host = Field("0.0.0.0", description="Address of the OCPP-J listener.")  # noqa: S104  chargers are elsewhere
    ocpp_port: Port = Field(9000, description="Port of the OCPP-J listener; 0 takes a free one.")
    ocpp_path: Annotated[str, AfterValidator(_url_path)] = Field(
        "/ocpp", description="Chargers connect to this path, a slash and their identity."
    )
    http_host: Host = Field("127.0.0.1", description="Address of the HTTP listener: API, metrics, health.")
    http_port: Port = Field(8080, description="Port of the HTTP listener; 0 takes a free one.")
    api_token: Annotated[SecretStr, AfterValidator(_token)] | None = Field(
        None,
        description="Bearer token for /api and /metrics; needed where http-host is not loopback. "
        "Better set by variable: other users of the machine can read flags.",
    )
    allowed_hosts: Annotated[Hosts | None, NoDecode, Documented(default="the listener's own names")] = Field(
        None, description="Names, comma-separated, that requests to the HTTP listener may carry as Host, with any port."
    )
    database: Annotated[Path, BeforeValidator(_database)] = Field(
        Path("mcpp.db"), description="Database file: a path, or a sqlite:/// URL."
    )
    durability: Durability = Field(
        Durability.FULL,
        description="full: an answered message survives power loss; normal: it survives a crash of the process.",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least level of the log lines that are written.")
    log_format: LogFormat = Field(LogFormat.JSON, description="json for machines, console for people.")
    log_payloads: bool = Field(False, description="Put whole OCPP payloads into message log lines.")
    slow_message: Annotated[float, Documented(unit="seconds")] = Field(
        1.0, gt=0, le=3600, description="A message that takes this long gets a log line that says where the time went."
    )
    heartbeat_interval: Annotated[int, Documented(unit="seconds")] = Field(
        300, ge=1, le=86_400, description="Interval of the heartbeats that chargers are asked for at boot."
    )
    idle_timeout: Annotated[int, Documented(unit="seconds", default="3 x heartbeat-interval")] = Field(
        default_factory=lambda known: 3 * int(known["heartbeat_interval"]),
        ge=1,
        le=7 * 86_400,
        description="A connection without any frame for this long counts as dead.",
    )
    call_timeout: Annotated[float, Documented(unit="seconds")] = Field(
        30.0, gt=0, le=3600, description="How long a charger may take to answer a command."
    )
    call_queue_limit: Annotated[int, Documented(unit="commands")] = Field(
        32, ge=1, le=10_000, description="How many commands may wait for one charger before the API answers 429."
    )
    registration: Registration = Field(
        Registration.OPEN,
        description="open: an unknown identity is registered at its first connection; closed: it is refused.",
    )
    authorization: AuthorizationMode = Field(
        AuthorizationMode.OPEN,
        description="open: every id tag that is not blocked or expired is accepted; known: only stored ones are.",
    )
    concurrent_tx: ConcurrentTx = Field(
        ConcurrentTx.ALLOW, description="deny: an id tag with an open transaction gets ConcurrentTx elsewhere."
    )
    id_tag_separator: Annotated[str, AfterValidator(_separator)] | None = Field(
        None,
        description="What chargers put between an id tag and their own serial number, such as the _ of KEBA's: a tag "
        "that isn't stored as it comes is looked for without what they append. It's kept as it comes.",
    )
    recovery_grace: Annotated[int, Documented(unit="seconds")] = Field(
        120,
        ge=0,
        le=7 * 86_400,
        description="How long a connected charger may still deliver the real stop of a transaction that seems to be "
        "over, before it is closed by the last meter value.",
    )
    auto_start: bool = Field(
        False, description="Start charging by itself where a car is plugged in; the API can say otherwise per charger."
    )
    auto_start_id_tag: Annotated[str, AfterValidator(_id_tag)] = Field(
        "MCPP", description="Id tag that auto-start uses; it counts as known and may charge in many places at once."
    )
    plugins: Annotated[tuple[PluginName, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)] = Field(
        ("built-ins",),
        description="Plugins to enable, comma-separated: built-ins for those that come with MCPP, names of installed "
        "ones, module:attribute; -NAME leaves one out, none enables none.",
    )
    metrics_open: bool = Field(False, description="Where an api-token is set: serve /metrics without it.")
    per_charger_metrics: bool = Field(True, description="Export metrics with a series for each charger.")
    per_charger_metrics_limit: Annotated[int, Documented(unit="chargers")] = Field(
        2000, ge=1, le=1_000_000, description="How many chargers get series of their own."
    )

    files_host: Annotated[Host | None, Documented(default="ocpp-host")] = Field(
        None, description="Address of the listener that chargers fetch firmware from and put diagnostics to."
    )
    files_port: Annotated[Port | None, Documented(default="off")] = Field(
        None, description="Port of the listener for files, which switches it on; 0 takes a free one."
    )
    files_url: Annotated[_FilesUrl | None, Documented(default="made of host and port")] = Field(
        None, description="Where chargers reach the listener for files, if not directly, such as http://files.example."
    )
    files_directory: Annotated[Path, AfterValidator(Path.resolve)] = Field(
        Path("mcpp-files"), description="Directory that firmware and what chargers put is kept in."
    )
    files_limit: Annotated[int, Documented(unit="MiB")] = Field(
        512, ge=1, le=1_048_576, description="Largest file, fetched or put."
    )
    files_link_lifetime: Annotated[int, Documented(unit="hours")] = Field(
        72, ge=1, le=8760, description="How long a charger may use the link to a file that it was sent."
    )

    @field_validator("files_port")
    @classmethod
    def _needed_for_files(cls, port: int | None, known: ValidationInfo) -> int | None:
        if port is None and known.data.get("files_host") is not None:
            raise ValueError("is needed where files-host is given")
        return port

    @field_validator("api_token")
    @classmethod
    def _needed_in_public(cls, token: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        host = known.data.get("http_host")
        if token is None and host is not None and not is_loopback(host):
            raise ValueError(f"is needed where http-host is {host}, which is not a loopback address")
        return token

    @classmethod
    def load(cls, flags: Mapping[str, str]) -> Self:
        """The settings by flags (field name to text) and environment.

        Raises StartError with a line for each mistake.
        """
        mistakes = list(_unknown_variables(os.environ))
        settings = None
        try:
            settings = cls.model_validate(dict(flags))
        except ValidationError as error:
            mistakes[:0] = (_mistake(details) for details in error.errors() if details["type"] not in _CONSEQUENCES)
        if settings is None or mistakes:
            raise StartError(*mistakes)
        return settings

    def source(self, name: str, flags: Mapping[str, str]) -> str:
        """Where a setting's value comes from: its flag, its variable, or `default`."""
        if name in flags:
            return flag(name)
        return variable(name) if name in self.model_fields_set else "default"

    def text(self, name: str) -> str:
        """A setting's value as `check-config` prints it, a secret masked."""
        value: object = getattr(self, name)
        return default_text(name) if value is None else as_text(value)


def flag(name: str) -> str:
    """`--ocpp-port` for `ocpp_port`."""
    return f"--{setting(name)}"


def setting(name: str) -> str:
    """`ocpp-port` for `ocpp_port`: a field's name as people write it."""
    return name.replace("_", "-")


def variable(name: str) -> str:
    """`MCPP_OCPP_PORT` for `ocpp_port`."""
    return f"{ENV_PREFIX}{name.upper()}"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a listener on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def as_text(value: object) -> str:
    """A value as one would set it."""
    match value:
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)


def default_text(name: str) -> str:
    """A field's default as the documentation shows it."""
    field = Settings.model_fields[name]
    if documented(field).default:
        return documented(field).default
    return "none" if field.default is None else as_text(field.default)


def documented(field: FieldInfo) -> Documented:
    """What the documentation adds to a field."""
    return next((item for item in field.metadata if isinstance(item, Documented)), Documented())


_CONSEQUENCES: Final = frozenset({"default_factory_not_called"})
"""Errors that only follow from another field's, which is reported."""


def _mistake(details: ErrorDetails) -> str:
    name = str(details["loc"][0])
    return f"{setting(name)}: {_problem(details)} (flag {flag(name)}, variable {variable(name)})"


def _problem(details: ErrorDetails) -> str:
    given = repr(details["input"])  # never a secret's: only its validator refuses it, in words of its own
    context = details.get("ctx", {})
    match details["type"]:
        case "float_parsing" | "float_type":
            return f"{given} is not a number"
        case "int_parsing" | "int_type" | "int_from_float":
            return f"{given} is not a whole number"
        case "greater_than_equal":
            return f"{details['input']} is below {context['ge']}"
        case "less_than_equal":
            return f"{details['input']} is above {context['le']}"
        case "enum":
            return f"{given} is not one of {context['expected']}"
        case "bool_parsing" | "bool_type":
            return f"{given} is neither on nor off"
        case "too_short":
            return "names nothing"
        case "value_error":
            return str(context["error"])
        case _:
            return details["msg"]


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {variable(name) for name in Settings.model_fields} | _CLIENT_VARIABLES
    unknown = sorted(
        name
        for name in environment
        if name.upper().startswith(ENV_PREFIX)
        and name.upper() not in known
        and not name.upper().startswith(_PLUGIN_PREFIX)
    )
    return [f"{name}: there is no such setting{_hint(name.upper(), known)}" for name in unknown]


def _hint(name: str, known: set[str]) -> str:
    nearest = get_close_matches(name, sorted(known), n=1, cutoff=0.0)
    return f"; did you mean {nearest[0]}?" if nearest else ""
