"""A plugin's own settings, from variables `MCPP_PLUGIN_<NAME>_…`, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "MCPP_PLUGIN_"


class PluginSettings(BaseSettings):
    """Base of a plugin's settings: `class BillingSettings(PluginSettings, env_prefix="MCPP_PLUGIN_BILLING_")`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )


def prefix_of(plugin: str) -> str:
    """`MCPP_PLUGIN_LOAD_LIMIT_` for `load_limit` or `load-limit`."""
    return f"{PREFIX}{re.sub(r'[^0-9A-Za-z]', '_', plugin).upper()}_"


def are_set(plugin: str, environment: Mapping[str, str]) -> bool:
    """Whether any variable sets something of a plugin."""
    return any(name.upper().startswith(prefix_of(plugin)) and value for name, value in environment.items())


def mistakes_in_values(plugin: str, error: ValidationError) -> list[str]:
    """A line for each setting that a plugin refuses."""
    return [
        f"plugin {plugin}: {_variable(plugin, details['loc'])}: {details['msg'].removeprefix('Value error, ')}"
        for details in error.errors(include_url=False, include_input=False)
    ]


def mistakes_in_names(known: Iterable[str], enabled: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """A line for each variable that no plugin reads. Those of known plugins that aren't enabled are left alone."""
    enabled = set(enabled)
    by_prefix = {prefix_of(plugin): plugin for plugin in {*known, *enabled}}
    mistakes = []
    for name in sorted(n for n in environment if n.upper().startswith(PREFIX)):
        owner = max((prefix for prefix in by_prefix if name.upper().startswith(prefix)), key=len, default=None)
        if owner is None:
            mistakes.append(f"{name}: there is no such plugin{_hint(name, by_prefix)}")
        elif by_prefix[owner] in enabled and name.upper() not in (variables := set(_variables(owner))):
            mistakes.append(f"{name}: plugin {by_prefix[owner]} has no such setting{_hint(name, variables)}")
    return mistakes


def _variable(plugin: str, location: tuple[int | str, ...]) -> str:
    """The variable at fault; a mistake of all settings together has none."""
    return f"{prefix_of(plugin)}{str(location[0]).upper()}" if location else "settings"


def _variables(prefix: str) -> Iterator[str]:
    """What the settings classes with this prefix read."""
    for settings in _subclasses(BaseSettings):
        if settings.model_config.get("env_prefix", "").upper() == prefix:
            yield from (f"{prefix}{field.upper()}" for field in settings.model_fields)


def _subclasses(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _hint(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.0)
    return f"; did you mean {nearest[0]}?" if nearest else ""
