"""OCPP 1.6 as the transport sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from functools import partial

from pydantic import BaseModel, JsonValue, ValidationError

from mcpp.csms.context import CallContext, Services
from mcpp.ocpp16 import answers, core, firmware, security
from mcpp.ocpp16.errors import SPELLING
from mcpp.ocppj.actions import Action, AnyAction, Req, Res, decode
from mcpp.ocppj.errors import CallFault, ErrorCode, InvalidAnswer
from mcpp.ocppj.flow import Flow, Subject
from mcpp.ocppj.frames import Call
from mcpp.ocppj.repair import repair
from mcpp.ocppj.router import Router
from mcpp.ocppj.rules import FIELD_RULES
from mcpp_generated.ocpp16.actions import ACTIONS
from mcpp_generated.ocpp16.models import SetChargingProfileRequest


class Ocpp16:
    """The dialect of OCPP 1.6 edition 2 with its security extension (implements mcpp.csms.dialect.Dialect)."""

    version = "1.6"
    subprotocol = "ocpp1.6"
    actions: Mapping[str, AnyAction] = ACTIONS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._router: Router[CallContext] = Router(ACTIONS, decode_request)
        for profile in (core, firmware, security):
            profile.register(self._router)

    def handle(self, flow: Flow, call: Call) -> bytes | Awaitable[bytes]:
        """Handle an incoming CALL (see Dialect)."""
        return self._router.dispatch(CallContext(self._services, flow), flow, call)

    async def prepare(self, action: str, payload: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """A command's payload with its references resolved (see Dialect)."""
        return await answers.prepare(self._services, action, payload)

    def decode_response(self, flow: Flow, response: type[Res], payload: bytes) -> Res:
        """The typed response to a CALL of ours (see Dialect)."""
        try:
            return decode(response, payload)
        except ValidationError:
            try:
                value, deviations = repair(partial(decode, response), payload, FIELD_RULES)
            except CallFault as fault:
                raise InvalidAnswer(fault.description) from fault
            flow.deviations += deviations
            return value

    def subject(self, request: BaseModel) -> Subject:
        """What a CALL is about (see Dialect)."""
        return subject_of(request)

    def learn(self, flow: Flow, request: BaseModel, response: BaseModel) -> Awaitable[None] | None:
        """Bring into the books what an answered CALL of ours means (see Dialect)."""
        return answers.learn(self._services, flow, request, response)

    def spell(self, code: ErrorCode) -> str:
        """The code as 1.6 writes it."""
        return SPELLING[code]


def decode_request(flow: Flow, action: Action[Req, Res], payload: bytes) -> Req:
    """The typed request of a charge point: strict first, repaired second."""
    try:
        request = action.decode_request(payload)
    except ValidationError:
        request, deviations = repair(action.decode_request, payload, FIELD_RULES)
        flow.deviations += deviations
    flow.connector_id, flow.transaction_id = subject_of(request)
    return request


def subject_of(request: BaseModel) -> Subject:
    """What a request names: 1.6 calls it the same everywhere, but in a profile for a transaction that runs (§7.8)."""
    if isinstance(request, SetChargingProfileRequest):
        return Subject(request.connector_id, request.cs_charging_profiles.transaction_id)
    return Subject(getattr(request, "connector_id", None), getattr(request, "transaction_id", None))
