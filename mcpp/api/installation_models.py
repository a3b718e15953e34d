"""What the API answers of the installation: its settings and plugins."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

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


class PluginError(BaseModel):
    """What a plugin failed with."""

    hook: str = Field(description="`job` for what it had scheduled.", examples=["transaction_started"])
    text: str = Field(examples=["ConnectError: All connection attempts failed"])
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
