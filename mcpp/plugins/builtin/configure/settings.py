"""What a deployment wants of its chargers' configuration, and whether a charger has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from mcpp.domain.variables import read_key
from mcpp.errors import StartError
from mcpp.plugins.builtin.toml_file import read_toml
from mcpp.plugins.settings import PluginSettings
from mcpp.plugins.site import ChargePointState
from mcpp.redaction import is_secret


def _spell(value: object) -> object:
    """A TOML value as chargers spell it (OCPP 1.6 §9)."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case list():
            return ",".join(str(_spell(item)) for item in value)
    return value


_LONGEST_KEY: Final = 50
"""Of OCPP 1.6 (§6.7); a variable's may be longer."""

Key: TypeAlias = Annotated[str, Field(min_length=1, max_length=300)]
Value: TypeAlias = Annotated[str, BeforeValidator(_spell), Field(max_length=2500)]


class Rule(BaseModel):
    """Keys that some chargers, or all, should have. Patterns as in a shell, compared without regard to case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: Annotated[Mapping[Key, Value], Field(min_length=1)]
    charge_point: str = "*"
    vendor: str = "*"
    model: str = "*"

    @field_validator("keys")
    @classmethod
    def _no_mistakes(cls, keys: Mapping[str, str]) -> Mapping[str, str]:
        for key in keys:
            if len(key) > _LONGEST_KEY:
                read_key(key)
        secret = [key for key in keys if is_secret(key)]
        if secret:
            raise ValueError(f"{', '.join(secret)} can't be set from a file: send a ChangeConfiguration command")
        return keys

    def applies_to(self, point: ChargePointState) -> bool:
        """Whether the charge point is one of those."""
        facts = ((self.charge_point, point.charge_point_id), (self.vendor, point.vendor), (self.model, point.model))
        return all(fnmatchcase((fact or "").strip().casefold(), pattern.casefold()) for pattern, fact in facts)


class RulesFile(BaseModel):
    """The file: `[[wanted]]` any number of times; the last rule that names a key counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wanted: tuple[Rule, ...]


class ConfigureSettings(PluginSettings, env_prefix="MCPP_PLUGIN_CONFIGURE_"):
    """Settings of the plugin `configure`."""

    sample_interval: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        None, description="Seconds between the meter values of a transaction: MeterValueSampleInterval of all chargers."
    )
    sampled_data: str | None = Field(
        None, description="Measurands, comma-separated, that these hold: MeterValuesSampledData of all chargers."
    )
    file: Path | None = Field(None, description="TOML file with [[wanted]] keys for some chargers or all.")
    delay: Annotated[float, Field(ge=0, le=3600)] = Field(10.0, description="Seconds after a boot before it begins.")
    pause: Annotated[float, Field(ge=0, le=3600)] = Field(2.0, description="Seconds between two commands to a charger.")

    def rules(self) -> Sequence[Rule]:
        """All that is wanted, in order. Raises StartError."""
        common = {"MeterValueSampleInterval": self.sample_interval, "MeterValuesSampledData": self.sampled_data}
        keys = {key: str(value) for key, value in common.items() if value is not None}
        rules = [Rule(keys=keys)] if keys else []
        if self.file is not None:
            rules += read_toml(self.file, RulesFile).wanted
        if not rules:
            raise StartError("nothing is wanted: set a sample interval, sampled data or a file")
        return rules


def wanted_keys(rules: Iterable[Rule], point: ChargePointState) -> dict[str, str]:
    """The keys that a charge point should have, and their values; keys are compared without regard to case."""
    wanted: dict[str, tuple[str, str]] = {}
    for rule in rules:
        if rule.applies_to(point):
            wanted |= {key.casefold(): (key, value) for key, value in rule.keys.items()}
    return dict(wanted.values())


def same(value: str | None, wanted: str) -> bool:
    """Whether a value means what is wanted: the same numbers, the same list in any order and spelling."""
    return value is not None and _meaning(value) == _meaning(wanted)


def _meaning(text: str) -> frozenset[str | Decimal]:
    return frozenset(_item(item.strip()) for item in text.split(",") if item.strip())


def _item(text: str) -> str | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text.casefold()
    return number if number.is_finite() else text.casefold()
