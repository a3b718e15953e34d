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
    """A line for each setting that a plugin refuses, by the variable that its settings class reads."""
    prefixes = [prefix for prefix, settings in _settings_classes() if settings.__name__ == error.title]
    prefix = prefix_of(plugin) if not prefixes or prefix_of(plugin) in prefixes else prefixes[-1]
    return [
        f"plugin {plugin}: {_variable(prefix, details['loc'])}: {details['msg'].removeprefix('Value error, ')}"
        for details in error.errors(include_url=False, include_input=False)
    ]


def mistakes_in_names(known: Iterable[str], enabled: Iterable[str], environment: Mapping[str, str]) -> list[str]:
    """A line for each variable that no plugin reads. Those of known plugins that aren't enabled are left alone.

    A plugin's settings class may have a prefix of its own: one given as `module:attribute` is called by its module.
    """
    enabled = set(enabled)
    by_prefix = {prefix_of(plugin): plugin for plugin in {*known, *enabled}}
    read = {f"{prefix}{field.upper()}" for prefix, settings in _settings_classes() for field in settings.model_fields}
    mistakes = []
    for name in sorted(n for n in environment if n.upper().startswith(PREFIX)):
        owner = max((prefix for prefix in by_prefix if name.upper().startswith(prefix)), key=len, default=None)
        if name.upper() in read or (owner is not None and by_prefix[owner] not in enabled):
            continue
        if owner is not None:
            of_owner = {variable for variable in read if variable.startswith(owner)}
            mistakes.append(f"{name}: plugin {by_prefix[owner]} has no such setting{_hint(name, of_owner or read)}")
        elif _settings_prefix(name):
            mistakes.append(f"{name}: no plugin has such a setting{_hint(name, read)}")
        else:
            mistakes.append(f"{name}: there is no such plugin{_hint(name, by_prefix)}")
    return mistakes


def _variable(prefix: str, location: tuple[int | str, ...]) -> str:
    """The variable at fault; a mistake of all settings together has none."""
    return f"{prefix}{str(location[0]).upper()}" if location else "settings"


def _settings_prefix(name: str) -> bool:
    """Whether a variable begins as those of some settings class do."""
    return any(name.upper().startswith(prefix) for prefix, _ in _settings_classes())


def _settings_classes() -> Iterator[tuple[str, type[BaseSettings]]]:
    """The settings classes of the plugins that were imported, by their prefix."""
    for settings in _subclasses(BaseSettings):
        prefix = settings.model_config.get("env_prefix", "").upper()
        if prefix.startswith(PREFIX) and prefix != PREFIX:
            yield prefix, settings


def _subclasses(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _hint(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.0)
    return f"; did you mean {nearest[0]}?" if nearest else ""
