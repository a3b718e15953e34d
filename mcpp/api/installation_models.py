"""What the API answers of the installation: its settings and plugins."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SkipValidation

from mcpp.reads.times import Time


class Setting(BaseModel):
    """An effective setting, as text."""

    name: str = Field(examples=["ocpp-port"])
    value: str = Field(description="A secret is masked.", examples=["9000"])
    unit: str = Field(description="Empty where it has none.", examples=["seconds"])
    default: str
    description: str
    source: str = Field(
        description="What gave the value: its flag, its variable, or `default`.", examples=["MCPP_OCPP_PORT"]
    )


class SettingList(BaseModel):
    """All settings."""

    items: list[Setting]


class Disk(BaseModel):
    """The file system that the database is in."""

    free_bytes: int
    total_bytes: int
    least_free_bytes: int = Field(description="With less, the attention item `disk_low` begins.")


class OwnCertificate(BaseModel):
    """A certificate of the server's own that ends soon."""

    name: str = Field(description="What it is for.", examples=["the authority"])
    expires_at: Time


class Server(BaseModel):
    """How the server itself is."""

    version: str
    started_at: Time
    time: Time = Field(description="As this server tells it.")
    machine_time: Time = Field(description="What the machine's clock shows; another one where that is wrong.")
    clock_wrong_since: Time | None = Field(
        description="Since when the machine's clock isn't believed, as it's behind times that were told already."
    )
    database: str = Field(description="The path of its file.")
    database_bytes: int
    wal_bytes: int = Field(description="Of the write-ahead log beside it.")
    disk: Disk | None = Field(description="null where the system doesn't say.")
    ending_certificates: list[OwnCertificate]


class PluginError(BaseModel):
    """What a plugin failed with."""

    hook: str = Field(description="`job` for what it had scheduled.", examples=["transaction_started"])
    text: SkipValidation[str] = Field(examples=["ConnectError: All connection attempts failed"])  # a phrase stays one
    at: Time


class Plugin(BaseModel):
    """An enabled plugin, with what happened to it since the server started."""

    name: str
    built_in: bool
    state: Literal["starting", "running", "blocked"] = Field(
        description="blocked: one of its functions doesn't return, so nothing else of it runs."
    )
    hooks: list[str] = Field(description="What it is called for.")
    waiting: int = Field(description="Events that wait for it.", ge=0)
    calls: int = Field(description="Of its hooks and jobs.", ge=0)
    failures: int = Field(ge=0)
    dropped: int = Field(description="Events that never reached it, since too many waited.", ge=0)
    last_error: PluginError | None


class PluginList(BaseModel):
    """All enabled plugins."""

    items: list[Plugin]
