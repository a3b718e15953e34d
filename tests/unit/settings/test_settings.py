"""Settings: where their values come from, and what is said of mistakes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcpp.errors import StartError
from mcpp.settings import (
    AuthorizationMode,
    ConcurrentTx,
    Registration,
    Settings,
    allowed_range,
    default_text,
    is_loopback,
    is_number,
    setting,
    variable,
)
from mcpp.storage.engine import Durability
from mcpp.telemetry.logs.lines import LogFormat, LogLevel

DEFAULTS = {
    "ocpp-host": "0.0.0.0",
    "ocpp-port": "9000",
    "ocpp-path": "/ocpp",
    "ocpp-path-strict": "off",
    "ocpp-compression": "off",
    "ocpp-versions": "all",
    "ocpp-url": "made of host, port and path",
    "http-host": "127.0.0.1",
    "http-port": "8080",
    "api-token-file": "none",
    "api-token": "none",
    "allowed-hosts": "none more",
    "trusted-proxies": "none",
    "http-tls-cert": "none",
    "http-tls-key": "none",
    "security-profile": "0",
    "tls-cert": "none",
    "tls-key": "none",
    "tls-client-ca": "none",
    "tls-organization": "none",
    "tls-rsa-suites": "off",
    "ca-directory": "mcpp-ca",
    "contract-roots": "none",
    "ocsp-responders": "none",
    "certificate-lifetime": "365",
    "certificate-renewal": "30",
    "frame-limit": "131072",
    "max-connections": "20000",
    "max-connections-per-address": "2000",
    "unknown-identities-per-hour": "200",
    "messages-per-second": "500",
    "meter-values-retention": "none",
    "database": "mcpp.db",
    "durability": "full",
    "log-level": "info",
    "log-format": "json, on a terminal console",
    "log-file": "none",
    "log-file-size": "20",
    "log-file-count": "9",
    "log-payloads": "off",
    "slow-message": "1",
    "heartbeat-interval": "300",
    "idle-timeout": "3 x heartbeat-interval",
    "call-timeout": "30",
    "call-queue-limit": "32",
    "registration": "open",
    "authorization": "open",
    "concurrent-tx": "allow",
    "id-tag-separator": "none",
    "recovery-grace": "120",
    "base-report": "on",
    "base-report-delay": "15",
    "auto-start": "off",
    "auto-start-id-tag": "MCPP",
    "price-per-kwh": "none",
    "currency": "none",
    "plugins": "built-ins",
    "metrics-open": "off",
    "per-charger-metrics": "on",
    "per-charger-metrics-limit": "2000",
    "files-host": "ocpp-host",
    "files-port": "off",
    "files-url": "made of host and port",
    "files-directory": "mcpp-files",
    "files-limit": "512",
    "files-link-lifetime": "72",
}


def mistakes(**flags: str) -> tuple[str, ...]:
    with pytest.raises(StartError) as caught:
        Settings.load(flags)
    return caught.value.lines


def test_the_settings_and_their_documented_defaults_are_those_of_the_interface() -> None:
    assert {setting(name): default_text(name) for name in Settings.model_fields} == DEFAULTS


def test_defaults() -> None:
    settings = Settings.load({})

    assert settings.ocpp_host == "0.0.0.0"
    assert (settings.ocpp_port, settings.http_port) == (9000, 8080)
    assert settings.api_token is None
    assert settings.allowed_hosts is None
    assert settings.database == Path.cwd() / "mcpp.db"
    assert settings.durability is Durability.FULL
    assert (settings.log_level, settings.log_format) == (LogLevel.INFO, LogFormat.JSON)
    assert (settings.heartbeat_interval, settings.idle_timeout) == (300, 900)
    assert settings.registration is Registration.OPEN
    assert settings.authorization is AuthorizationMode.OPEN
    assert settings.concurrent_tx is ConcurrentTx.ALLOW
    assert (settings.log_payloads, settings.metrics_open, settings.per_charger_metrics) == (False, False, True)


def test_a_flag_beats_its_variable_and_a_variable_beats_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_OCPP_PORT", "1111")
    monkeypatch.setenv("MCPP_HTTP_PORT", "2222")
    flags = {"ocpp_port": "3333"}

    settings = Settings.load(flags)

    assert (settings.ocpp_port, settings.http_port, settings.ocpp_path) == (3333, 2222, "/ocpp")
    assert [settings.source(name) for name in ("ocpp_port", "http_port", "ocpp_path")] == [
        "--ocpp-port",
        "MCPP_HTTP_PORT",
        "default",
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("log_payloads", "on", True),
        ("log_payloads", "true", True),
        ("per_charger_metrics", "off", False),
        ("per_charger_metrics", "0", False),
        ("durability", "normal", Durability.NORMAL),
        ("log_level", "warning", LogLevel.WARNING),
        ("registration", "closed", Registration.CLOSED),
        ("authorization", "known", AuthorizationMode.KNOWN),
        ("concurrent_tx", "deny", ConcurrentTx.DENY),
        ("auto_start", "on", True),
        ("auto_start_id_tag", "Plug and charge", "Plug and charge"),
        ("id_tag_separator", "_", "_"),
        ("allowed_hosts", "mcpp.example, 192.0.2.7 ,[::1],", ("mcpp.example", "192.0.2.7", "::1")),
        ("http_host", "[::1]", "::1"),
        ("ocpp_path", "/ocpp/1.6/", "/ocpp/1.6"),
        ("ocpp_path", "/", "/"),
        ("database", "sqlite:////var/lib/mcpp.db", Path("/var/lib/mcpp.db")),
        ("ocpp_port", "0", 0),
        ("idle_timeout", "7", 7),
    ],
)
def test_a_value_means_the_same_as_flag_and_as_variable(
    name: str, text: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_flag = Settings.load({name: text})
    monkeypatch.setenv(variable(name), text)
    by_variable = Settings.load({})

    assert getattr(by_flag, name) == value
    assert by_flag.model_dump() == by_variable.model_dump()


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_API_TOKEN", "")
    monkeypatch.setenv("MCPP_OCPP_PORT", "")

    assert Settings.load({}) == Settings()
    assert Settings.load({}).api_token is None


def test_idle_timeout_follows_the_heartbeat_interval() -> None:
    assert Settings.load({"heartbeat_interval": "20"}).idle_timeout == 60


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("ocpp_port", "70000", "ocpp-port: 70000 is above 65535"),
        ("http_port", "-1", "http-port: -1 is below 0"),
        ("http_port", "http", "http-port: 'http' is not a whole number"),
        ("http_port", "80.5", "http-port: '80.5' is not a whole number"),
        ("http_host", "a b", "http-host: 'a b' is no host name or address"),
        ("ocpp_host", "http://here", "ocpp-host: 'http://here' is no host name or address"),
        ("ocpp_path", "ocpp", "ocpp-path: 'ocpp' is no path of a URL: it begins with / and has no blank, ? or #"),
        ("database", "postgresql://db", "database: 'postgresql://db' names no file: give a path or a URL such as"),
        ("database", ":memory:", "database: ':memory:' names no file: give a path or a URL such as"),
        ("durability", "none", "durability: 'none' is not one of 'full' or 'normal'"),
        ("log_level", "INFO", "log-level: 'INFO' is not one of 'debug', 'info', 'warning' or 'error'"),
        ("log_payloads", "maybe", "log-payloads: 'maybe' is neither on nor off"),
        ("heartbeat_interval", "0", "heartbeat-interval: 0 is below 1"),
        ("idle_timeout", "604801", "idle-timeout: 604801 is above 604800"),
        ("allowed_hosts", " , ", "allowed-hosts: names nothing"),
        ("allowed_hosts", "good,b/d", "allowed-hosts: 'b/d' is no host name or address"),
        ("per_charger_metrics_limit", "0", "per-charger-metrics-limit: 0 is below 1"),
        ("auto_start_id_tag", "T" * 21, "auto-start-id-tag: must be 1 to 20 printable characters without a blank"),
        (
            "id_tag_separator",
            "x",
            "id-tag-separator: must be 1 to 8 printable characters, none of them a letter, a digit or",
        ),
        ("auto_start_id_tag", " ", "auto-start-id-tag: must be 1 to 20 printable characters without a blank"),
        ("files_url", "files.example", "files-url: must be a URL such as http://files.example"),
        ("files_url", "ftp://files.example", "files-url: must be a URL such as http://files.example"),
        ("files_url", "http://user:word@files.example", "files-url: must be a URL such as http://files.example"),
        ("files_limit", "0", "files-limit: 0 is below 1"),
    ],
)
def test_a_mistake_is_one_line_that_names_flag_and_variable(name: str, text: str, problem: str) -> None:
    (line,) = mistakes(**{name: text})

    assert line.startswith(problem)
    assert line.endswith(f" (flag --{setting(name)}, variable {variable(name)})")
    assert "\n" not in line


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_HEARTBEAT_INTERVAL", "often")
    monkeypatch.setenv("MCPP_HTPP_PORT", "1")

    lines = mistakes(ocpp_port="70000", log_level="loud")

    assert [line.partition(":")[0] for line in lines] == [
        "ocpp-port",
        "log-level",
        "heartbeat-interval",
        "MCPP_HTPP_PORT",
    ]


def test_an_unknown_variable_is_a_mistake_and_the_nearest_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_OCP_PORT", "1")

    assert mistakes() == ("MCPP_OCP_PORT: there is no such setting; did you mean MCPP_OCPP_PORT?",)


def test_variables_of_client_commands_and_plugins_are_no_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MCPP_API_URL", "MCPP_API_TOKEN", "MCPP_PLUGIN_MAIL_SERVER"):
        monkeypatch.setenv(name, "something")

    Settings.load({})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "mcpp.example"])
def test_a_public_http_host_needs_a_token(host: str) -> None:
    settings = Settings.load({"http_host": host})
    with pytest.raises(
        StartError, match=f"^api-token: is needed where http-host is {re.escape(host)}, .* mcpp token add"
    ):
        settings.check_public(has_named_token=False)

    settings.check_public(has_named_token=True)
    Settings.load({"http_host": host, "api_token": "t0ken"}).check_public(has_named_token=False)
    Settings.load({}).check_public(has_named_token=False)


def test_a_files_host_needs_a_port() -> None:
    (line,) = mistakes(files_host="0.0.0.0")

    assert line.startswith("files-port: is needed where files-host is given")
    assert Settings.load({"files_host": "0.0.0.0", "files_port": "0"}).files_port == 0
    assert Settings.load({}).files_port is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LOCALHOST"])
def test_a_loopback_http_host_needs_none(host: str) -> None:
    assert is_loopback(host)
    assert Settings.load({"http_host": host}).api_token is None


@pytest.mark.parametrize("token", ["s3cret with blanks", "s3cret\n", "s3crét", ""])
def test_a_bad_token_is_refused_and_never_printed(token: str) -> None:
    (line,) = mistakes(api_token=token)

    assert line.startswith("api-token: must be one or more visible ASCII characters without blanks")
    assert "s3cr" not in line


def test_a_token_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("\n  t0ken\r\n\n")
    settings = Settings.load({"http_host": "0.0.0.0", "api_token_file": str(file)})

    assert settings.effective_api_token() == "t0ken"
    assert Settings.load({"api_token": "0ther"}).effective_api_token() == "0ther"
    assert Settings.load({}).effective_api_token() is None


@pytest.mark.parametrize("content", ["", "\n \n", "two words", "t\u00f6ken"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    (line,) = mistakes(api_token_file=str(file), http_host="0.0.0.0")

    assert line.startswith(f"api-token-file: {file} holds no token")


def test_a_token_stands_in_one_place(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t0ken")
    (line,) = mistakes(api_token_file=str(file), api_token="0ther")

    assert line.startswith("api-token: is given by api-token-file as well; choose one")


def test_secrets_are_not_printed() -> None:
    settings = Settings.load({"api_token": "s3cret"})
    (line,) = mistakes(database="postgresql://user:s3cret@db/mcpp")

    assert "s3cret" not in settings.text("api_token") + str(settings) + repr(settings) + line


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if is_number(field)])
def test_the_range_of_each_number_is_told_and_holds(name: str) -> None:
    told = allowed_range(Settings.model_fields[name])
    described = re.fullmatch(r"(?:(\d+) to|above (\d+), up to) (\d+)(?: [A-Za-z ]+)?", told)
    assert described is not None, told
    least, above, most = described.groups()
    for value in (int(most) + 1, int(least) - 1 if least is not None else above):
        with pytest.raises(StartError, match=rf"^{setting(name)}: {value} is (?:below|above|not above) "):
            Settings.load({name: str(value)})
    if name != "security_profile":  # the highest needs TLS
        assert getattr(Settings.load({name: most}), name) == int(most)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (".", "is no file"),
        ("/dev/full", "is no file"),
        ("nowhere/mcpp.log", "there is no directory"),
    ],
)
def test_a_log_file_that_cant_be_written_is_a_mistake(value: str, problem: str) -> None:
    with pytest.raises(StartError, match=rf"^log-file: .*{problem}"):
        Settings.load({"log_file": value})


@pytest.mark.parametrize("value", ["http://host/ocpp", "ws://", "ws://user:pw@host/", "host:9000", "ws://host/?a=1"])
def test_the_url_for_chargers_is_one_of_a_websocket(value: str) -> None:
    with pytest.raises(StartError, match=r"^ocpp-url: "):
        Settings.load({"ocpp_url": value})
