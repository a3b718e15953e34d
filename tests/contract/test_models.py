"""Every request and response of OCPP 1.6: model and official JSON schema agree on what is valid, in both directions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import FormatChecker
from pydantic import ValidationError

from mcpp.ocppj.actions import encode
from mcpp.ocppj.wire import WireModel
from tests.contract import payloads
from tests.contract.exceptions import assert_agree
from tests.contract.official import OCPP16, JsonTree, Shape, dump, parse
from tests.examples import examples

every_message = pytest.mark.parametrize("message", OCPP16.messages, ids=str)


def test_all_schemas_are_here() -> None:
    assert len(OCPP16.messages) == 78
    assert {"date-time", "uri"} <= FormatChecker().checkers.keys()


@every_message
def test_complete_payload_survives_a_round_trip(message: Shape) -> None:
    payload = payloads.complete(message.schema, message.schema)

    assert message.official_errors(dump(payload)) == []
    assert parse(encode(message.decode(dump(payload)))) == payload


@every_message
@examples(times=0.25)
@given(data=st.data())
def test_valid_payload_survives_a_round_trip(message: Shape, data: st.DataObject) -> None:
    schema = message.schema
    payload = data.draw(payloads.valid(schema, schema, payloads.canonical_timestamps))
    assert message.official_errors(dump(payload)) == []

    model = message.decode(dump(payload))

    assert parse(encode(model)) == payload
    assert message.decode(encode(model)) == model


@every_message
@examples(times=0.25)
@given(data=st.data())
def test_what_a_model_encodes_is_valid(message: Shape, data: st.DataObject) -> None:
    schema = message.schema
    payload = dump(data.draw(payloads.valid(schema, schema, payloads.timestamps)))
    assert_agree(message, payload)

    try:
        encoded = encode(message.decode(payload))
    except ValidationError:
        return  # excused above
    assert message.official_errors(encoded) == []
    assert encode(message.decode(encoded)) == encoded


@every_message
def test_every_single_fault_is_refused(message: Shape) -> None:
    schema = message.schema
    for fault in payloads.faults(schema, schema):
        payload = dump(fault.payload)
        if not message.official_errors(payload):
            pytest.fail(f"{fault.where} is no fault to the schema")
        assert_agree(message, payload)


_near_misses = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.decimals(-(10**6), 10**6, allow_nan=False, places=2),
    st.decimals(-(10**18), 10**18, allow_nan=False, allow_infinity=False),
    st.sampled_from(["1", "8.1", "true", "null", "Accepted", "accepted", "Hertz", "Celcius", *payloads.URIS]),
    st.sampled_from([*payloads.NOT_RFC_3339, *payloads.NOT_A_URI]),
    payloads.timestamps.flatmap(lambda text: st.sampled_from([text, text.lower(), text[:-1], text + "\n"])),
    st.text(max_size=60),
    st.just([]),
    st.just({}),
)


def _places(tree: JsonTree, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield here
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _places(value, (*here, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _places(value, (*here, index))


def _put(tree: JsonTree, place: tuple[str | int, ...], value: JsonTree) -> JsonTree:
    if not place:
        return value
    if isinstance(tree, dict):
        return {key: _put(member, place[1:], value) if key == place[0] else member for key, member in tree.items()}
    assert isinstance(tree, list)
    return [_put(item, place[1:], value) if index == place[0] else item for index, item in enumerate(tree)]


@every_message
@examples(times=0.6)
@given(data=st.data())
def test_model_and_schema_agree(message: Shape, data: st.DataObject) -> None:
    schema = message.schema
    payload = data.draw(payloads.valid(schema, schema, payloads.timestamps))
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(list(_places(payload))))
        payload = _put(payload, place, data.draw(_near_misses))

    assert_agree(message, dump(payload))


@every_message
def test_model_stands_alone(message: Shape) -> None:
    assert message.model.__name__ == message.name
    assert message.model.__bases__ == (WireModel,)
