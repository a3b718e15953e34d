"""The charger's own account: what truly happened, and what the central system was told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(eq=False)
class Session:
    """One car's charging."""

    connector: int
    tag: str
    begin_wh: int
    """Of the connector's true lifetime register."""
    began_at: datetime
    """By a right clock, as `ended_at`."""
    end_wh: int | None = None
    ended_at: datetime | None = None

    known_id: int | None = None
    """As its charger remembers it."""
    claim: dict[str, Any] | None = None
    """What the charger says of the id once it has forgotten or mixed it up: fields of its messages."""
    own_number: int = 0
    """Of the charger's own count, where it has one."""

    start: dict[str, Any] = field(default_factory=dict)
    """The payload."""
    stops: list[dict[str, Any]] = field(default_factory=list)
    """Payloads that got through; they may differ in the id."""
    answers: list[int] = field(default_factory=list)
    """Every id that the central system gave for its start, whether or not the charger learned of it."""
    stopped_by_id: bool = False
    """A stop got through that named one of them."""
    told: list[tuple[datetime, int]] = field(default_factory=list)
    """Energy that meter values which got through told truly, in Wh, with the time of measurement by a right clock."""
    refused: list[str] = field(default_factory=list)
    """Actions of its messages that were answered by a CALLERROR."""
    marks: set[str] = field(default_factory=set)
    """What went wrong with it, in words."""

    @property
    def wh(self) -> int:
        """What it truly took."""
        assert self.end_wh is not None
        return self.end_wh - self.begin_wh

    @property
    def told_wh(self) -> int:
        """The most energy that was told before it ended."""
        return max((wh for _, wh in self.told), default=0)

    def told_until(self, at: datetime) -> int:
        """The most energy that was told by then."""
        return max((wh for measured_at, wh in self.told if measured_at <= at), default=0)
