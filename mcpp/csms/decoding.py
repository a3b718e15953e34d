"""Payloads into typed models, strict first and repaired second, and what a CALL is about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

from pydantic import BaseModel, ValidationError

from mcpp.ocppj.actions import Req, Res, decode
from mcpp.ocppj.errors import CallFault, ErrorCode, InvalidAnswer, InvalidPayload, Mistake
from mcpp.ocppj.flow import Flow, Subject
from mcpp.ocppj.readers import Repairs
from mcpp.ocppj.repair import repair, thinned
from mcpp.ocppj.work import spell_location

ReadSubject: TypeAlias = Callable[[BaseModel], tuple[int | None, int | None]]
"""What a request is about: connector and transaction, as OCPP numbers them."""

SubjectReader: TypeAlias = Callable[[type[BaseModel]], ReadSubject | None]
"""Makes the reader for one model of request; None where it names neither."""


def repaired(flow: Flow, request: type[Req], payload: bytes, repairs: Repairs, received_at: datetime) -> Req:
    """A request that broke the contract, repaired by rule and noted on its flow; raises CallFault."""
    if any(deviation.rule == "missing_payload" for deviation in flow.deviations):
        raise CallFault(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "the payload is missing")
    value, deviations = repair(request, payload, repairs, received_at)
    flow.deviations += deviations
    return value


def thinned_request(flow: Flow, request: type[Req], payload: bytes, repairs: Repairs) -> bytes:
    """A large payload as it is, or without what no charger has to say; raises CallFault."""
    payload, deviations = thinned(request, payload, repairs)
    flow.deviations += deviations
    return payload


def decode_response(
    flow: Flow, response: type[Res], payload: bytes, repairs: Repairs, now: Callable[[], datetime]
) -> Res:
    """The typed response to a CALL of ours, strict first and repaired second; raises InvalidAnswer."""
    try:
        payload = thinned_request(flow, response, payload, repairs)
        try:
            return decode(response, payload)
        except ValidationError:
            return repaired(flow, response, payload, repairs, now())
    except CallFault as fault:
        raise InvalidAnswer(fault.description) from fault


def decode_payload(model: type[Req], payload: bytes) -> Req:
    """What a person or a script sends, strict; raises InvalidPayload, which says what is wrong where."""
    try:
        return decode(model, payload)
    except ValidationError as error:
        raise invalid_payload(error) from error


def invalid_payload(error: ValidationError) -> InvalidPayload:
    """A contract's breach in the words of commands."""
    return InvalidPayload([Mistake(spell_location(e["loc"]), e["msg"]) for e in error.errors(include_url=False)])


def by_field_names(model: type[BaseModel]) -> ReadSubject | None:
    """Reads `connector_id` and `transaction_id` where the model has them: pydantic takes 3 µs to say that it hasn't."""
    match ("connector_id" in model.model_fields, "transaction_id" in model.model_fields):
        case (True, True):
            return attrgetter("connector_id", "transaction_id")
        case (True, False):
            connector_id = attrgetter("connector_id")
            return lambda request: (connector_id(request), None)
        case (False, True):
            transaction_id = attrgetter("transaction_id")
            return lambda request: (None, transaction_id(request))
    return None


def subject_of(request: BaseModel, read_subject: SubjectReader) -> Subject:
    """What a CALL of ours is about."""
    read = read_subject(type(request))
    return Subject() if read is None else Subject(*read(request))
