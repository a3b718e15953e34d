"""What a setting may be: the kinds of values, and the checks of those that have a form."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from mcpp.domain.prices import PriceRefused, read_price
from mcpp.storage.engine import DatabaseUnusable
from mcpp.storage.sqlite.database import database_path
from mcpp.telemetry.logs.redaction import redact_text


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


def _websocket_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.query or parts.fragment or "@" in value:
        raise ValueError("must be a URL such as wss://charge.example/ocpp, without an identity")
    return value.rstrip("/")


def _database(value: object) -> Path:
    try:
        return database_path(str(value))
    except DatabaseUnusable as error:
        raise ValueError(redact_text(str(error).removeprefix("database "))) from error


def _responder(value: str) -> str:
    if not re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]{1,5})?", value):
        raise ValueError(f"{value!r} is no host such as ocsp.example or 10.0.0.5:8080")
    return value.lower()


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


def _version(value: str) -> str:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}", value):
        raise ValueError(f"{value!r} is no version of OCPP such as 1.6")
    return value


def _plugin_name(value: str) -> str:
    if not re.fullmatch(r"-?[\w.-]+|[\w.]+:[\w.]+", value):
        raise ValueError(f"{value!r} is neither a name nor module:attribute")
    return value


_VISIBLE_ASCII: Final = "must be one or more visible ASCII characters without blanks"


def _token(value: SecretStr) -> SecretStr:
    if not _is_token(value.get_secret_value()):
        raise ValueError(_VISIBLE_ASCII)
    return value


def _is_token(text: str) -> bool:
    return bool(text) and all("!" <= c <= "~" for c in text)


def read_token(path: Path) -> str:
    """The token that a file holds, without blanks and line ends around it. Raises ValueError."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror})") from error
    except UnicodeError as error:
        raise ValueError(f"{path} holds no token: {_VISIBLE_ASCII}") from error
    if not _is_token(text):
        raise ValueError(f"{path} holds no token: {_VISIBLE_ASCII}")
    return text


def _id_tag(value: str) -> str:
    # OCPP 1.6 §7.28 allows 20 characters in a RemoteStartTransaction.
    if not 1 <= len(value) <= 20 or not value.isprintable() or value != value.strip():
        raise ValueError("must be 1 to 20 printable characters without a blank at either end")
    return value


def _separator(value: str) -> str:
    if len(value) > 8 or any(not c.isprintable() or c.isspace() or c.isalnum() for c in value):
        raise ValueError("must be 1 to 8 printable characters, none of them a letter, a digit or a blank")
    return value


def _currency(value: str) -> str:
    if not re.fullmatch("[A-Za-z]{3}", value):
        raise ValueError("must be the three letters of a currency, such as EUR (ISO 4217)")
    return value.upper()


def _price(value: object) -> Decimal:
    try:
        return read_price(str(value))
    except PriceRefused as error:
        raise ValueError(str(error)) from None


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError:
        raise ValueError(f"{value!r} is neither an IP address nor a network such as 10.0.0.0/8") from None


def _writable(path: Path) -> Path:
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        missing = "" if path.parent.is_dir() else f": there is no directory {path.parent}"
        raise ValueError(f"{path} can't be written{missing}")
    return path


def _readable(path: Path) -> Path:
    path = path.resolve()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror})") from error


Host: TypeAlias = Annotated[str, AfterValidator(_host)]
Responder: TypeAlias = Annotated[str, AfterValidator(_responder)]
Hosts: TypeAlias = Annotated[tuple[Host, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
Responders: TypeAlias = Annotated[tuple[Responder, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]
UrlPath: TypeAlias = Annotated[str, AfterValidator(_url_path)]
BaseUrl: TypeAlias = Annotated[str, AfterValidator(_base_url)]
WebSocketUrl: TypeAlias = Annotated[str, AfterValidator(_websocket_url)]
DatabasePath: TypeAlias = Annotated[Path, BeforeValidator(_database)]
ReadablePath: TypeAlias = Annotated[Path, AfterValidator(_readable)]
"""An existing file that this process may read."""
WritablePath: TypeAlias = Annotated[Path, AfterValidator(_writable)]
"""A file that this process may write, or make."""
ResolvedPath: TypeAlias = Annotated[Path, AfterValidator(Path.resolve)]
Token: TypeAlias = Annotated[SecretStr, AfterValidator(_token)]
IdTag: TypeAlias = Annotated[str, AfterValidator(_id_tag)]
Currency: TypeAlias = Annotated[str, AfterValidator(_currency)]
Price: TypeAlias = Annotated[Decimal, BeforeValidator(_price)]
Separator: TypeAlias = Annotated[str, AfterValidator(_separator)]
PluginNames: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_plugin_name)], ...], NoDecode, BeforeValidator(_split), Field(min_length=1)
]
OcppVersions: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_version)], ...], NoDecode, BeforeValidator(_split), Field(min_length=1)
]
Network: TypeAlias = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Networks: TypeAlias = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a listener on `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
