"""Every setting of the server, once: its flag, its environment variable, its bounds and its documentation.

A flag beats a variable, a variable beats the default. `--ocpp-port` is `MCPP_OCPP_PORT` is `Settings.ocpp_port`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mcpp.errors import StartError
from mcpp.phrases import Phrase
from mcpp.settings.texts import (
    ENV_PREFIX,
    as_text,
    describe_mistakes,
    documented,
    flag,
    setting,
    unknown_variables,
    variable,
)
from mcpp.settings.tls import check_authorities, check_pair, check_profile, client_authorities
from mcpp.settings.values import (
    AuthorizationMode,
    BaseUrl,
    ConcurrentTx,
    Currency,
    DatabasePath,
    Documented,
    Host,
    Hosts,
    IdTag,
    Networks,
    OcppVersions,
    PluginNames,
    Port,
    Price,
    ReadablePath,
    Registration,
    ResolvedPath,
    Responders,
    Separator,
    Token,
    UrlPath,
    WebSocketUrl,
    WritablePath,
    is_loopback,
    read_token,
)
from mcpp.storage.engine import Durability
from mcpp.telemetry.logs.lines import LogFormat, LogLevel, usual_format


class Settings(BaseSettings):
    """The effective settings; made from flags with `Settings.load`, or from the environment alone with `Settings()`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    _flags: frozenset[str] = frozenset()
    """The settings that flags gave."""

    ocpp_host: Host = Field("0.0.0.0", description="Address of the OCPP-J listener.")  # noqa: S104  chargers are elsewhere
    ocpp_port: Port = Field(9000, description="Port of the OCPP-J listener; 0 takes a free one.")
    ocpp_path: UrlPath = Field("/ocpp", description="Chargers connect to this path, a slash and their identity.")
    ocpp_path_strict: bool = Field(
        False,
        description="Refuse chargers at any other path; else another product's will do, if it ends with the identity.",
    )
    ocpp_compression: bool = Field(
        False,
        description="Let chargers that ask for it compress their messages (permessage-deflate); costs memory and CPU.",
    )
    ocpp_versions: Annotated[OcppVersions | None, Documented(default="all")] = Field(
        None,
        description="Versions of OCPP that are spoken, comma-separated, such as 1.6,2.0.1; the API can narrow it for a "
        "single charger.",
    )
    ocpp_url: Annotated[WebSocketUrl | None, Documented(default="made of host, port and path")] = Field(
        None,
        description="Where chargers reach this server, if not directly, such as wss://charge.example/ocpp: what people "
        "are told to type into them.",
    )
    http_host: Host = Field("127.0.0.1", description="Address of the HTTP listener: pages, API, metrics, health.")
    http_port: Port = Field(8080, description="Port of the HTTP listener; 0 takes a free one.")
    api_token_file: ReadablePath | None = Field(
        None, description="File that holds the api-token, in place of that setting; only its owner should read it."
    )
    api_token: Token | None = Field(
        None,
        description="Token of an operator for API, pages and metrics; needed where http-host is not loopback, "
        "unless there is a named one (mcpp token). "
        "Better set by variable: other users of the machine can read flags.",
    )
    allowed_hosts: Annotated[Hosts | None, NoDecode, Documented(default="none more")] = Field(
        None,
        description="Names, comma-separated, that requests to the HTTP listener may carry as Host, with any port, "
        "beside loopback and the machine's own names and addresses.",
    )
    trusted_proxies: Networks | None = Field(
        None,
        description="Addresses or networks, comma-separated, of reverse proxies: what they say in X-Forwarded-For and "
        "X-Forwarded-Proto counts, on all listeners.",
    )
    http_tls_cert: ReadablePath | None = Field(
        None, description="PEM file with the certificate chain of the HTTP listener; makes it speak TLS."
    )
    http_tls_key: ReadablePath | None = Field(None, description="PEM file with the key to http-tls-cert.")

    tls_cert: ReadablePath | None = Field(
        None, description="PEM file with the certificate chain of the OCPP-J listener; makes it speak TLS."
    )
    tls_key: ReadablePath | None = Field(None, description="PEM file with the key to tls-cert.")
    tls_client_ca: ReadablePath | None = Field(
        None, description="PEM file with certificates of authorities whose charger certificates are accepted."
    )
    tls_organization: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="O that a charger's certificate must have, beside the charger's identity as CN.",
    )
    tls_rsa_suites: bool = Field(
        False,
        description="Offer the TLS_RSA cipher suites of the security extension as well, which some old chargers need "
        "and which have no forward secrecy.",
    )
    ca_directory: Annotated[ResolvedPath, Documented(default="mcpp-ca")] = Field(
        Path("mcpp-ca"),
        validate_default=True,
        description="Directory of the built-in certificate authority; mcpp ca init makes it.",
    )
    contract_roots: ResolvedPath | None = Field(
        None,
        description="Directory with the certificates, as .pem files, that contracts for plug and charge must lead to; "
        "without one no contract is trusted.",
    )
    ocsp_responders: Responders | None = Field(
        None,
        description="Hosts, comma-separated, each with or without a port, of OCSP responders that may have addresses "
        "which aren't public. Others, whose URLs chargers bring, are asked at public addresses only.",
    )
    certificate_lifetime: Annotated[int, Documented(unit="days")] = Field(
        365, ge=1, le=3650, description="How long a certificate that the built-in authority gives a charger is valid."
    )
    certificate_renewal: Annotated[int, Documented(unit="days")] = Field(
        30, ge=1, le=365, description="How long before its end a charger's certificate is renewed."
    )
    security_profile: int = Field(
        0,
        ge=0,
        le=3,
        description="Least security profile of OCPP that chargers must use: 0 none, 1 password, 2 TLS and password, "
        "3 TLS with a certificate of the charger's own. The API can ask more of a single charger.",
    )

    frame_limit: Annotated[int, Documented(unit="bytes")] = Field(
        131_072, ge=4096, le=16 << 20, description="Largest OCPP frame that is read; a larger one ends its connection."
    )
    max_connections: Annotated[int, Documented(unit="connections")] = Field(
        20_000, ge=1, le=1_000_000, description="How many connections the OCPP-J listener holds at once."
    )
    max_connections_per_address: Annotated[int, Documented(unit="connections")] = Field(
        2000,
        ge=1,
        le=1_000_000,
        description="The same from one address; loopback and chargers that have authenticated before don't count.",
    )
    unknown_identities_per_hour: Annotated[int, Documented(unit="identities")] = Field(
        200, ge=1, le=1_000_000, description="How many unknown chargers one address may bring an hour; not loopback."
    )
    messages_per_second: Annotated[int, Documented(unit="messages per second")] = Field(
        500,
        ge=1,
        le=1_000_000,
        description="How many messages of a charger are handled, on average over ten seconds; more are held back, none "
        "is refused. A large one counts once for every 4 KiB.",
    )

    database: DatabasePath = Field(Path("mcpp.db"), description="Database file: a path, or a sqlite:/// URL.")
    durability: Durability = Field(
        Durability.FULL,
        description="full: an answered message survives power loss; normal: it survives a crash of the process.",
    )
    meter_values_retention: Annotated[int | None, Documented(unit="days")] = Field(
        None,
        ge=1,
        le=36_500,
        description="How long samples of ended transactions, and those outside of transactions, are kept; "
        "transactions, their energy and the readings that it rests on always are.",
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least level of the log lines that are written.")
    log_format: Annotated[LogFormat, Documented(default="json, on a terminal console")] = Field(
        default_factory=usual_format, description="json for machines, console for people."
    )
    log_file: WritablePath | None = Field(
        None, description="File to write the log to as well, as JSON whatever log-format says; mcpp trace reads it."
    )
    log_file_size: Annotated[int, Documented(unit="MiB")] = Field(
        20, ge=1, le=10_240, description="Size at which log-file becomes FILE.1, that one FILE.2, and so on."
    )
    log_file_count: Annotated[int, Documented(unit="files")] = Field(
        9, ge=0, le=1000, description="How many of these older files are kept."
    )
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
    id_tag_separator: Separator | None = Field(
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
    base_report: bool = Field(
        True,
        description="Ask a charger of OCPP 2.x for a report of all its variables, once with each firmware: some time "
        "after its boot, when its connectors' states have come.",
    )
    base_report_delay: Annotated[int, Documented(unit="seconds")] = Field(
        15,
        ge=0,
        le=3600,
        description="How long after a boot `base-report` waits; four times that where no state comes.",
    )
    auto_start: bool = Field(
        False, description="Start charging by itself where a car is plugged in; the API can say otherwise per charger."
    )
    auto_start_id_tag: IdTag = Field(
        "MCPP", description="Id tag that auto-start uses; it counts as known and may charge in many places at once."
    )
    price_per_kwh: Price | None = Field(
        None,
        description="What a kWh costs in statements of people who have no price of their own, such as 0.2950. A change "
        "holds from the day of the next start on.",
    )
    currency: Currency | None = Field(
        None, description="Currency of all prices, such as EUR; amounts have two decimals."
    )
    plugins: PluginNames = Field(
        ("built-ins",),
        description="Plugins to enable, comma-separated: built-ins for those that come with MCPP, names of installed "
        "ones, module:attribute; -NAME leaves one out, none enables none.",
    )
    metrics_open: bool = Field(False, description="Serve /metrics without a token where all else needs one.")
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
    files_url: Annotated[BaseUrl | None, Documented(default="made of host and port")] = Field(
        None, description="Where chargers reach the listener for files, if not directly, such as http://files.example."
    )
    files_directory: ResolvedPath = Field(
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

    @field_validator("tls_key", "http_tls_key")
    @classmethod
    def _fits_its_certificate(cls, key: Path | None, known: ValidationInfo) -> Path | None:
        name = "tls_cert" if known.field_name == "tls_key" else "http_tls_cert"
        if name in known.data:
            check_pair(setting(name), known.data[name], key)
        return key

    @field_validator("tls_client_ca")
    @classmethod
    def _can_be_trusted(cls, path: Path | None, known: ValidationInfo) -> Path | None:
        if path is not None:
            if known.data.get("tls_cert", path) is None:
                raise ValueError("needs tls-cert: only a listener with TLS sees certificates of chargers")
            check_authorities(path)
        return path

    @field_validator("security_profile")
    @classmethod
    def _can_be_reached(cls, profile: int, known: ValidationInfo) -> int:
        missing = {"tls_cert", "tls_client_ca", "ca_directory", "trusted_proxies"} - known.data.keys()
        if not missing:  # else what is wrong with those is said
            check_profile(
                profile,
                has_tls=known.data["tls_cert"] is not None,
                behind_proxies=known.data["trusted_proxies"] is not None,
                trusts_somebody=bool(client_authorities(known.data["tls_client_ca"], known.data["ca_directory"])),
            )
        return profile

    @field_validator("api_token_file")
    @classmethod
    def _holds_a_token(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_token(path)
        return path

    @field_validator("api_token")
    @classmethod
    def _is_the_only_one(cls, token: SecretStr | None, known: ValidationInfo) -> SecretStr | None:
        if token is not None and known.data.get("api_token_file") is not None:
            raise ValueError("is given by api-token-file as well; choose one")
        return token

    def check_public(self, *, has_named_token: bool) -> None:
        """Raises StartError where anybody could reach the API without a token; named tokens are in the database."""
        if self.effective_api_token() is None and not has_named_token and not is_loopback(self.http_host):
            raise StartError(
                f"api-token: is needed where http-host is {self.http_host}, which is not a loopback address; or make a "
                "named one: mcpp token add NAME --role operator"
            )

    @classmethod
    def load(cls, flags: Mapping[str, str]) -> Self:
        """The settings by flags (field name to text) and environment.

        Raises StartError with a line for each mistake.
        """
        mistakes = unknown_variables(os.environ, cls.model_fields)
        settings = None
        try:
            settings = cls.model_validate(dict(flags))
            settings._flags = frozenset(flags)  # noqa: SLF001  its own
        except ValidationError as error:
            mistakes[:0] = describe_mistakes(error.errors())
        if settings is None or mistakes:
            raise StartError(*mistakes)
        return settings

    def effective_api_token(self) -> str | None:
        """The token itself, wherever it stands. Raises StartError where its file has become unusable."""
        if self.api_token is not None:
            return self.api_token.get_secret_value()
        if self.api_token_file is None:
            return None
        try:
            return read_token(self.api_token_file)
        except ValueError as error:
            raise StartError(f"api-token-file: {error}") from error

    def check_profile(self, profile: int) -> None:
        """Raises ValueError, with what is missing, where no charger could connect by this security profile now."""
        check_profile(
            profile,
            has_tls=self.tls_cert is not None,
            behind_proxies=self.trusted_proxies is not None,
            trusts_somebody=bool(client_authorities(self.tls_client_ca, self.ca_directory)),
        )

    def source(self, name: str) -> str:
        """Where a setting's value comes from: its flag, its variable, or `default`."""
        if name in self._flags:
            return flag(name)
        return variable(name) if name in self.model_fields_set else "default"

    def text(self, name: str) -> str:
        """A setting's value as `check-config` prints it, a secret masked."""
        value: object = getattr(self, name)
        return default_text(name) if value is None else as_text(value)


def default_text(name: str) -> str:
    """A field's default as the documentation shows it; a Phrase where that is no value."""
    field = Settings.model_fields[name]
    if documented(field).default:
        return Phrase(documented(field).default)
    return Phrase("none") if field.default is None else as_text(field.default)
