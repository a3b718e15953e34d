"""What requests say: bodies, and the texts that paths are made of. A name that the API does not know is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Self

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from mcpp.domain.identities import mistake_in
from mcpp.domain.people import PERSON_ID
from mcpp.domain.prices import PriceRefused, read_price
from mcpp.phrases import Phrase
from mcpp.phrases.mistakes import not_valid
from mcpp.reads.times import ZonedTime
from mcpp_generated.db.enums import IdTagStatus

LARGEST_ID = 2**63 - 1
"""What fits SQLite's INTEGER."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise not_valid("not_printable", Phrase("has characters that can't be printed"))
    return text


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise not_valid("datetime_range", Phrase("lies outside of the years 1 to 9999 of UTC")) from None


Moment = Annotated[ZonedTime, AfterValidator(_to_utc)]
"""A time with its zone, brought to UTC: what can be stored."""

Printable = Annotated[str, AfterValidator(_printable)]


def _identity(text: str) -> str:
    mistake = mistake_in(text)
    if mistake is not None:
        raise not_valid("identity", mistake)
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
    ocpp_versions: Annotated[list[str], Field(min_length=1, max_length=20)] | None = Field(
        None,
        description="Versions of OCPP that it may speak, among those that the server speaks; from its next connection "
        "on. null: all of them.",
        examples=[["1.6"]],
    )


class WantedIdTag(Body):
    """What an operator says of an id tag."""

    status: IdTagStatus = IdTagStatus.ACCEPTED
    expiry_date: Moment | None = Field(None, description="May lie in the past.")
    parent_id_tag: Annotated[Printable, Field(min_length=1, max_length=20)] | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None
    token_type: Annotated[Printable, Field(min_length=1, max_length=20)] | None = Field(
        None, description="How it has to be presented in OCPP 2.0.1 and later, such as ISO14443; else in any way."
    )


def _price(given: object) -> Decimal:
    """A text or a number of JSON; a float has lost nothing that four decimals need."""
    if not isinstance(given, str | int | float | Decimal) or isinstance(given, bool):
        raise not_valid("price", Phrase('should be a number, or a text such as "0.295"'))
    try:
        return read_price(str(given))
    except PriceRefused as error:
        raise not_valid("price", error.why) from None


PricePerKwh = Annotated[
    Decimal,
    BeforeValidator(_price),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": ["0.2950"]}),
]

NewPersonId = Annotated[
    str,
    Path(
        pattern=PERSON_ID,
        description="1 to 64 of the letters a to z, digits, `.`, `_` and `-`.",
        examples=["flat-2b"],
    ),
]


class WantedPerson(Body):
    """What is said of a person; what isn't given stays as it is."""

    name: Annotated[Printable, Field(min_length=1, max_length=255, description="Needed for a new one.")] | None = None
    note: Annotated[str, Field(max_length=1000)] | None = None
    cards: list[Annotated[Printable, Field(min_length=1, max_length=255)]] | None = Field(
        None,
        max_length=100,
        description="All their cards: one that is left out is nobody's from now on. A card that was nobody's before is "
        "theirs from the beginning, and is stored as an accepted id tag where it isn't stored.",
    )
    price_per_kwh: PricePerKwh | None = Field(
        None,
        description="In the currency of the setting `currency`, with up to four decimals. null: the default holds.",
    )
    price_since: date | None = Field(
        None,
        description="The first day of `price_per_kwh`, of sessions by their ends; not in a month that is over. Without "
        "it: from the beginning for a new person, from the first of the month for a first price, else from today.",
    )

    @model_validator(mode="after")
    def _has_price(self) -> Self:
        if self.price_since is not None and "price_per_kwh" not in self.model_fields_set:
            raise not_valid("price_since", Phrase("price_since needs the price_per_kwh that holds from then on"))
        return self


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
