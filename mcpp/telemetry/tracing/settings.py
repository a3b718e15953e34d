"""The standard `OTEL_*` variables, as far as they concern traces: read and checked before anything starts.

Meaning and defaults are OpenTelemetry's (its specification of environment variables, and of the OTLP exporter), but
timeouts are in seconds, as the Python SDK has them. A mistake ends the start; the SDK would guess over it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from mcpp.errors import StartError
from mcpp.redaction import redact_text


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


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Tracing as the variables ask for it."""

    exporters: tuple[SpanExporterName, ...]
    protocol: OtlpProtocol
    endpoint: str
    """The collector's URL as it was given, or the protocol's default; may carry credentials."""
    compression: Compression
    secrets: tuple[str, ...]
    """Values of the headers that go to the collector: never to be shown."""
    sampler: SamplerName
    ratio: float
    """Share of the traces that are recorded, where the sampler goes by it."""
    queue_size: int
    """Spans that may wait for an exporter."""
    batch_size: int
    delay_ms: int
    """How long spans gather for a batch."""
    variables: tuple[str, ...]
    """Names of the variables that were heeded."""

    def __str__(self) -> str:
        """Where spans go and which, in one line without secrets."""
        targets = {
            SpanExporterName.OTLP: f"{self.protocol} to {redact_text(self.endpoint)}",
            SpanExporterName.CONSOLE: "console on standard error",
        }
        ratio = f" {self.ratio:g}" if self.sampler in _BY_RATIO else ""
        return f"{' and '.join(targets[name] for name in self.exporters)}, sampler {self.sampler}{ratio}"


def read_tracing_settings(environ: Mapping[str, str]) -> TracingSettings | None:
    """What the variables say; None where tracing is off. Raises StartError with a line for each mistake.

    Tracing is on where `OTEL_SERVICE_NAME`, an `OTEL_TRACES_…` or an `OTEL_EXPORTER_OTLP_…` is set, and off by
    `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none`.
    """
    variables = _Variables(environ)
    settings = None
    if not variables.read(("OTEL_SDK_DISABLED",), _flag, False) and any(map(_asks_for_traces, variables.values)):
        default: tuple[SpanExporterName, ...] = (SpanExporterName.OTLP,)
        exporters = variables.read(("OTEL_TRACES_EXPORTER",), _exporters, default)
        settings = _read(variables, exporters) if exporters else None
    if variables.mistakes:
        raise StartError(*variables.mistakes)
    return settings


def describe_tracing(environ: Mapping[str, str]) -> str:
    """Whether tracing is on, where spans go, and by which variables, for people. Raises StartError as above."""
    settings = read_tracing_settings(environ)
    if settings is not None:
        return f"{settings} ({', '.join(settings.variables)})"
    switches = ("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER")
    given = next((name for name in switches if environ.get(name, "").strip().lower() in {"true", "none"}), "default")
    return f"off ({given})"


_OTLP: Final = "OTEL_EXPORTER_OTLP_"
_BY_RATIO: Final = frozenset({SamplerName.RATIO, SamplerName.PARENT_RATIO})
_GRPC_PORT: Final = 4317
_HOUR: Final = 3600.0

T = TypeVar("T")


class _Variables:
    """The variables that are set, and what is wrong with them; an empty one counts as unset."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        given = {name: value.strip() for name, value in environ.items() if name.startswith("OTEL_")}
        self.values = {name: value for name, value in sorted(given.items()) if value}
        self.mistakes: list[str] = []

    def read(self, names: tuple[str, ...], parse: Callable[[str], T], default: T) -> T:
        """The value of the first of these that is set."""
        for name in names:
            if name in self.values:
                try:
                    return parse(self.values[name])
                except ValueError as error:
                    self.mistakes.append(f"{name}: {error}")
                    break
        return default


def _asks_for_traces(name: str) -> bool:
    return name == "OTEL_SERVICE_NAME" or name.startswith("OTEL_TRACES_") or _is_of_otlp_traces(name)


def _is_of_otlp_traces(name: str) -> bool:
    return name.startswith(_OTLP) and not name.startswith((f"{_OTLP}METRICS_", f"{_OTLP}LOGS_"))


def _is_heeded(name: str) -> bool:
    return _asks_for_traces(name) or name == "OTEL_RESOURCE_ATTRIBUTES" or name.startswith("OTEL_BSP_")


def _otlp(name: str) -> tuple[str, str]:
    """The variable for traces, which goes first, and the one for all signals."""
    return f"{_OTLP}TRACES_{name}", f"{_OTLP}{name}"


def _read(variables: _Variables, exporters: tuple[SpanExporterName, ...]) -> TracingSettings:
    endpoint = variables.read(_otlp("ENDPOINT"), _endpoint, "")
    protocol = variables.read(_otlp("PROTOCOL"), _protocol, None) or _protocol_of(endpoint)
    if endpoint and SpanExporterName.OTLP in exporters:
        name = next(filter(variables.values.__contains__, _otlp("ENDPOINT")))
        variables.mistakes.extend(f"{name}: {misfit}" for misfit in _misfits(endpoint, protocol))
    sampler = variables.read(("OTEL_TRACES_SAMPLER",), _one_of(SamplerName), SamplerName.PARENT_ALWAYS_ON)
    ratio = variables.read(("OTEL_TRACES_SAMPLER_ARG",), _number(0, 1), 1.0) if sampler in _BY_RATIO else 1.0
    queue_size = variables.read(("OTEL_BSP_MAX_QUEUE_SIZE",), _whole, 2048)
    batch_size = variables.read(("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",), _whole, min(512, queue_size))
    if batch_size > queue_size:
        variables.mistakes.append(f"OTEL_BSP_MAX_EXPORT_BATCH_SIZE: {batch_size} is above the queue's {queue_size}")
    _check_what_exporters_read(variables)
    return TracingSettings(
        exporters=exporters,
        protocol=protocol,
        endpoint=endpoint or f"http://localhost:{_GRPC_PORT if protocol is OtlpProtocol.GRPC else 4318}",
        compression=variables.read(_otlp("COMPRESSION"), _compression(protocol), Compression.NONE),
        secrets=variables.read(_otlp("HEADERS"), _header_values, ()),
        sampler=sampler,
        ratio=ratio,
        queue_size=queue_size,
        batch_size=batch_size,
        delay_ms=variables.read(("OTEL_BSP_SCHEDULE_DELAY",), _whole, 5000),
        variables=tuple(filter(_is_heeded, variables.values)),
    )


def _check_what_exporters_read(variables: _Variables) -> None:
    variables.read(_otlp("TIMEOUT"), _number(0.001, _HOUR, " seconds"), 0.0)
    variables.read(_otlp("INSECURE"), _flag, False)
    for name in ("CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"):
        variables.read(_otlp(name), _readable_file, "")
    variables.read(("OTEL_RESOURCE_ATTRIBUTES",), _resource_attributes, "")
    variables.read(("OTEL_BSP_EXPORT_TIMEOUT",), _whole, 0)


def _protocol_of(endpoint: str) -> OtlpProtocol:
    return OtlpProtocol.GRPC if _url(endpoint).port == _GRPC_PORT else OtlpProtocol.HTTP


def _misfits(endpoint: str, protocol: OtlpProtocol) -> list[str]:
    if protocol is OtlpProtocol.HTTP and "://" not in endpoint:
        return [f"must begin with http:// or https:// for {protocol}"]
    if protocol is OtlpProtocol.GRPC and "@" in endpoint:
        return [f"can't hold credentials for {protocol}; {_OTLP}HEADERS can"]
    return []


def _url(endpoint: str) -> SplitResult:
    """An endpoint in its parts; one for gRPC may do without a scheme."""
    return urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")


def _endpoint(text: str) -> str:
    try:
        url = _url(text)
        usable = url.scheme in {"", "http", "https"} and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable or any(c.isspace() for c in text):
        raise ValueError("is no URL such as http://localhost:4318")
    return text


def _protocol(text: str) -> OtlpProtocol:
    if text == "http/json":
        raise ValueError("http/json isn't there; use http/protobuf, which has the same port, or grpc")
    return _one_of(OtlpProtocol)(text)


def _exporters(text: str) -> tuple[SpanExporterName, ...]:
    """None of them for `none`, which stands alone."""
    names = [name.strip() for name in text.split(",")]
    if names == ["none"]:
        return ()
    if not set(names) <= set(SpanExporterName):
        raise ValueError(f"{text!r} is neither none nor a list of {', '.join(SpanExporterName)}")
    return tuple(dict.fromkeys(map(SpanExporterName, names)))


def _compression(protocol: OtlpProtocol) -> Callable[[str], Compression]:
    def parse(text: str) -> Compression:
        compression = _one_of(Compression)(text)
        if compression is Compression.DEFLATE and protocol is OtlpProtocol.GRPC:
            raise ValueError("grpc has no deflate; use gzip or none")
        return compression

    return parse


Name = TypeVar("Name", bound=StrEnum)


def _one_of(kind: type[Name]) -> Callable[[str], Name]:
    def parse(text: str) -> Name:
        try:
            return kind(text.lower())
        except ValueError:
            raise ValueError(f"{text!r} is not one of {', '.join(kind)}") from None

    return parse


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f"{text!r} is no whole number above 0")
    return int(text)


def _number(least: float, most: float, unit: str = "") -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not least <= number <= most:
            raise ValueError(f"{text!r} is not from {least:g} to {most:g}{unit}")
        return number

    return parse


def _readable_file(text: str) -> str:
    try:
        with Path(text).open("rb"):
            return text
    except OSError as error:
        raise ValueError(f"can't read {text!r} ({error.strerror})") from None


def _resource_attributes(text: str) -> str:
    for item in text.split(","):
        name, equals, _ = item.partition("=")
        if item.strip() and not (equals and name.strip()):
            raise ValueError("is no list of NAME=VALUE with commas between")
    return text


_HEADER: Final = re.compile(r"[A-Za-z0-9_.-]+[ \t]*=[ -~]*")
_NEVER_PLAIN: Final = frozenset('";\\')
"""Stand percent-encoded only (W3C Baggage); the SDK would leave the header out and show it in a warning."""


def _header_values(text: str) -> tuple[str, ...]:
    """As they are sent and as they were written. What is wrong is told without them."""
    values = []
    for place, item in enumerate(filter(None, map(str.strip, text.split(","))), 1):
        if not _HEADER.fullmatch(item) or not _HEADER.fullmatch(unquote(item)) or _NEVER_PLAIN & set(item):
            raise ValueError(f"entry {place} is no NAME=VALUE, with what isn't plain ASCII text percent-encoded")
        written = item.partition("=")[2].strip()
        values += [unquote(written), written]
    return tuple(dict.fromkeys(filter(None, values)))
