"""Where the demo is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

IDENTITY: Final = "DEMO-1"
"""The charger that is shown."""


@dataclass(frozen=True)
class Screen:
    """A terminal, or a file."""

    colors: bool

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.colors else text

    def title(self, text: str) -> None:
        print(f"\n{self._styled(text, '1')}", flush=True)

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def message(self, action: str, sent: str, received: str) -> None:
        name = self._styled(f"{action:<19}", "36")
        print(f"  {IDENTITY} → {name}{sent:<44} ← {self._styled(received, '32')}", flush=True)


def short(response: BaseModel) -> str:
    """An answer on one line."""
    text = response.model_dump_json(by_alias=True, exclude_none=True)
    return "ok" if text == "{}" else text if len(text) <= 60 else f"{text[:57]}…"
