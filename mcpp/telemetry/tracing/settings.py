"""The standard `OTEL_*` variables, as far as they concern traces: read and checked before anything starts.

Meaning and defaults are OpenTelemetry's (its specification of environment variables, and of the OTLP exporter), but
timeouts are in seconds, as the Python SDK has them. A mistake ends the start; the SDK would guess over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Final

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic import ValidationInfo as Info

from mcpp.errors import StartError, needs_extra
from mcpp.redaction import redact_text
from mcpp.telemetry.tracing import otel_values as read
from mcpp.telemetry.tracing.otel_values import Compression, OtlpProtocol, SamplerName, SpanExporterName
from mcpp.telemetry.tracing.sampling import Sampling

_OTLP: Final = "OTEL_EXPORTER_OTLP_"
_BY_RATIO: Final = frozenset({SamplerName.RATIO, SamplerName.PARENT_RATIO})
_NEVER: Final = frozenset({SamplerName.ALWAYS_OFF, SamplerName.PARENT_ALWAYS_OFF})


def _otlp(name: str) -> AliasChoices:
    """The variable for traces, which goes first, and the one for all signals."""
    return AliasChoices(f"{_OTLP}TRACES_{name}", f"{_OTLP}{name}")


def _protocol(text: str) -> OtlpProtocol:
    if text == "http/json":
        raise ValueError("http/json isn't there; use http/protobuf, which has the same port, or grpc")
    return read.one_of(OtlpProtocol)(text)


def _ratio(text: str, known: Info) -> float:
    return read.number(0, 1)(text) if known.data.get("sampler") in _BY_RATIO else 1.0


def _protocol_to(endpoint: str, given: OtlpProtocol | None) -> OtlpProtocol:
    """The protocol as it was given, else by the port of the collector."""
    return given or (OtlpProtocol.GRPC if read.url_of(endpoint).port == _GRPC_PORT else OtlpProtocol.HTTP)


def _default_endpoint(known: dict[str, Any]) -> str:
    return f"http://localhost:{_GRPC_PORT if known['given_protocol'] is OtlpProtocol.GRPC else 4318}"


_GRPC_PORT: Final = 4317
_EXTRAS: Final = {OtlpProtocol.HTTP: ("otlp", "http"), OtlpProtocol.GRPC: ("otlp-grpc", "grpc")}
"""By protocol, the extra with its exporter, and the exporter's package."""

_Seconds = Annotated[float, BeforeValidator(read.number(0.001, 3600, " seconds"))]
_Whole = Annotated[int, BeforeValidator(read.whole)]
_Flag = Annotated[bool, BeforeValidator(read.flag)]
_File = Annotated[str, BeforeValidator(read.readable_file)]


class TracingSettings(BaseModel):
    """Tracing as the variables ask for it. Made of them, by `read_tracing_settings`."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_alias=True, validate_by_name=True, defer_build=True
    )

    exporters: Annotated[tuple[SpanExporterName, ...], BeforeValidator(read.names_of(SpanExporterName))] = Field(
        (SpanExporterName.OTLP,), validation_alias="OTEL_TRACES_EXPORTER"
    )
    given_protocol: Annotated[OtlpProtocol | None, BeforeValidator(_protocol)] = Field(
        None, validation_alias=_otlp("PROTOCOL")
    )
    endpoint: Annotated[str, BeforeValidator(read.endpoint)] = Field(
        default_factory=_default_endpoint, validation_alias=_otlp("ENDPOINT")
    )
    """The collector's URL as it was given, or the protocol's default; may carry credentials."""
    sampler: Annotated[SamplerName, BeforeValidator(read.one_of(SamplerName))] = Field(
        SamplerName.PARENT_ALWAYS_ON, validation_alias="OTEL_TRACES_SAMPLER"
    )
    ratio: Annotated[float, BeforeValidator(_ratio)] = Field(1.0, validation_alias="OTEL_TRACES_SAMPLER_ARG")
    """Share of the traces that are recorded, where the sampler goes by it."""
    queue_size: _Whole = Field(2048, validation_alias="OTEL_BSP_MAX_QUEUE_SIZE")
    """Spans that may wait for an exporter."""
    batch_size: _Whole = Field(
        default_factory=lambda known: min(512, int(known["queue_size"])),
        validation_alias="OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    )
    compression: Annotated[Compression, BeforeValidator(read.one_of(Compression))] = Field(
        Compression.NONE, validation_alias=_otlp("COMPRESSION")
    )
    secrets: Annotated[tuple[str, ...], BeforeValidator(read.header_values)] = Field(
        (), validation_alias=_otlp("HEADERS")
    )
    """Values of the headers that go to the collector: never to be shown."""
    delay_ms: _Whole = Field(5000, validation_alias="OTEL_BSP_SCHEDULE_DELAY")
    """How long spans gather for a batch."""
    variables: tuple[str, ...] = ()
    """Names of the variables that were considered."""

    # What the SDK reads by itself is checked here.
    disabled: _Flag = Field(False, validation_alias="OTEL_SDK_DISABLED")
    timeout: _Seconds = Field(10, validation_alias=_otlp("TIMEOUT"))
    insecure: _Flag = Field(False, validation_alias=_otlp("INSECURE"))
    certificate: _File = Field("", validation_alias=_otlp("CERTIFICATE"))
    client_key: _File = Field("", validation_alias=_otlp("CLIENT_KEY"))
    client_certificate: _File = Field("", validation_alias=_otlp("CLIENT_CERTIFICATE"))
    attributes: Annotated[str, BeforeValidator(read.attributes)] = Field(
        "", validation_alias="OTEL_RESOURCE_ATTRIBUTES"
    )
    export_timeout: _Whole = Field(30_000, validation_alias="OTEL_BSP_EXPORT_TIMEOUT")

    @field_validator("endpoint")
    @classmethod
    def _fits_the_protocol(cls, endpoint: str, known: Info) -> str:
        if SpanExporterName.OTLP not in known.data.get("exporters", ()):
            return endpoint
        protocol = _protocol_to(endpoint, known.data.get("given_protocol"))
        if protocol is OtlpProtocol.HTTP and "://" not in endpoint:
            raise ValueError(f"must begin with http:// or https:// for {protocol}")
        if protocol is OtlpProtocol.GRPC and "@" in endpoint:
            raise ValueError(f"can't hold credentials for {protocol}; {_OTLP}HEADERS can")
        return endpoint

    @field_validator("batch_size")
    @classmethod
    def _fits_into_the_queue(cls, batch_size: int, known: Info) -> int:
        if batch_size > known.data.get("queue_size", batch_size):
            raise ValueError(f"{batch_size} is above the queue's {known.data['queue_size']}")
        return batch_size

    @field_validator("compression")
    @classmethod
    def _the_protocol_has_it(cls, compression: Compression, known: Info) -> Compression:
        protocol = _protocol_to(known.data.get("endpoint", ""), known.data.get("given_protocol"))
        if compression is Compression.DEFLATE and protocol is OtlpProtocol.GRPC:
            raise ValueError("grpc has no deflate; use gzip or none")
        return compression

    @property
    def protocol(self) -> OtlpProtocol:
        return _protocol_to(self.endpoint, self.given_protocol)

    @property
    def sampling(self) -> Sampling:
        """Which traces are recorded."""
        ratio = 0.0 if self.sampler in _NEVER else self.ratio
        return Sampling(ratio, follows_callers=self.sampler.startswith("parentbased_"))

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
    `OTEL_SDK_DISABLED=true` or `OTEL_TRACES_EXPORTER=none`. An empty variable counts as unset.
    """
    stripped = {name: value.strip() for name, value in sorted(environ.items()) if name.startswith("OTEL_")}
    given = {name: value for name, value in stripped.items() if value}
    is_wanted = any(map(_asks_for_traces, given)) and given.get("OTEL_TRACES_EXPORTER") != "none"
    disabled = given.get("OTEL_SDK_DISABLED", "false").lower()
    if disabled == "true" or (disabled == "false" and not is_wanted):
        return None
    try:
        settings = TracingSettings.model_validate(given | {"variables": tuple(filter(_is_considered, given))})
    except ValidationError as error:
        mistakes = [details for details in error.errors() if details["type"] == "value_error"]
        raise StartError(*(f"{details['loc'][0]}: {details['ctx']['error']}" for details in mistakes)) from None
    if SpanExporterName.OTLP in settings.exporters:
        extra, package = _EXTRAS[settings.protocol]
        if not _is_installed(f"opentelemetry.exporter.otlp.proto.{package}"):
            asking = next(name for name in settings.variables if _asks_for_traces(name))
            raise StartError(f"{asking}: OTLP by {settings.protocol} {needs_extra(extra)}")
    return settings


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of a package above it
        return False


def describe_tracing(environ: Mapping[str, str]) -> str:
    """Whether tracing is on, where spans go, and by which variables, for people. Raises StartError as above."""
    settings = read_tracing_settings(environ)
    if settings is not None:
        return f"{settings} ({', '.join(settings.variables)})"
    switches = ("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER")
    given = next((name for name in switches if environ.get(name, "").strip().lower() in {"true", "none"}), "default")
    return f"off ({given})"


def _asks_for_traces(name: str) -> bool:
    of_otlp = name.startswith(_OTLP) and not name.startswith((f"{_OTLP}METRICS_", f"{_OTLP}LOGS_"))
    return name == "OTEL_SERVICE_NAME" or name.startswith("OTEL_TRACES_") or of_otlp


def _is_considered(name: str) -> bool:
    return _asks_for_traces(name) or name == "OTEL_RESOURCE_ATTRIBUTES" or name.startswith("OTEL_BSP_")
