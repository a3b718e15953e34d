"""Charging profiles that are stored ahead of the commands that name them."""

from __future__ import annotations

from pydantic import ValidationError

from mcpp.ocppj.actions import decode
from mcpp.ocppj.errors import InvalidPayload, Mistake
from mcpp.ocppj.repair import spell_location
from mcpp_generated.ocpp16.models import ChargingProfile


def check_charging_profile(payload: bytes) -> None:
    """Check that JSON text is a `csChargingProfiles` object (OCPP 1.6 §7.8). Raises InvalidPayload."""
    try:
        decode(ChargingProfile, payload)
    except ValidationError as error:
        mistakes = [Mistake(spell_location(e["loc"]), e["msg"]) for e in error.errors(include_url=False)]
        raise InvalidPayload(mistakes) from error
