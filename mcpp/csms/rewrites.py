"""What a command's payload leaves to the central system, as the contract table says (mcpp.ocppj.actions.Rewrite)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from mcpp.domain import charging_profiles
from mcpp.domain.allotments import Kind, allot
from mcpp.domain.charging_profiles import UnknownChargingProfile
from mcpp.ocppj.actions import AnyAction, Rewrite
from mcpp.ocppj.errors import InvalidPayload, Mistake
from mcpp.phrases import phrase_of
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries

_ALLOTTED: Final[Mapping[Rewrite, Kind]] = {
    Rewrite.ALLOTTED_RESERVATION_ID: "reservation",
    Rewrite.ALLOTTED_REQUEST_ID: "request",
    Rewrite.ALLOTTED_REMOTE_START_ID: "remote_start",
}


async def rewrite(writer: Writer[Queries], action: AnyAction, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The payload with what is filled in; the same object where there is nothing to fill in.

    Raises InvalidPayload for a charging profile that isn't stored, and WriteFailed.
    """
    for name, kind in action.rewrites.items():
        match kind, payload.get(name):
            case allotted, None if allotted in _ALLOTTED and name not in payload:
                payload = {**payload, name: await writer.submit_keeping(allot, _ALLOTTED[allotted])}
            case Rewrite.STORED_CHARGING_PROFILE, {"$ref": str(profile), **others} if not others:
                payload = {**payload, name: await _stored_profile(writer, profile, f"{name}.$ref")}
            case _:
                pass
    return payload


async def _stored_profile(writer: Writer[Queries], name: str, location: str) -> JsonValue:
    try:
        profile: JsonValue = json.loads(await writer.submit_keeping(charging_profiles.resolve, name))
    except (UnknownChargingProfile, UnicodeEncodeError) as error:  # half a surrogate pair can't be in a stored name
        raise InvalidPayload([Mistake(location, phrase_of(error))]) from error
    return profile
