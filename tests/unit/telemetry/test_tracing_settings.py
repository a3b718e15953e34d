"""The OTEL_* variables: when tracing is on, where spans go, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcpp.errors import StartError
from mcpp.telemetry.tracing.otel_values import Compression, OtlpProtocol, SamplerName, SpanExporterName
from mcpp.telemetry.tracing.settings import TracingSettings, describe_tracing, read_tracing_settings

ON = {"OTEL_SERVICE_NAME": "mcpp"}
GRPC, HTTP = OtlpProtocol.GRPC, OtlpProtocol.HTTP


def read(**variables: str) -> TracingSettings:
    settings = read_tracing_settings(ON | variables)
    assert settings is not None
    return settings


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"PATH": "/bin", "MCPP_LOG_LEVEL": "info"},
        {"OTEL_SERVICE_NAME": "", "OTEL_EXPORTER_OTLP_ENDPOINT": "  "},
        {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=home", "OTEL_BSP_SCHEDULE_DELAY": "100"},
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://localhost:4318", "OTEL_METRICS_EXPORTER": "otlp"},
        {"OTEL_SDK_DISABLED": "false"},
        ON | {"OTEL_SDK_DISABLED": "True"},
        ON | {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER": "whatever"},
        ON | {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_off(variables: dict[str, str]) -> None:
    assert read_tracing_settings(variables) is None
    assert describe_tracing(variables).startswith("off (")


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SERVICE_NAME": "home"},
        {"OTEL_TRACES_EXPORTER": "otlp"},
        {"OTEL_TRACES_SAMPLER": "always_on"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
        {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "key=value"},
        ON | {"OTEL_SDK_DISABLED": "false"},
    ],
)
def test_on(variables: dict[str, str]) -> None:
    assert read_tracing_settings(variables) is not None
    assert describe_tracing(variables).endswith(f"({', '.join(n for n in sorted(variables) if 'DISABLED' not in n)})")


@pytest.mark.parametrize(
    ("variables", "protocol", "endpoint"),
    [
        ({}, HTTP, "http://localhost:4318"),
        ({"PROTOCOL": "grpc"}, GRPC, "http://localhost:4317"),
        ({"PROTOCOL": "http/protobuf"}, HTTP, "http://localhost:4318"),
        ({"PROTOCOL": "http/protobuf", "TRACES_PROTOCOL": "grpc"}, GRPC, "http://localhost:4317"),
        ({"ENDPOINT": "http://collector:4317"}, GRPC, "http://collector:4317"),
        ({"ENDPOINT": "collector:4317"}, GRPC, "collector:4317"),
        ({"ENDPOINT": "https://collector"}, HTTP, "https://collector"),
        ({"ENDPOINT": "http://collector:4317", "PROTOCOL": "http/protobuf"}, HTTP, "http://collector:4317"),
        ({"ENDPOINT": "http://a:4317", "TRACES_ENDPOINT": "http://b:4318/v1/traces"}, HTTP, "http://b:4318/v1/traces"),
        ({"ENDPOINT": "http://[::1]:4317"}, GRPC, "http://[::1]:4317"),
    ],
)
def test_the_protocol_is_as_said_else_by_the_endpoint_s_port(
    variables: dict[str, str], protocol: OtlpProtocol, endpoint: str
) -> None:
    settings = read(**{f"OTEL_EXPORTER_OTLP_{name}": value for name, value in variables.items()})
    assert (settings.protocol, settings.endpoint) == (protocol, endpoint)


@pytest.mark.parametrize(
    ("given", "exporters"),
    [
        ("otlp", (SpanExporterName.OTLP,)),
        ("console", (SpanExporterName.CONSOLE,)),
        ("otlp, console,otlp", (SpanExporterName.OTLP, SpanExporterName.CONSOLE)),
    ],
)
def test_a_list_of_exporters(given: str, exporters: tuple[SpanExporterName, ...]) -> None:
    assert read(OTEL_TRACES_EXPORTER=given).exporters == exporters


def test_the_defaults_are_those_of_the_specification() -> None:
    settings = read()
    assert settings.exporters == (SpanExporterName.OTLP,)
    assert settings.sampler is SamplerName.PARENT_ALWAYS_ON
    assert settings.compression is Compression.NONE
    assert (settings.queue_size, settings.batch_size, settings.delay_ms) == (2048, 512, 5000)


def test_a_small_queue_makes_small_batches() -> None:
    assert read(OTEL_BSP_MAX_QUEUE_SIZE="100").batch_size == 100


@pytest.mark.parametrize(
    ("sampler", "argument", "ratio"),
    [
        ("traceidratio", "0.01", 0.01),
        ("ParentBased_TraceIdRatio", "0", 0.0),
        ("parentbased_traceidratio", "", 1.0),
        ("always_on", "not heeded", 1.0),
    ],
)
def test_the_sampler_and_its_argument(sampler: str, argument: str, ratio: float) -> None:
    settings = read(OTEL_TRACES_SAMPLER=sampler, OTEL_TRACES_SAMPLER_ARG=argument)
    assert (settings.sampler, settings.ratio) == (sampler.lower(), ratio)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("OTEL_SDK_DISABLED", "maybe", "'maybe' is neither true nor false"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "'zipkin' is neither none nor a list of otlp, console"),
        ("OTEL_TRACES_EXPORTER", "otlp,none", "'otlp,none' is neither none nor a list of otlp, console"),
        (
            "OTEL_TRACES_SAMPLER",
            "jaeger_remote",
            f"'jaeger_remote' is not one of {', '.join(SamplerName)}",
        ),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "many", "'many' is no whole number above 0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "'0' is no whole number above 0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "4096 is above the queue's 2048"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-5", "'-5' is no whole number above 0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "soon", "'soon' is no whole number above 0"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "http/json isn't there; use http/protobuf, which has the same port, or grpc",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp", "'udp' is not one of grpc, http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "ten", "'ten' is not a number"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10000", "'10000' is not from 0.001 to 3600 seconds"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan", "'nan' is not from 0.001 to 3600 seconds"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", "'zip' is not one of none, gzip, deflate"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "yes", "'yes' is neither true nor false"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "must begin with http:// or https:// for http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "host:80", "must begin with http:// or https:// for http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector", "is no URL such as http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:many", "is no URL such as http://localhost:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://", "is no URL such as http://localhost:4318"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://me:s3cret@collector:4317",
            "can't hold credentials for grpc; OTEL_EXPORTER_OTLP_HEADERS can",
        ),
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "/nowhere/ca.pem",
            "can't read '/nowhere/ca.pem' (No such file or directory)",
        ),
        ("OTEL_RESOURCE_ATTRIBUTES", "home", "is no list of NAME=VALUE with commas between"),
    ],
)
def test_a_mistake_is_told_in_one_line(name: str, value: str, told: str) -> None:
    with pytest.raises(StartError) as raised:
        read(**{name: value})
    assert raised.value.lines == (f"{name}: {told}",)


def test_every_mistake_is_told() -> None:
    with pytest.raises(StartError) as raised:
        read(OTEL_TRACES_SAMPLER="traceidratio", OTEL_TRACES_SAMPLER_ARG="2", OTEL_BSP_SCHEDULE_DELAY="x")
    assert raised.value.lines == (
        "OTEL_TRACES_SAMPLER_ARG: '2' is not from 0 to 1",
        "OTEL_BSP_SCHEDULE_DELAY: 'x' is no whole number above 0",
    )


def test_grpc_has_no_deflate() -> None:
    with pytest.raises(StartError, match="OTEL_EXPORTER_OTLP_COMPRESSION: grpc has no deflate"):
        read(OTEL_EXPORTER_OTLP_COMPRESSION="deflate", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")


def test_certificates_that_can_be_read_are_taken(tmp_path: Path) -> None:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("whatever")
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in read(OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificate)).variables


def test_headers_are_secrets_as_written_and_as_sent() -> None:
    settings = read(OTEL_EXPORTER_OTLP_HEADERS="Authorization=Basic%20c2VjcmV0==, x-key = plain text")
    assert set(settings.secrets) == {"Basic c2VjcmV0==", "Basic%20c2VjcmV0==", "plain text"}


@pytest.mark.parametrize(
    "wrong", ["t0psecret", "key=t0psecret%0Aother", 'key="t0psecret"', "k ey=t0psecret", "=t0psecret"]
)
def test_what_is_wrong_with_headers_is_told_without_them(wrong: str) -> None:
    with pytest.raises(StartError) as raised:
        read(OTEL_EXPORTER_OTLP_HEADERS=f"first=good,{wrong}")
    (line,) = raised.value.lines
    assert line.startswith("OTEL_EXPORTER_OTLP_HEADERS: entry 2 is no NAME=VALUE")
    assert "t0psecret" not in line


def test_the_description_shows_no_secrets() -> None:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:t0psecret@collector/otlp",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=t0psecret",
        "OTEL_TRACES_EXPORTER": "otlp,console",
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.25",
    }
    assert describe_tracing(variables) == (
        "http/protobuf to https://***@collector/otlp and console on standard error, sampler traceidratio 0.25 "
        "(OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_EXPORTER, OTEL_TRACES_SAMPLER, "
        "OTEL_TRACES_SAMPLER_ARG)"
    )
