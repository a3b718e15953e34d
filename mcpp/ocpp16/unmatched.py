"""Messages that were kept aside, from their stored payload back to the domain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from mcpp.domain.assignment import Content
from mcpp.ocpp16.core import stop_of
from mcpp.ocpp16.metering import samples_of
from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocppj.actions import Action, Req, Res
from mcpp.ocppj.repair import repair
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.ocpp16 import actions

_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_content(kind: UnmatchedKind, payload: str) -> Content:
    """What a stored StopTransaction.req or MeterValues.req reports."""
    if kind is UnmatchedKind.STOP:
        stop = _read(actions.STOP_TRANSACTION, payload.encode())
        return Content(stop_of(stop), samples_of(stop.transaction_data or ()))
    return Content(None, samples_of(_read(actions.METER_VALUES, payload.encode()).meter_value))


def _read(action: Action[Req, Res], payload: bytes) -> Req:
    """As it was understood when it came in: what was kept in spite of the contract is kept again."""
    try:
        return action.decode_request(payload)
    except ValidationError:
        # What was stored has its times: nothing stands for one.
        request, _ = repair(action.request, payload, REPAIRS, _ANY_TIME)
        return request
