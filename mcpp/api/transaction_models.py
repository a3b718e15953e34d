"""What the API shows of one transaction beside what lists have of it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from mcpp.api import models


class EventGap(BaseModel):
    """Events of a transaction that never came, by the numbers that its charger counts them with."""

    first: int
    last: int | None = Field(description="null: all that may follow, since the charger never told the end.")


class TransactionDetail(models.Transaction):
    """One transaction, with what events tell of it since OCPP 2.0."""

    charging_state: str | None = Field(
        description="The newest that the charger told; null in OCPP 1.6.", examples=["Charging", "EVConnected"]
    )
    remote_start_id: int | None = Field(description="Of the command that asked for it; null in OCPP 1.6.")
    id_token_type: str | None = Field(description="Of its id tag, as the charger says.", examples=["ISO14443"])
    gaps: list[EventGap] = Field(description="Empty where nothing is missing, and in OCPP 1.6.")
