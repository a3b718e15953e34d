"""What requests say: bodies, and the texts that paths are made of. A name that the API does not know is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
)
from pydantic_core import PydanticCustomError

from mcpp.domain.identities import mistake_in
from mcpp.reads.times import ZonedTime
from mcpp_generated.db.enums import IdTagStatus

LARGEST_ID = 2**63 - 1
"""What fits SQLite's INTEGER."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise PydanticCustomError("not_printable", "has characters that can't be printed")
    return text


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "lies outside of the years 1 to 9999 of UTC") from None


Moment = Annotated[ZonedTime, AfterValidator(_to_utc)]
"""A time with its zone, brought to UTC: what can be stored."""

Printable = Annotated[str, AfterValidator(_printable)]


def _identity(text: str) -> str:
    mistake = mistake_in(text)
    if mistake is not None:
        raise PydanticCustomError("identity", mistake)
    return text


NewIdentity = Annotated[
    str,
    AfterValidator(_identity),
    Path(
        min_length=1,
        max_length=255,
        description="1 to 255 printable characters without a slash; NFC, no blank at an end.",
    ),
]
"""The identity of a charge point that may not be known yet (OCPP-J 1.6 §3.1.1)."""

NewIdTag = Annotated[Printable, Path(min_length=1, max_length=255)]
"""OCPP 1.6 has 20 characters (§7.28); chargers that send more are tolerated."""

NewName = Annotated[Printable, Path(min_length=1, max_length=100)]

RowKey = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class Body(BaseModel):
    """What all bodies have."""

    model_config = ConfigDict(extra="forbid")


class WantedChargePoint(Body):
    """What an operator says of a charge point; what isn't given stays as it is."""

    display_name: Annotated[Printable, Field(min_length=1, max_length=255)] | None = None
    auto_start: StrictBool | None = Field(None, description="null: the global setting holds.")
    rated_power_w: Annotated[StrictInt, Field(ge=1, le=100_000_000)] | None = Field(
        None,
        description="What each of its connectors can deliver at most, in W: the bound of what energy can be true. "
        "null: 1 MW.",
    )
    password: Annotated[SecretStr, Field(min_length=1, max_length=255)] | None = Field(
        None, description="For HTTP basic authentication; stored as a hash, never returned. null: it needs none."
    )
    security_profile: Annotated[StrictInt, Field(ge=0, le=3)] | None = Field(
        None,
        description="Least security profile of OCPP that it must use, where that is more than the setting asks of all. "
        "What it has used before counts up to this one only, so it can go back. null: as the setting says.",
    )
    certificate_serial: Annotated[Printable, Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="Serial number that its certificate may have as CN in place of its identity. null: the identity "
        "alone.",
    )


class WantedIdTag(Body):
    """What an operator says of an id tag."""

    status: IdTagStatus = IdTagStatus.ACCEPTED
    expiry_date: Moment | None = Field(None, description="May lie in the past.")
    parent_id_tag: Annotated[Printable, Field(min_length=1, max_length=20)] | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None


class Assignment(Body):
    """Where a stop or meter values belong."""

    transaction_id: StrictInt = Field(ge=1, le=LARGEST_ID)


class WantedCorrection(Body):
    """What an ended transaction took, by a person's word."""

    energy_wh: StrictInt = Field(ge=0, le=LARGEST_ID, description="Wh")
    note: Annotated[str, Field(min_length=1, max_length=1000)] = Field(description="Why, for whoever reads the bill.")
    who: Annotated[Printable, Field(min_length=1, max_length=255)] | None = Field(
        None, description="Who says so; the name of the token where nobody is named."
    )


class WantedLink(Body):
    """How long a link to a file is valid."""

    lifetime_hours: StrictInt | None = Field(
        None, ge=1, le=8760, description="As the setting files-link-lifetime by default."
    )
