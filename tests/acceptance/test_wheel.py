"""What is installed from the wheel is whole, and does with the packages of requirements.txt alone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PINNED = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(directory), str(ROOT)], check=True, capture_output=True)
    (wheel,) = directory.glob("mcpp_csms-*.whl")
    return wheel


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of packages: the wheel's, and those that requirements.txt pins, as they are installed here."""
    site = tmp_path_factory.mktemp("site")
    with ZipFile(wheel) as archive:
        archive.extractall(site)
    for name in PINNED:
        for file in distribution(name).files or ():
            if not file.is_absolute() and ".." not in file.parts:
                place = site / file
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists() and (original := Path(str(file.locate()))).exists():
                    shutil.copy2(original, place)
    return site


def mcpp_in(site: Path, *arguments: str) -> list[str]:
    """`mcpp` as the directory has it, with no other package in reach but Python's own."""
    start = f"import sys; sys.path.insert(0, {str(site)!r}); from mcpp.cli import main; sys.exit(main())"
    return [sys.executable, "-I", "-S", "-c", start, *arguments]


def run(site: Path, cwd: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    environment = {"PATH": os.environ["PATH"], **variables}
    ended = subprocess.run(
        mcpp_in(site, *arguments), cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_the_wheel_carries_generated_code_migrations_and_what_deploys_it(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {
        "mcpp/server/serve.py",
        "mcpp/py.typed",
        "mcpp/storage/sqlite/migrations/001_initial.up.sql",
        "mcpp_generated/db/queries.py",
        "mcpp_generated/ocpp16/models.py",
        "mcpp_generated/py.typed",
    } <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"mcpp", "mcpp_generated"}
    deployed = {str(file.relative_to(ROOT)) for file in (ROOT / "deploy").rglob("*") if file.is_file()}
    assert {name.removeprefix("mcpp/") for name in names if name.startswith("mcpp/deploy/")} == {
        name for name in deployed if not name.startswith("deploy/prometheus/tests/")
    }


async def test_it_serves_with_no_other_package(site: Path, tmp_path: Path) -> None:
    server = await asyncio.create_subprocess_exec(
        *mcpp_in(site, "serve", "--ocpp-host", "127.0.0.1", "--ocpp-port", "0", "--http-port", "0"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    try:
        async with asyncio.timeout(60):
            async for text in server.stdout:
                line = json.loads(text)
                if line["event"] == "server_started":
                    break
            else:
                raise AssertionError("it ended")
        with await asyncio.to_thread(
            urllib.request.urlopen, f"http://127.0.0.1:{line['http_port']}/healthz", timeout=30
        ) as answer:
            assert answer.status == 200
    finally:
        server.send_signal(signal.SIGTERM)
        await server.communicate()
    assert server.returncode == 0


@pytest.mark.parametrize("command", ["serve", "check-config"])
@pytest.mark.parametrize(
    ("variables", "asking", "extra"),
    [
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT: OTLP by http/protobuf",
            "otlp",
        ),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL: OTLP by grpc", "otlp-grpc"),
        ({"MCPP_PLUGIN_MQTT_URL": "mqtt://127.0.0.1"}, "plugin mqtt:", "mqtt"),
    ],
)
def test_a_missing_extra_is_named_in_one_line(
    site: Path, tmp_path: Path, command: str, variables: dict[str, str], asking: str, extra: str
) -> None:
    line = f"{asking} needs the extra {extra}: pip install 'mcpp-csms[{extra}]', or make run EXTRAS={extra}\n"

    assert run(site, tmp_path, command, **variables) == (2, "", line)


def test_tracing_to_the_console_needs_no_extra(site: Path, tmp_path: Path) -> None:
    code, out, _ = run(site, tmp_path, "check-config", OTEL_TRACES_EXPORTER="console")

    assert code == 0
    assert "tracing: console on standard error" in out


def test_what_deploys_it_is_listed_printed_and_written_once(site: Path, tmp_path: Path) -> None:
    code, unit, _ = run(site, tmp_path, "deploy", "systemd")
    assert code == 0
    assert re.search(r"^ExecStart=/\S+/bin/mcpp serve$", unit, re.MULTILINE)
    _, listed, hint = run(site, tmp_path, "deploy", "prometheus")
    assert listed.split() == ["alerting-rules.yml", "prometheus.yml", "recording-rules.yml"]
    assert hint == "mcpp deploy prometheus FILE prints one, --output DIR writes all of them\n"
    _, rules, _ = run(site, tmp_path, "deploy", "prometheus", "recording-rules.yml")
    assert rules == (ROOT / "deploy/prometheus/recording-rules.yml").read_text()

    code, written, _ = run(site, tmp_path, "deploy", "compose", "--output", "there")
    assert code == 0
    assert sorted(written.split()) == sorted(
        str(file.relative_to(tmp_path)) for file in (tmp_path / "there").rglob("*") if file.is_file()
    )
    compose = tmp_path / "there" / "compose.yaml"
    mounted = re.findall(r"^ +- \./(\S+?):", compose.read_text(), re.MULTILINE)
    assert mounted
    assert all((tmp_path / "there" / source).exists() for source in [*mounted, "Dockerfile", "healthcheck.py"])
    assert "context: .\n" in compose.read_text()

    assert run(site, tmp_path, "deploy", "compose", "--output", "there")[0] == 0, "what is the same may stay"
    compose.write_text("mine\n")
    refused = (2, "", "there/compose.yaml is there and differs; --force writes over it\n")
    assert run(site, tmp_path, "deploy", "compose", "--output", "there") == refused
    assert compose.read_text() == "mine\n"
    assert run(site, tmp_path, "deploy", "compose", "--output", "there", "--force")[0] == 0
    assert compose.read_text() != "mine\n"
