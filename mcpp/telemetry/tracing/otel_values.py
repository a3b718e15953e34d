"""What the values of `OTEL_*` variables may be, and how they are written.

Every function raises ValueError with the rest of a sentence that begins with the variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit


class SpanExporterName(StrEnum):
    """Where spans go: to a collector, or to standard error."""

    OTLP = "otlp"
    CONSOLE = "console"


class OtlpProtocol(StrEnum):
    """How spans get to a collector."""

    GRPC = "grpc"
    HTTP = "http/protobuf"


class Compression(StrEnum):
    """How a batch is made smaller on its way to a collector."""

    NONE = "none"
    GZIP = "gzip"
    DEFLATE = "deflate"


class SamplerName(StrEnum):
    """Which traces are recorded."""

    ALWAYS_ON = "always_on"
    ALWAYS_OFF = "always_off"
    RATIO = "traceidratio"
    PARENT_ALWAYS_ON = "parentbased_always_on"
    PARENT_ALWAYS_OFF = "parentbased_always_off"
    PARENT_RATIO = "parentbased_traceidratio"


Name = TypeVar("Name", bound=StrEnum)


def one_of(kind: type[Name]) -> Callable[[str], Name]:
    """A name of a closed set, in whatever case."""

    def parse(text: str) -> Name:
        try:
            return kind(text.lower())
        except ValueError:
            raise ValueError(f"{text!r} is not one of {', '.join(kind)}") from None

    return parse


def names_of(kind: type[Name]) -> Callable[[str], tuple[Name, ...]]:
    """A list of names of a closed set, each of them once; `none` stands alone and means an empty one."""

    def parse(text: str) -> tuple[Name, ...]:
        names = [name.strip() for name in text.split(",")]
        if names == ["none"]:
            return ()
        if not set(names) <= set(kind):
            raise ValueError(f"{text!r} is neither none nor a list of {', '.join(kind)}")
        return tuple(dict.fromkeys(map(kind, names)))

    return parse


def flag(text: str) -> bool:
    """`true` or `false`, in whatever case."""
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def whole(text: str) -> int:
    """A whole number above 0."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f"{text!r} is no whole number above 0")
    return int(text)


def number(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    """A number between these two, both included."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not least <= value <= most:
            raise ValueError(f"{text!r} is not from {least:g} to {most:g}{unit}")
        return value

    return parse


def url_of(endpoint: str) -> SplitResult:
    """An endpoint in its parts; one for gRPC may do without a scheme."""
    return urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")


def endpoint(text: str) -> str:
    """The URL of a collector, or its host and port."""
    try:
        url = url_of(text)
        usable = url.scheme in {"", "http", "https"} and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable or any(c.isspace() for c in text):
        raise ValueError("is no URL such as http://localhost:4318")
    return text


def readable_file(text: str) -> str:
    """The path of a file that can be read."""
    try:
        with Path(text).open("rb"):
            return text
    except OSError as error:
        raise ValueError(f"can't read {text!r} ({error.strerror})") from None


def attributes(text: str) -> str:
    """Names and values with commas between."""
    for item in text.split(","):
        name, equals, _ = item.partition("=")
        if item.strip() and not (equals and name.strip()):
            raise ValueError("is no list of NAME=VALUE with commas between")
    return text


_HEADER: Final = re.compile(r"[A-Za-z0-9_.-]+[ \t]*=[ -~]*")
_NEVER_PLAIN: Final = frozenset('";\\')
"""Stand percent-encoded only (W3C Baggage); the SDK would leave the header out and show it in a warning."""


def header_values(text: str) -> tuple[str, ...]:
    """The values of headers as they are sent and as they were written; mistakes are described without them."""
    values = []
    for place, item in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        if not _HEADER.fullmatch(item) or not _HEADER.fullmatch(unquote(item)) or _NEVER_PLAIN & set(item):
            raise ValueError(f"entry {place} is no NAME=VALUE, with what isn't plain ASCII text percent-encoded")
        written = item.partition("=")[2].strip()
        values += [unquote(written), written]
    return tuple(dict.fromkeys(filter(None, values)))
