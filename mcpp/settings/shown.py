"""The effective settings as they are shown: by `check-config`, and by the API and the pages of a running server."""

from __future__ import annotations

from typing import NamedTuple

from mcpp.phrases import Phrase
from mcpp.settings.model import Settings, default_text
from mcpp.settings.texts import documented, setting


class ShownSetting(NamedTuple):
    """One setting, all of it as text; a value and a default are phrases where they are words of ours."""

    name: str
    """As people write it: `ocpp-port`."""
    value: str
    """A secret is masked."""
    unit: Phrase
    """Empty where it has none."""
    default: str
    description: Phrase
    source: str
    """Its flag, its variable, or `default`."""


def shown_settings(settings: Settings) -> list[ShownSetting]:
    """All of them, in the order of the documentation."""
    return [
        ShownSetting(
            name=setting(name),
            value=settings.text(name),
            unit=_phrase(documented(field).unit),
            default=default_text(name),
            description=_phrase(field.description),
            source=settings.source(name),
        )
        for name, field in Settings.model_fields.items()
    ]


def _phrase(text: str | None) -> Phrase:
    """Of the model's texts, all of which the catalogues have."""
    pattern = text or ""
    return Phrase(pattern)
