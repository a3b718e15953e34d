"""The models of OCPP 2.0.1 and 2.1 are valid exactly where the official schemas say so; each shape is tested once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.ocppj.actions import encode
from mcpp.ocppj.wire import WireModel
from tests.contract import payloads
from tests.contract.exceptions import assert_agree
from tests.contract.official import OCPP21, OCPP201, VERSIONS, JsonTree, Shape, Version, dump, parse
from tests.examples import examples

SHAPES = [shape for version in (OCPP201, OCPP21) for shape in (*version.messages, *version.definitions)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def test_all_shapes_are_here() -> None:
    assert [len(version.messages) for version in VERSIONS] == [78, 128, 181]
    assert [len(version.definitions) for version in (OCPP201, OCPP21)] == [55, 122]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.contract.version)
def test_actions_and_sends_have_their_models(version: Version) -> None:
    models = [model for action in version.actions.values() for model in (action.request, action.response)]
    models += [send.request for send in version.sends.values()]

    assert sorted(models, key=str) == sorted((message.model for message in version.messages), key=str)


@every_shape
def test_complete_and_least_payload_survive_a_round_trip(shape: Shape) -> None:
    for payload in (payloads.complete(shape.schema, shape.root), payloads.least(shape.schema, shape.root)):
        assert shape.official_errors(dump(payload)) == []
        assert parse(encode(shape.decode(dump(payload)))) == payload


@every_shape
def test_every_single_fault_is_refused(shape: Shape) -> None:
    for where, payload in _own_faults(shape):
        text = dump(payload)
        if not shape.official_errors(text):
            pytest.fail(f"{where} is no fault to the schema")
        assert_agree(shape, text)


def _own_faults(shape: Shape) -> Iterator[tuple[str, JsonTree]]:
    """Faults of the shape's own properties; what a definition says of others is tested with that definition."""
    whole = {key: payloads.least(member, shape.root) for key, member in shape.schema.properties.items()}
    if not shape.schema.additional_properties:
        yield "extra", {**whole, "extra": 1}
    for key in shape.schema.required:
        yield f"without {key}", {name: value for name, value in whole.items() if name != key}
    for key, member in shape.schema.properties.items():
        for fault in payloads.faults(member, shape.root, shallow=True):
            yield f"{key}{fault.where}", {**whole, key: fault.payload}


@pytest.mark.parametrize("version", [OCPP201, OCPP21], ids=lambda version: version.contract.version)
def test_enums_have_the_values_of_the_schemas(version: Version) -> None:
    defined = {
        name: definition.enum
        for message in version.messages
        for name, definition in message.root.definitions.items()
        if definition.enum and name not in version.contract.plain_enums
    }

    assert defined == {name: tuple(getattr(version.models, name)) for name in defined}


@examples(times=1)
@given(data=st.data())
def test_what_a_model_encodes_is_valid(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(SHAPES))
    payload = data.draw(payloads.valid(shape.schema, shape.root, payloads.timestamps))
    encoded = encode(shape.decode(dump(payload)))

    assert shape.official_errors(encoded) == []
    assert encode(shape.decode(encoded)) == encoded


def test_models_stand_alone() -> None:
    assert [shape.name for shape in SHAPES] == [shape.model.__name__ for shape in SHAPES]
    assert {shape.model.__bases__ for shape in SHAPES} == {(WireModel,)}
