"""What states, and what needs somebody, are called on the pages."""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from typing import Final

from mcpp.reads.shown_state import ShownState


def msgid(text: str) -> str:
    """Marks a text that is translated where it's shown."""
    return text


STATE_NAMES: Final[Mapping[ShownState, str]] = {
    ShownState.FAULTED: msgid("Faulted"),
    ShownState.OFFLINE: msgid("Offline"),
    ShownState.CHARGING: msgid("Charging"),
    ShownState.PLUGGED_IN: msgid("Plugged in"),
    ShownState.RESERVED: msgid("Reserved"),
    ShownState.UNAVAILABLE: msgid("Out of service"),
    ShownState.FREE: msgid("Free"),
    ShownState.NEVER_CONNECTED: msgid("Never connected"),
}
"""In the order in which groups of them are shown: what needs somebody first."""


def state_names(texts: gettext.NullTranslations) -> dict[ShownState, str]:
    """In a viewer's language."""
    return {state: texts.gettext(name) for state, name in STATE_NAMES.items()}
