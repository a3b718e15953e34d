"""The effective settings as they are shown: by `check-config`, and by the API and the pages of a running server."""

from __future__ import annotations

from typing import NamedTuple

from mcpp.settings.model import Settings, default_text
from mcpp.settings.texts import documented, setting


class ShownSetting(NamedTuple):
    """One setting, all of it as text."""

    name: str
    """As people write it: `ocpp-port`."""
    value: str
    """A secret is masked."""
    unit: str
    """Empty where it has none."""
    default: str
    description: str
    source: str
    """Its flag, its variable, or `default`."""


def shown_settings(settings: Settings) -> list[ShownSetting]:
    """All of them, in the order of the documentation."""
    return [
        ShownSetting(
            name=setting(name),
            value=settings.text(name),
            unit=documented(field).unit,
            default=default_text(name),
            description=field.description or "",
            source=settings.source(name),
        )
        for name, field in Settings.model_fields.items()
    ]
