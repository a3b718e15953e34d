"""Answers in the words of the version that a charge point speaks."""

from __future__ import annotations

from pydantic import BaseModel, Field

from mcpp.csms.narrowing import encoder


class WidePeriod(BaseModel):
    limit: int
    setpoint: int | None = None


class WideResponse(BaseModel):
    status: str
    id_periods: list[WidePeriod] | None = Field(default=None, serialization_alias="idPeriods")
    first: WidePeriod | None = None
    tariff: str | None = None


class Period(BaseModel):
    limit: int


class Response(BaseModel):
    status: str
    id_periods: list[Period] | None = Field(default=None, serialization_alias="idPeriods")
    first: Period | None = None


class Empty(BaseModel):
    pass


WIDE = WideResponse(
    status="Accepted", id_periods=[WidePeriod(limit=1, setpoint=2)], first=WidePeriod(limit=3, setpoint=4), tariff="T"
)


def test_what_the_version_lacks_stays_out_at_any_depth() -> None:
    told = encoder(WideResponse, Response)(WIDE)
    assert told == b'{"status":"Accepted","idPeriods":[{"limit":1}],"first":{"limit":3}}'


def test_a_version_that_has_it_all_is_told_all() -> None:
    told = encoder(WideResponse, WideResponse)(WIDE)
    assert WideResponse.model_validate_json(told.replace(b"idPeriods", b"id_periods")) == WIDE


def test_a_response_without_properties_says_nothing() -> None:
    assert encoder(WideResponse, Empty)(WIDE) == b"{}"
