"""What the summary answers."""

from __future__ import annotations

from pydantic import BaseModel, Field

from mcpp.api.models import EvseId
from mcpp.reads.attention import AttentionAction, AttentionCode, Gravity
from mcpp.reads.shown_state import ShownState
from mcpp.reads.times import Time


class Counts(BaseModel):
    """How many of what."""

    charge_points: int
    connected: int
    offline: int = Field(description="Charge points that aren't connected now, but were before.")
    never_connected: int
    need_attention: int = Field(
        description="Charge points with something in the attention list that is more than a notice."
    )
    connectors: dict[ShownState, int] = Field(
        description="By state, as the connectors of charge points have it. A charge point counts as one connector "
        "while none of its is known."
    )


class Attention(BaseModel):
    """Something that needs a person."""

    code: AttentionCode
    gravity: Gravity
    charge_point_id: str | None = Field(description="null where it is the server's own.")
    connector_id: int | None
    evse_id: EvseId
    since: Time = Field(description="By this server's clock; what is over happened then.")
    text: str = Field(description="In English.", examples=["Garage is offline"])
    action: AttentionAction = Field(description="The one thing to do about it.")
    params: dict[str, str] = Field(
        description="What the text names, and transaction_id or id_tag where the action needs it.",
        examples=[{"name": "Garage"}],
    )


class Summary(BaseModel):
    """The whole at a glance."""

    at: Time
    counts: Counts
    power_w: float = Field(description="W: what flows now, of all connectors where it is known.")
    energy_today_wh: int = Field(
        description="Wh, of the sessions that ended today, without the implausible ones; so are the sessions."
    )
    energy_month_wh: int = Field(description="Wh, of the sessions that ended this month.")
    sessions_today: int
    sessions_month: int
    implausible_today: int = Field(description="Sessions left out of the sum, until somebody corrects them.")
    implausible_month: int
    sessions_running: int
    energy_running_wh: int = Field(description="Wh: what those have taken so far; booked on the day that they end.")
    attention: list[Attention] = Field(description="The gravest first, of these the newest; 100 at most.")
    attention_total: int = Field(description="How many there are in all.")
