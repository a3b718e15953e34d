"""Charging profiles that are stored ahead of the commands that name them."""

from __future__ import annotations

from mcpp.csms.decoding import decode_payload
from mcpp_generated.ocpp16.models import ChargingProfile


def check_charging_profile(payload: bytes) -> None:
    """Check that JSON text is a `csChargingProfiles` object (OCPP 1.6 §7.8). Raises InvalidPayload."""
    decode_payload(ChargingProfile, payload)
