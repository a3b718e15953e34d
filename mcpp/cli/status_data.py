"""What `mcpp status` takes from the server's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from mcpp.domain.memory import CHARGE_POINT, NO_EVSE
from mcpp.reads.attention import Gravity
from mcpp.reads.connector_names import shown_numbers
from mcpp.reads.shown_state import ShownState, shown_state


class Counts(BaseModel):
    """How many of what."""

    charge_points: int
    offline: int
    need_attention: int


class Attention(BaseModel):
    """Something that needs a person."""

    gravity: Gravity
    charge_point_id: str | None
    since: AwareDatetime
    text: str


class Summary(BaseModel):
    """The whole at a glance."""

    at: AwareDatetime
    counts: Counts
    power_w: float
    energy_today_wh: int
    energy_month_wh: int
    sessions_running: int
    energy_running_wh: int
    attention: list[Attention]
    attention_total: int


class Connector(BaseModel):
    """A connector."""

    connector_id: int
    evse_id: int | None = None
    state: ShownState
    status_began_at: AwareDatetime | None = None
    transaction_id: int | None = None
    power_w: float | None = None


class ChargePoint(BaseModel):
    """A charge point with its connectors."""

    id: str
    connected: bool
    display_name: str | None
    connectors: list[Connector]
    last_connect_at: AwareDatetime | None
    last_disconnect_at: AwareDatetime | None
    last_heartbeat_at: AwareDatetime | None

    @property
    def shown(self) -> list[Connector]:
        """The connectors that are shown; itself as one where it has told of none."""
        known = {(connector.evse_id or NO_EVSE, connector.connector_id): connector for connector in self.connectors}
        itself = Connector(
            connector_id=CHARGE_POINT,
            state=shown_state(connected=self.connected, has_connected=self.last_connect_at is not None, status=None),
        )
        return [known.get(numbers, itself) for numbers in shown_numbers(known)]

    @property
    def seen_at(self) -> datetime | None:
        """When it was here last, where it's offline."""
        times = (self.last_disconnect_at, self.last_connect_at, self.last_heartbeat_at)
        return max(filter(None, times), default=None)


class Session(BaseModel):
    """A transaction that runs."""

    transaction_id: int
    id_tag: str
    energy_wh: int | None
    duration_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What the server said, at one time."""

    summary: Summary
    charge_points: Sequence[ChargePoint]
    sessions: Mapping[int, Session]
    """By the ids of their transactions."""
    raw: Mapping[str, object] = field(default_factory=dict)
    """As the server answered it."""
    age: timedelta = timedelta()
    """How long ago that was, by the clock of who looks."""

    @property
    def now(self) -> datetime:
        """By the server's clock."""
        return self.summary.at + self.age
