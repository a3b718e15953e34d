"""Settings of the plugin `load_limit`: one group of chargers by variables, or several by a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import NoDecode

from mcpp.plugins.builtin.load_limit.shares import STEP
from mcpp.plugins.builtin.toml_file import read_toml
from mcpp.plugins.settings import PluginSettings

LEAST_CHARGING_CURRENT: Final = Decimal(6)
"""A per phase; no car charges with less (IEC 61851-1, annex A)."""


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


Amperes = Annotated[Decimal, Field(ge=LEAST_CHARGING_CURRENT, le=10_000, multiple_of=STEP)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class GroupSettings(BaseModel):
    """Chargers behind one fuse; currents in A per phase."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maximum: Amperes
    charge_points: Names | None = None
    minimum: Amperes = LEAST_CHARGING_CURRENT
    connector_maximum: Amperes = Decimal(32)
    connector_maximums: Mapping[str, Amperes] = {}
    keep_minimum: bool = False
    turn: timedelta = Field(timedelta(minutes=30), ge=timedelta(minutes=1))

    @field_validator("turn", mode="before")
    @classmethod
    def _minutes(cls, value: object) -> object:
        return timedelta(minutes=value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _minimum_fits(self) -> Self:
        if self.minimum > min(self.maximum, self.connector_maximum, *self.connector_maximums.values()):
            raise ValueError("the minimum is above a maximum")
        return self

    def maximum_of(self, charge_point_id: str) -> Decimal:
        """What a connector of this charge point can draw by itself."""
        return self.connector_maximums.get(charge_point_id, self.connector_maximum)


class GroupsFile(BaseModel):
    """The file: `[[group]]` once for each fuse."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: tuple[GroupSettings, ...]

    @field_validator("group")
    @classmethod
    def _each_in_one(cls, groups: tuple[GroupSettings, ...]) -> tuple[GroupSettings, ...]:
        if not groups:
            raise ValueError("there is no [[group]]")
        named = [name for group in groups for name in group.charge_points or ()]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"a charge point can be in one group only: {', '.join(twice)}")
        if sum(group.charge_points is None for group in groups) > 1:
            raise ValueError("only one group can do without charge_points and so mean all others")
        return groups


class LoadLimitSettings(PluginSettings, env_prefix="MCPP_PLUGIN_LOAD_LIMIT_"):
    """Settings of the plugin `load_limit`."""

    maximum: Amperes | None = Field(None, description="What all chargers together may draw, in A per phase.")
    charge_points: Annotated[Names | None, NoDecode, BeforeValidator(_split)] = Field(
        None, description="Identities of the chargers that share the maximum, comma-separated; all if not set."
    )
    minimum: Amperes = Field(
        LEAST_CHARGING_CURRENT, description="What a car gets at least, or nothing, in A per phase."
    )
    connector_maximum: Amperes = Field(
        Decimal(32), description="What a connector draws, in A per phase, if it was never limited; it gets no more."
    )
    keep_minimum: bool = Field(
        False,
        description="Keep the minimum free for each connector without a car: it can start while the server is away.",
    )
    turn: Annotated[int, Field(ge=1, le=1440)] = Field(
        30, description="Minutes after which cars that wait for current change places with others."
    )
    settle: Annotated[float, Field(ge=0, le=60)] = Field(
        1.0, description="Seconds to wait for more news before the shares are reckoned anew."
    )
    file: Path | None = Field(None, description="TOML file with a [[group]] for each fuse, in place of the above.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.maximum is None) == (self.file is None):
            raise ValueError("set either the maximum or the file")
        return self

    def groups(self) -> Sequence[GroupSettings]:
        """The groups, from the variables or from the file. Raises StartError, ValidationError."""
        if self.file is not None:
            return read_toml(self.file, GroupsFile).group
        return [
            GroupSettings.model_validate(
                self.model_dump(
                    include={"maximum", "charge_points", "minimum", "connector_maximum", "keep_minimum", "turn"}
                )
            )
        ]
