"""The command line from outside: what it prints, which settings it takes, and the exit code it leaves."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mcpp import __version__
from mcpp.settings import Settings, default_text, flag, variable
from mcpp.storage.sqlite.migrations import bundled_migrations
from mcpp.telemetry.tracing.otel_values import SamplerName
from tests.integration.cli.command import Ended, Mcpp

COMMANDS = Path(__file__).parents[3] / "docs" / "commands.md"
NEWEST = len(bundled_migrations())


def test_version(mcpp: Mcpp) -> None:
    assert mcpp("--version") == Ended(0, f"mcpp {__version__}\n", "")


def test_help_lists_the_commands_that_are_documented(mcpp: Mcpp) -> None:
    ended = mcpp("--help")

    _, _, listed = ended.out.partition("Commands:\n")
    documented = re.findall(r"^\| `mcpp ([a-z-]+)", COMMANDS.read_text(encoding="utf-8"), re.MULTILINE)
    assert (ended.code, ended.err) == (0, "")
    assert sorted(re.findall(r"^  ([a-z-]+)  ", listed, re.MULTILINE)) == sorted(documented)


def test_help_of_serve_lists_every_setting_with_its_default_and_variable(mcpp: Mcpp) -> None:
    ended = mcpp("serve", "--help")

    assert ended.code == 0
    text = " ".join(ended.out.split())
    for name in Settings.model_fields:
        described = re.search(rf"{flag(name)} .*?\[([^\]]*variable: {variable(name)})\]", text)
        assert described is not None, name
        assert f"default: {default_text(name)};" in described[1]
    assert "[1 to 86400 seconds; default: 300; variable: MCPP_HEARTBEAT_INTERVAL]" in text


def test_check_config_prints_effective_settings_and_their_sources(mcpp: Mcpp) -> None:
    ended = mcpp("check-config", "--ocpp-port", "1234", "--api-token=s3cret", MCPP_HTTP_PORT="0")

    assert (ended.code, ended.err) == (0, "")
    shown = ended.out.splitlines()
    assert len(shown) == len(Settings.model_fields) + 2
    assert shown[-2].startswith("database found: not there yet; ")
    assert {
        "ocpp-port: 1234 (--ocpp-port)",
        "http-port: 0 (MCPP_HTTP_PORT)",
        "idle-timeout: 900 (default)",
        "api-token: ********** (--api-token)",
        f"database: {mcpp.directory / 'mcpp.db'} (default)",
        "tracing: off (default)",
    } <= set(shown)


def test_check_config_tells_of_a_lock_that_would_keep_a_server_from_starting(mcpp: Mcpp) -> None:
    assert mcpp("migrate").code == 0
    with closing(sqlite3.connect(mcpp.directory / "mcpp.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = mcpp("check-config")
    assert (ended.code, ended.out) == (75, "")
    assert "is locked by another program" in ended.err
    assert mcpp("check-config").code == 0


def test_check_config_tells_where_traces_go_without_secrets(mcpp: Mcpp) -> None:
    ended = mcpp(
        "check-config",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://me:s3cret@collector",
        OTEL_EXPORTER_OTLP_HEADERS="key=s3cret",
    )

    assert ended.out.splitlines()[-1] == (
        "tracing: http/protobuf to http://***@collector, sampler parentbased_always_on "
        "(OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS)"
    )
    assert "s3cret" not in ended.out + ended.err


@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_mistake_in_a_variable_of_opentelemetry_ends_the_start_too(mcpp: Mcpp, command: str) -> None:
    ended = mcpp(command, OTEL_TRACES_SAMPLER="sometimes")

    assert ended == Ended(2, "", f"OTEL_TRACES_SAMPLER: 'sometimes' is not one of {', '.join(SamplerName)}\n")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--log-payloads"], "on"),
        (["--log-payloads", "on"], "on"),
        (["--log-payloads=off"], "off"),
        (["--no-log-payloads"], "off"),
        ([], "on"),
    ],
)
def test_switches(mcpp: Mcpp, arguments: list[str], shown: str) -> None:
    ended = mcpp("check-config", *arguments, MCPP_LOG_PAYLOADS="on")

    assert any(line.startswith(f"log-payloads: {shown} ") for line in ended.out.splitlines())


@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_each_mistake_is_a_line_on_standard_error_and_the_exit_code_2(mcpp: Mcpp, command: str) -> None:
    ended = mcpp(command, "--ocpp-port", "70000", MCPP_HTTP_PORT="any", MCPP_DURABILTY="full")

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "ocpp-port: 70000 is above 65535 (flag --ocpp-port, variable MCPP_OCPP_PORT)",
        "http-port: 'any' is not a whole number (flag --http-port, variable MCPP_HTTP_PORT)",
        "MCPP_DURABILTY: there is no such setting; did you mean MCPP_DURABILITY?",
    ]


@pytest.mark.parametrize("arguments", [["serve", "--ocpp-prt", "1"], ["serve", "now"], ["sevre"]])
def test_wrong_use_is_one_line_and_the_exit_code_2(mcpp: Mcpp, arguments: list[str]) -> None:
    ended = mcpp(*arguments)

    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)


def test_migrate_says_from_which_version_to_which(mcpp: Mcpp) -> None:
    first, again = mcpp("migrate", "--database", "books.db"), mcpp("migrate", MCPP_DATABASE="books.db")

    books = mcpp.directory / "books.db"
    assert first == Ended(0, f"{books}: migrated from schema version 0 to {NEWEST}\n", "")
    assert again == Ended(0, f"{books}: schema version {NEWEST} is current, nothing to do\n", "")


@pytest.mark.parametrize("command", ["migrate", "serve"])
@pytest.mark.parametrize("database", ["absent/books.db", "text.db", "newer.db", "."])
def test_a_database_that_cannot_be_used_is_one_line_and_the_exit_code_2(
    mcpp: Mcpp, command: str, database: str
) -> None:
    (mcpp.directory / "text.db").write_text(
        "no database at all, but a text that is long enough to be taken for one\n" * 20
    )
    assert mcpp("migrate", "--database", "newer.db").code == 0
    with sqlite3.connect(mcpp.directory / "newer.db") as newer:
        newer.execute("INSERT INTO schema_migrations VALUES (?, 'next', 'x', 'later')", (NEWEST + 1,))
    newer.close()

    ended = mcpp(command, "--database", database)

    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert ended.err.startswith("database ")
