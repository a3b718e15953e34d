"""What a command's payload leaves to the central system, as the contract table says (mcpp.ocppj.actions.Rewrite)."""

from __future__ import annotations

import json

from pydantic import JsonValue

from mcpp.domain import charging_profiles, reservations
from mcpp.domain.charging_profiles import UnknownChargingProfile
from mcpp.ocppj.actions import AnyAction, Rewrite
from mcpp.ocppj.errors import InvalidPayload, Mistake
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries


async def rewrite(writer: Writer[Queries], action: AnyAction, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The payload with what is filled in; the same object where there is nothing to fill in.

    Raises InvalidPayload for a charging profile that isn't stored, and WriteFailed.
    """
    for name, kind in action.rewrites.items():
        match kind, payload.get(name):
            case Rewrite.ALLOTTED_RESERVATION_ID, None if name not in payload:
                payload = {**payload, name: await writer.submit_keeping(reservations.allot_id)}
            case Rewrite.STORED_CHARGING_PROFILE, {"$ref": str(profile), **others} if not others:
                payload = {**payload, name: await _stored_profile(writer, profile, f"{name}.$ref")}
            case _:
                pass
    return payload


async def _stored_profile(writer: Writer[Queries], name: str, location: str) -> JsonValue:
    try:
        profile: JsonValue = json.loads(await writer.submit_keeping(charging_profiles.resolve, name))
    except (UnknownChargingProfile, UnicodeEncodeError) as error:  # half a surrogate pair can't be in a stored name
        raise InvalidPayload([Mistake(location, str(error))]) from error
    return profile
