"""What the API answers of people: their cards, prices and statements, and of a card that is being learnt."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer, WithJsonSchema

from mcpp.api.models import EvseId, Page
from mcpp.csms.learning import LearningState
from mcpp.domain.prices import spell_decimal
from mcpp.reads.statements import CorrectionReason
from mcpp.reads.times import Time
from mcpp_generated.db.enums import Implausible, StopOrigin

Money = Annotated[
    Decimal,
    PlainSerializer(spell_decimal, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["12.34"]}),
]
"""A decimal as text, so that no reader makes a float of it."""


class CardSpan(BaseModel):
    """A time in which a card is a person's: of the sessions that began then."""

    id_tag: str
    since: Time | None = Field(description="null: from the beginning.")
    until: Time | None = Field(description="null: it is theirs now.")


class PriceSpan(BaseModel):
    """What a kWh costs a person from a day on."""

    since: str | None = Field(description="null: from the beginning.", examples=["2026-03-01"])
    price_per_kwh: Money | None = Field(description="null: the default holds.")


class Person(BaseModel):
    """Someone, or something, whom sessions are charged to."""

    id: str = Field(examples=["flat-2b"])
    name: str
    note: str | None
    created_at: Time
    cards: list[str] = Field(description="Those that are theirs now.")
    card_history: list[CardSpan] = Field(description="From when to when a card was theirs.")
    price_per_kwh: Money | None = Field(description="What holds today: their own, else the default.")
    currency: str | None = Field(examples=["EUR"])
    prices: list[PriceSpan] = Field(description="Their own, by day.")


class PersonPage(Page[Person]):
    """People in the order of their ids."""


class Figure(BaseModel):
    """What counts for a session."""

    stopped_at: Time
    meter_stop: int = Field(description="Wh")
    origin: StopOrigin
    energy_wh: int | None = Field(description="null: it can't be true, and nobody has corrected it.")
    implausible_reason: Implausible | None
    price_per_kwh: Money | None
    amount: Money | None = Field(description="Rounded half to even.")
    corrected_by: str | None = Field(description="Who says so, where a person has corrected it.")
    correction_note: str | None


class StatedSession(BaseModel):
    """A session as a statement has it."""

    transaction_id: int
    charge_point_id: str
    connector_id: int
    evse_id: EvseId
    id_tag: str
    started_at: Time
    meter_start: int | None = Field(description="Wh; null where the charger has told none (since OCPP 2.0).")
    figure: Figure


class StatedCorrection(BaseModel):
    """What counts otherwise now than an earlier statement says."""

    transaction_id: int
    charge_point_id: str
    connector_id: int
    evse_id: EvseId
    id_tag: str
    started_at: Time
    meter_start: int | None = Field(description="Wh; null where the charger has told none (since OCPP 2.0).")
    reason: CorrectionReason = Field(
        description="late: its end became known after its month's statement was final; card_named: its card became "
        "theirs then; replaced: the charger's own stop or better evidence came; corrected: by a person."
    )
    known_at: Time
    before: Figure | None = Field(description="As earlier statements have it; null: they don't.")
    after: Figure | None = Field(description="null: it ended later than this statement's month.")
    energy_wh: int = Field(description="What is to be added, in Wh.")
    amount: Money | None = Field(description="What is to be added.")


class Statement(BaseModel):
    """What a person charged in a month, by the end of each session in the time zone."""

    person_id: str
    name: str
    month: str = Field(examples=["2026-03"])
    since: Time
    until: Time
    final: bool = Field(description="It stays as it is; what becomes known later is a correction in a later one.")
    final_at: Time = Field(description="When it becomes, or became, final: a day after the month.")
    currency: str | None
    sessions: list[StatedSession]
    corrections: list[StatedCorrection]
    implausible: list[StatedSession] = Field(description="Left out of the sum: their energy can't be true.")
    energy_wh: int = Field(description="Sum of sessions and corrections, in Wh.")
    amount: Money | None = Field(description="The same; null where nothing has a price.")


class CardLearning(BaseModel):
    """How far a charge point is with learning a card."""

    charge_point_id: str
    state: LearningState = Field(
        description="off: never begun, or ended; waiting: the next unknown card will be learnt; learnt: there is one; "
        "over: none came in time."
    )
    until: Time | None = Field(description="How long it waits, or the learnt card gets no start.")
    id_tag: str | None = Field(description="The card to name, as it was presented.")
    learnt_at: Time | None
