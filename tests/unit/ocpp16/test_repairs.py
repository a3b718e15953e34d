"""OCPP 1.6's own repairs are total where money is concerned, and stay as they are when they are read again."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from mcpp.ocpp16.repairs import REPAIRS
from mcpp.ocpp16.unmatched import read_content
from mcpp.ocppj.actions import AnyAction, decode, encode_text
from mcpp.ocppj.errors import CallFault
from mcpp.ocppj.repair import repair
from mcpp.ocppj.rules import Rule
from mcpp_generated.db.enums import UnmatchedKind
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import MeterValuesRequest, StartTransactionRequest, StopTransactionRequest
from tests.examples import examples
from tests.unit.ocpp16.central import Central

M = TypeVar("M", bound=BaseModel)

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)

_TEXTS = st.sampled_from(
    ["", " ", "1", "-1", "1.5", "1e400000", "2026-01-01T10:00:00Z", "2026/1/1 7:00", "Wh", "kwh", "x"]
)
_NUMBERS = st.integers() | st.sampled_from([2**31, 2**63, 2**64, -(2**63) - 1]) | st.floats(allow_nan=False)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS | st.text(max_size=5)
_FIELDS = ["connectorId", "transactionId", "idTag", "meterStart", "meterStop", "timestamp", "reason", "reservationId"]
_LISTS = ["meterValue", "transactionData", "sampledValue", "value", "unit", "measurand", "phase", "x"]
_NAMES = st.sampled_from(_FIELDS) | st.sampled_from(_LISTS)
JUNK = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6), max_leaves=12
)


def understood(model: type[M], text: bytes) -> M:
    try:
        return decode(model, text)
    except ValidationError:
        return repair(model, text, REPAIRS, NOW)[0]


@examples(times=5)
@pytest.mark.parametrize("model", [StartTransactionRequest, StopTransactionRequest, MeterValuesRequest])
@given(payload=st.dictionaries(_NAMES, JUNK, max_size=8))
def test_any_object_is_understood_and_understood_alike_again(model: type[BaseModel], payload: object) -> None:
    request = understood(model, json.dumps(payload).encode())

    kept = encode_text(request)
    assert encode_text(understood(model, kept.encode())) == kept


@examples(times=2)
@given(payload=st.dictionaries(_NAMES, JUNK, max_size=8))
def test_what_is_kept_aside_has_the_same_content_again(payload: object) -> None:
    stop = understood(StopTransactionRequest, json.dumps(payload).encode())
    values = understood(MeterValuesRequest, json.dumps(payload).encode())

    content = read_content(UnmatchedKind.STOP, encode_text(stop))
    assert content.stop is not None
    assert (content.stop.meter_stop, content.stop.id_tag) == (stop.meter_stop, stop.id_tag)
    assert [sample.value for sample in content.samples] == [
        sampled.value for entry in stop.transaction_data or () for sampled in entry.sampled_value
    ]
    assert len(read_content(UnmatchedKind.METER_VALUES, encode_text(values)).samples) == sum(
        len(entry.sampled_value) for entry in values.meter_value
    )


@examples(times=2)
@given(payload=st.dictionaries(st.text(max_size=8), JUNK, max_size=4))
@pytest.mark.parametrize("action", list(actions.ACTIONS.values()), ids=lambda action: action.name)
def test_an_answer_is_understood_or_a_fault(action: AnyAction, payload: dict[str, object]) -> None:
    """Whatever comes, nothing else is raised."""
    names = [info.alias or name for name, info in action.response.model_fields.items()]
    for members in (payload, dict(zip(names, payload.values(), strict=False))):
        with suppress(CallFault):
            understood(action.response, json.dumps(members).encode())


EMPTY: dict[str, object] = {}


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StartTransaction", EMPTY),
        ("StartTransaction", {"connectorId": 2**70, "idTag": {}, "meterStart": None, "timestamp": "?"}),
        ("StopTransaction", EMPTY),
        ("StopTransaction", {"transactionId": 2**64, "meterStop": "?", "transactionData": {"sampledValue": "?"}}),
        ("MeterValues", EMPTY),
        ("MeterValues", {"transactionId": 2**63, "meterValue": [{"sampledValue": [{"value": 1.5, "unit": "Hz"}]}]}),
        ("StatusNotification", {"status": "Dancing", "errorCode": None}),
        ("BootNotification", EMPTY),
        ("SecurityEventNotification", EMPTY),
        ("FirmwareStatusNotification", {"status": "DownloadPaused"}),
    ],
)
async def test_it_is_answered(central: Central, action: str, payload: dict[str, object]) -> None:
    answer = await central.say(action, payload)

    assert isinstance(answer, dict)


def test_rules_are_spelled_as_labels() -> None:
    assert all(rule.value == rule.name.lower() for rule in Rule)
