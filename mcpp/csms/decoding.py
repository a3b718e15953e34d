"""Payloads into typed models, strict first and repaired second, and what a CALL is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import TypeAlias

from pydantic import BaseModel, ValidationError

from mcpp.ocppj.actions import Req, Res, decode, encode
from mcpp.ocppj.errors import CallFault, ErrorCode, InvalidAnswer, InvalidPayload, Mistake
from mcpp.ocppj.flow import Flow, Subject
from mcpp.ocppj.readers import Repairs
from mcpp.ocppj.repair import repair, thinned
from mcpp.ocppj.work import spell_location
from mcpp.phrases.mistakes import mistake_text

ReadSubject: TypeAlias = Callable[[BaseModel], tuple[int | None, int | None, int | None]]
"""What a request is about: connector and transaction, as OCPP numbers them, and EVSE."""

SubjectReader: TypeAlias = Callable[[type[BaseModel]], ReadSubject | None]
"""Makes the reader for one model of request; None where it names neither."""


def repaired(flow: Flow, request: type[Req], payload: bytes, repairs: Repairs, received_at: datetime) -> Req:
    """A request that broke the contract, repaired by rule and noted on its flow; raises CallFault."""
    if any(deviation.rule == "missing_payload" for deviation in flow.deviations):
        raise CallFault(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "the payload is missing")
    value, deviations = repair(request, payload, repairs, received_at)
    flow.deviations += deviations
    return value


def widened(told: BaseModel, model: type[Req], repairs: Repairs, received_at: datetime) -> Req:
    """What a model of a narrower version says, in the wider one of the same name."""
    return _read_widely(encode(told), model, repairs, received_at)


def widening(
    own: type[BaseModel], model: type[Req], repairs: Repairs, now: Callable[[], datetime]
) -> Callable[..., Req]:
    """A validator that lets a payload pass by its own version's model, and reads it by the wider one."""
    judge = own.__pydantic_validator__.validate_json

    def validate(payload: bytes, *, by_alias: bool, by_name: bool) -> Req:
        judge(payload, by_alias=by_alias, by_name=by_name)
        return _read_widely(payload, model, repairs, now)

    return validate


def _read_widely(payload: bytes, model: type[Req], repairs: Repairs, now: datetime | Callable[[], datetime]) -> Req:
    try:
        return decode(model, payload)
    except ValidationError:
        # The few places where the wider version is narrower: they are no departures of the charge point's.
        received_at = now if isinstance(now, datetime) else now()
        return repair(model, payload, repairs, received_at)[0]


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
        raise InvalidAnswer(fault.description, fault.code) from fault


def decode_payload(model: type[Req], payload: bytes) -> Req:
    """What a person or a script sends, strict; raises InvalidPayload, which says what is wrong where."""
    try:
        return decode(model, payload)
    except ValidationError as error:
        raise invalid_payload(error) from error


def invalid_payload(error: ValidationError) -> InvalidPayload:
    """A contract's breach in the words of commands."""
    return InvalidPayload([Mistake(spell_location(e["loc"]), mistake_text(e)) for e in error.errors(include_url=False)])


@contextmanager
def contract_kept() -> Iterator[None]:
    """What breaks the contract in a request of ours is said in the words of commands: raises InvalidPayload."""
    try:
        yield
    except ValidationError as error:
        raise invalid_payload(error) from error


def by_field_names(model: type[BaseModel]) -> ReadSubject | None:
    """Reads `connector_id` and `transaction_id` where the model has them: pydantic takes 3 µs to say that it hasn't."""
    match ("connector_id" in model.model_fields, "transaction_id" in model.model_fields):
        case (True, True):
            both = attrgetter("connector_id", "transaction_id")
            return lambda request: (*both(request), None)
        case (True, False):
            connector_id = attrgetter("connector_id")
            return lambda request: (connector_id(request), None, None)
        case (False, True):
            transaction_id = attrgetter("transaction_id")
            return lambda request: (None, transaction_id(request), None)
    return None


def subject_of(request: BaseModel, read_subject: SubjectReader) -> Subject:
    """What a CALL of ours is about."""
    read = read_subject(type(request))
    return Subject() if read is None else Subject(*read(request))
