"""Payloads made from a schema: valid ones, complete ones, and ones with a single fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import strategies as st

from tests.contract.official import JsonTree
from tools.contract.schemas import Schema

NOT_RFC_3339 = [
    "",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-01-31T12:00Z",
    "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00,5Z",
    "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00+0100",
    "2026-01-31T12:00:00+24:00",
    "2026-01-31T24:00:00Z",
    "2026-01-31T23:59:60Z",
    "2026-02-29T12:00:00Z",
    "0000-01-01T00:00:00Z",
    "٢٠٢٦-01-31T12:00:00Z",
    " 2026-01-31T12:00:00Z",
    "1769860800",
]
NOT_A_URI = ["", "ftp.example.com/log", "1ftp://example.com", "ftp://example.com/a b", "http://example.com/%zz"]
URIS = [
    "ftp://user:secret@[2001:db8::1]:2121/logs/",
    "https://example.com/a%20b?c=d#e",
    "urn:ocpp",
    "HTTP://EXAMPLE.COM",
]
ANYTHING: JsonTree = {"a": [1, Decimal("2.5"), None, {"b": "c"}], "d": True}
"""For a property that may hold any value."""


def resolve(schema: Schema, root: Schema) -> Schema:
    """The schema itself, or the definition that it refers to."""
    return root.definitions[schema.reference.removeprefix("#/definitions/")] if schema.reference else schema


# As MCPP writes them, so that what is read and written again must be the same.
canonical_timestamps = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")

_offsets = st.sampled_from(["Z", "+00:00", "-00:00", "+14:00", "-23:59", "+05:45"])
_fractions = st.from_regex(r"(\.[0-9]{1,12})?", fullmatch=True)
timestamps = st.builds(
    lambda moment, fraction, offset: moment.isoformat(timespec="seconds") + fraction + offset,
    st.datetimes(),
    _fractions,
    _offsets,
)


def valid(schema: Schema, root: Schema, moments: st.SearchStrategy[str]) -> st.SearchStrategy[JsonTree]:
    """Any payload that the schema allows, its timestamps drawn from `moments`."""
    schema = resolve(schema, root)
    if schema.enum is not None:
        return st.sampled_from(schema.enum)
    match schema.type:
        case "object":
            members = {key: valid(value, root, moments) for key, value in schema.properties.items()}
            return st.fixed_dictionaries(
                {key: member for key, member in members.items() if key in schema.required},
                optional={key: member for key, member in members.items() if key not in schema.required},
            )
        case "array":
            assert schema.items is not None
            items, most = schema.items, min(schema.max_items or 3, 3)
            return st.lists(valid(items, root, moments), min_size=schema.min_items or 0, max_size=most)
        case "integer":
            return st.integers(_least(schema), _most(schema))
        case "number":
            least, most = max(_least(schema), -(10**13)), min(_most(schema), 10**13)
            return st.integers(least * 10, most * 10).map(lambda tenths: Decimal(tenths).scaleb(-1))
        case "boolean":
            return st.booleans()
        case None:
            return st.sampled_from([ANYTHING, 1, "", [], True])
    if schema.format == "date-time":
        return moments
    if schema.format == "uri":
        return st.sampled_from(URIS)
    return st.text(max_size=min(schema.max_length or 20, 20))


def _least(schema: Schema) -> int:
    return -(2**63) if schema.minimum is None else int(schema.minimum)


def _most(schema: Schema) -> int:
    return 2**63 - 1 if schema.maximum is None else int(schema.maximum)


def complete(schema: Schema, root: Schema) -> JsonTree:
    """A valid payload with every property there is, texts as long as allowed, one item in each list."""
    schema = resolve(schema, root)
    if schema.enum is not None:
        return schema.enum[0]
    match schema.type:
        case "object":
            return {key: complete(value, root) for key, value in schema.properties.items()}
        case "array":
            assert schema.items is not None
            return [complete(schema.items, root)]
        case "integer":
            return max(_least(schema), -(2**31))
        case "number":
            return min(Decimal("8.1"), Decimal(_most(schema)))
        case "boolean":
            return True
        case None:
            return ANYTHING
    if schema.format == "date-time":
        return "2026-01-31T12:00:00.000Z"
    if schema.format == "uri":
        return URIS[0]
    return "🔌" * (schema.max_length or 500)  # length counts characters, not bytes


@dataclass(frozen=True)
class Fault:
    """A payload with one fault."""

    where: str
    payload: JsonTree


def least(schema: Schema, root: Schema) -> JsonTree:
    """A valid payload with what is required only."""
    schema = resolve(schema, root)
    if schema.type == "object":
        return {key: least(schema.properties[key], root) for key in schema.required}
    if schema.items is not None:
        return [least(schema.items, root)] * (schema.min_items or 0)
    return complete(schema, root)


def faults(schema: Schema, root: Schema, *, shallow: bool = False) -> Iterator[Fault]:
    """The complete payload, each time with another single fault.

    shallow: but for one without those of what is defined for all, and with the least that is valid beside them.
    """
    if shallow and schema.reference:
        yield Fault(" = null", None)
        return
    schema = resolve(schema, root)
    for wrong in _replacements(schema):
        yield Fault(f" = {str(wrong)[:40]!r}", wrong)
    if schema.type == "object" and not shallow:
        yield from _faults_of_object(schema, root)
    if schema.items is not None:
        item = least(schema.items, root) if shallow else complete(schema.items, root)
        if schema.max_items is not None:
            yield Fault(" too many", [item] * (schema.max_items + 1))
        for fault in faults(schema.items, root, shallow=shallow):
            yield replace(fault, where=f"[1]{fault.where}", payload=[item, fault.payload])


def _faults_of_object(schema: Schema, root: Schema) -> Iterator[Fault]:
    whole = complete(schema, root)
    assert isinstance(whole, dict)
    if not schema.additional_properties:
        yield Fault(".extra", {**whole, "extra": 1})
    for key in schema.required:
        yield Fault(f" without {key}", {name: value for name, value in whole.items() if name != key})
    for key, member in schema.properties.items():
        for fault in faults(member, root):
            yield replace(fault, where=f".{key}{fault.where}", payload={**whole, key: fault.payload})


def _replacements(schema: Schema) -> list[JsonTree]:
    if schema.enum is not None:
        return [None, 1, [], "", schema.enum[0].swapcase(), schema.enum[0] + " "]
    match schema.type:
        case "object":
            return [None, 1, "{}", []]
        case "array":
            return [None, 1, "[]", {}, *([[]] if schema.min_items else [])]
        case "integer":
            return [None, True, "1", Decimal("1.5"), [], *_beyond(schema)]
        case "number":
            return [None, True, "8.1", *([Decimal("8.15")] if schema.multiple_of else []), [], *_beyond(schema)]
        case "boolean":
            return [None, 0, 1, "true", []]
        case None:
            return []
    wrong: list[JsonTree] = [None, True, 1, Decimal("8.1"), []]
    if schema.format == "date-time":
        return [*wrong, *NOT_RFC_3339]
    if schema.format == "uri":
        return [*wrong, *NOT_A_URI]
    return [*wrong, "x" * (schema.max_length + 1)] if schema.max_length else wrong


def _beyond(schema: Schema) -> list[JsonTree]:
    below: list[JsonTree] = [] if schema.minimum is None else [_least(schema) - 1]
    return below if schema.maximum is None else [*below, _most(schema) + 1]
