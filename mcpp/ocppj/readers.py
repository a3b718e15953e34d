"""Readers that take JSON for what is meant by it: one for each model, made of its fields; and what they share.

A reader builds its model itself, without pydantic: what it has read is right by the rules, though not always by the
contract, such as a text that is longer or that isn't in its list.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from functools import partial
from types import UnionType
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, Union, cast, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel, JsonValue
from pydantic.fields import FieldInfo

from mcpp import bounds
from mcpp.ocppj.crowded import Shape
from mcpp.ocppj.errors import ErrorCode
from mcpp.ocppj.field_readers import LONGEST_MEMBER, ListedReader, PlainReader, Reader, TextReader
from mcpp.ocppj.rules import (
    Json,
    Rule,
    Take,
    Unreadable,
    as_anything,
    as_boolean,
    as_decimal,
    as_integer,
    as_moment,
    as_tenths,
    as_text,
    plain,
    within,
)
from mcpp.ocppj.wire import DecimalNumber
from mcpp.ocppj.work import ABSENT, Absent, Place, Work

M = TypeVar("M", bound=BaseModel)


MOST_STEPS: Final = 4_000
"""In one payload: each entry of a list is one, each departure two or more. From there on lists are cut."""

_STEPS_OF_STAND_IN: Final = 2
_STEPS_OF_UNREADABLE: Final = 2


class Moment(Enum):
    """A stand-in for a moment that isn't told."""

    RECEIPT = auto()
    """When the message came."""
    NEARBY = auto()
    """For an entry of a list: the time of the entry before it, or else of the one after it, or else of the message.

    What waited in a charge point's memory came long after it was measured, but its entries belong together. The last
    of several entries has the message's own time where that has one: it's what a transaction ended with.
    """


@dataclass(frozen=True, kw_only=True)
class Repairs:
    """What an OCPP version adds to the rules: fields, by their Python names, and lists that it knows."""

    stand_ins: Mapping[tuple[type[BaseModel], str], object] = dataclasses.field(default_factory=dict)
    """For a required field that is missing or can't be read: a value, or a Moment."""
    meanings: Mapping[type[Enum], Mapping[str, Enum]] = dataclasses.field(default_factory=dict)
    """Texts that aren't in a list, as `plain` has them, each with the member that is meant."""
    others: Mapping[type[Enum], Enum] = dataclasses.field(default_factory=dict)
    """The member of a list for all that means none of them."""
    open_lists: frozenset[type[Enum]] = frozenset()
    """Lists to which any text is added as it comes."""
    kept_in: Mapping[tuple[type[BaseModel], str], tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Where the text of a member that was taken for another is kept: the first of these fields that is absent."""
    object_texts: frozenset[tuple[type[BaseModel], str]] = frozenset()
    """Texts in which an object or a list counts as its JSON text."""
    _readers: dict[type[BaseModel], ModelReader[Any]] = dataclasses.field(default_factory=dict, compare=False)

    def reader(self, model: type[M]) -> ModelReader[M]:
        """The reader of a model, made once."""
        reader = self._readers.get(model)
        if reader is None:
            reader = self._readers[model] = ModelReader(model, self)
        return reader


class _List(Reader):
    __slots__ = ("entry",)

    def __init__(self, entry: Reader) -> None:
        self.entry = entry

    def read(self, value: Json, work: Work, parent: Place | None, key: str | int) -> object:
        if not isinstance(value, list):
            if value is None or isinstance(value, dict) != isinstance(self.entry, ModelReader) or value == "":
                raise Unreadable
            value = [value]
            work.note(Rule.LIST_OF_ONE, parent, key, value[0], value)
        entries: list[object] = []
        place = (parent, key)
        read = self.entry.read
        for index, item in enumerate(value):
            if work.steps >= MOST_STEPS:
                work.note(Rule.TOO_MANY_ENTRIES, parent, key, len(value), index)
                break
            work.steps += 1
            untold = len(work.untold)
            try:
                entries.append(read(item, work, place, index))
            except Unreadable:
                del work.untold[untold:]
                work.note(Rule.ENTRY_LEFT_OUT, place, index, item, ABSENT)
        return entries


class _Field:
    """A field of a model, and how it's read."""

    __slots__ = ("alias", "kept_in", "name", "reader", "required", "stand_in")

    def __init__(self, model: type[BaseModel], name: str, info: FieldInfo, repairs: Repairs) -> None:
        self.name = name
        self.alias = info.alias or name
        self.required = info.is_required()
        self.stand_in = repairs.stand_ins.get((model, name), ABSENT)
        self.kept_in = repairs.kept_in.get((model, name), ())
        is_object_text = (model, name) in repairs.object_texts
        self.reader = _reader_of(info.annotation, info.metadata, repairs, self.alias if is_object_text else None)


class ModelReader(Reader, Generic[M]):
    """Reads an object."""

    def __init__(self, model: type[M], repairs: Repairs) -> None:
        self._model = model
        self._fields = [_Field(model, name, info, repairs) for name, info in model.model_fields.items()]
        # Quickly at hand; the members of lists are looked up without a call.
        self._rows = [
            (field.alias, field.name, field.reader.members if isinstance(field.reader, ListedReader) else None, field)
            for field in self._fields
        ]
        self._aliases = frozenset(field.alias for field in self._fields)
        self._nothing: dict[str, object] = dict.fromkeys(model.model_fields)
        self.nearby = next((field.name for field in self._fields if field.stand_in is Moment.NEARBY), "")
        self._own_time = next((field.name for field in self._fields if field.stand_in is Moment.RECEIPT), "")
        self._timed_lists = [
            (field.name, field.reader.entry.nearby)
            for field in self._fields
            if isinstance(field.reader, _List)
            and isinstance(field.reader.entry, ModelReader)
            and field.reader.entry.nearby
        ]
        self._keeps_more = model.model_config.get("extra") == "allow"
        self._keeping = [field for field in self._fields if field.kept_in]
        self.shape = self._shape()
        """What cutting needs to know."""

    def _shape(self) -> Shape:
        inner: dict[str, Shape] = {}
        lists: set[str] = set()
        texts: set[str] = set()
        for field in self._fields:
            reader = field.reader
            if isinstance(reader, TextReader) and reader.object_name is not None:
                texts.add(field.alias)
            if isinstance(reader, _List):
                lists.add(field.alias)
                reader = reader.entry
            if isinstance(reader, ModelReader):
                inner[field.alias] = reader.shape
        return Shape(self._aliases, inner, frozenset(lists), frozenset(texts))

    def read_whole(self, document: dict[str, Json], work: Work) -> M:
        """The message; raises CallFault where something is missing that it can't do without."""
        try:
            return self._read(document, work, None)
        except Unreadable:
            raise work.fault() from None

    def read(self, value: Json, work: Work, parent: Place | None, key: str | int) -> M:
        if not isinstance(value, dict):
            raise Unreadable
        return self._read(value, work, (parent, key))

    def _read(self, value: dict[str, Json], work: Work, place: Place | None) -> M:
        taken = self._nothing.copy()
        present: set[str] = set()
        found = 0
        for alias, name, members, field in self._rows:
            item = value.get(alias, ABSENT)
            if item is ABSENT:
                if field.required:
                    taken[name] = self._stand_in(field, ABSENT, work, place)
                    present.add(name)
                continue
            found += 1
            if type(item) is str and members is not None and (member := members.get(item)) is not None:
                taken[name] = member
            elif item is None and not field.required:
                work.note(Rule.NULL_FIELD, place, alias, None, ABSENT)
                continue
            else:
                try:
                    taken[name] = field.reader.read(item, work, place, alias)
                except Unreadable:
                    work.steps += _STEPS_OF_UNREADABLE
                    if not field.required:
                        work.note(_why(item), place, alias, item, ABSENT)
                        continue
                    taken[name] = self._stand_in(field, item, work, place)
            present.add(name)
        more: dict[str, object] | None = {} if self._keeps_more else None
        if found < len(value):
            if more is None:
                self._note_unknown(value, len(value) - found, work, place)
            else:
                work.steps += len(value) - found
                for name, item in value.items():
                    if name not in self._aliases:
                        more[as_text(name, 0)[0]] = as_anything(item)[0]
        if work.untold and self._timed_lists:
            self._fill_in_times(taken, work)
        for field in self._keeping:
            _keep_text(field, value.get(field.alias), taken, present)
        return _built(self._model, taken, present, more)

    def _note_unknown(self, value: dict[str, Json], count: int, work: Work, place: Place | None) -> None:
        if not work.tells():
            work.note_more(count)
            return
        for name, item in value.items():
            if name not in self._aliases:
                work.note(Rule.UNKNOWN_FIELD, place, name, item, ABSENT)
                count -= 1
                if not work.tells():
                    break
        work.note_more(count)

    def _stand_in(self, field: _Field, item: Json | Absent, work: Work, place: Place | None) -> object:
        """What stands for a required value that can't be read; raises Unreadable where nothing can."""
        rule, stand_in = _why(item), field.stand_in
        if stand_in is ABSENT:
            is_outside = isinstance(field.reader, ListedReader) and isinstance(item, str)
            work.blame(*_BLAMED.get(rule, _OUTSIDE if is_outside else _WRONG), place, field.alias)
            raise Unreadable
        if stand_in is Moment.NEARBY:
            work.steps += _STEPS_OF_STAND_IN
            work.untold.append((rule, place, field.alias, item))
            return stand_in
        if stand_in is Moment.RECEIPT:
            stand_in = work.received_at
        elif isinstance(stand_in, list):
            stand_in = []
        work.steps += _STEPS_OF_STAND_IN
        work.note(rule, place, field.alias, item, stand_in)
        return stand_in

    def _fill_in_times(self, taken: Mapping[str, object], work: Work) -> None:
        """Give the entries of lists that didn't tell their time another one (Moment.NEARBY)."""
        own = taken.get(self._own_time)
        message_at = own if isinstance(own, datetime) and own != work.received_at else None
        for list_name, name in self._timed_lists:
            entries = taken[list_name]
            if not isinstance(entries, list):
                continue
            told = [moment for entry in entries if (moment := entry.__dict__[name]) is not Moment.NEARBY]
            nearby = told[0] if told else message_at or work.received_at
            untold = iter(work.untold)
            for number, entry in enumerate(entries, 1):
                if entry.__dict__[name] is not Moment.NEARBY:
                    nearby = entry.__dict__[name]
                    continue
                is_last = number == len(entries) > 1
                moment = entry.__dict__[name] = message_at or nearby if is_last else nearby
                work.note(*next(untold), moment)
            work.untold.clear()


def _why(item: Json | Absent) -> Rule:
    """Why a value can't be read."""
    if item is ABSENT:
        return Rule.MISSING_FIELD
    if item is None:
        return Rule.NULL_FIELD
    is_empty = item in ([], {}) or (isinstance(item, str) and not item[:LONGEST_MEMBER].strip())
    return Rule.EMPTY_FIELD if is_empty else Rule.UNREADABLE_FIELD


_BLAMED: Final = dict.fromkeys(
    (Rule.MISSING_FIELD, Rule.NULL_FIELD, Rule.EMPTY_FIELD), (ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, "is required")
)
_OUTSIDE: Final = (ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, "is none of the texts that are allowed")
_WRONG: Final = (ErrorCode.TYPE_CONSTRAINT_VIOLATION, "can't be read")


def _keep_text(field: _Field, item: Json, taken: dict[str, object], present: set[str]) -> None:
    """Keep the text of a member that was taken for another."""
    member = taken[field.name]
    if not isinstance(item, str) or not isinstance(member, Enum) or plain(item[: bounds.NAME]) == plain(member.value):
        return
    place = next((name for name in field.kept_in if taken[name] is None), None)
    if place is not None and item.strip():
        taken[place], _ = as_text(item, 0)
        present.add(place)


def _built(model: type[M], values: dict[str, object], present: set[str], more: dict[str, object] | None) -> M:
    """A model of values that are right, in the order of its fields; as `model_construct`, in a third of its time."""
    built = model.__new__(model)
    setters = object.__setattr__
    setters(built, "__dict__", values)
    setters(built, "__pydantic_fields_set__", present)
    setters(built, "__pydantic_extra__", more)
    setters(built, "__pydantic_private__", None)
    return built


def _reader_of(annotation: Any, metadata: Sequence[Any], repairs: Repairs, object_name: str | None) -> Reader:
    """The reader for a field's type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _reader_of(arguments[0], [*metadata, *arguments[1:]], repairs, object_name)
    if origin in (Union, UnionType):
        (annotation,) = (argument for argument in arguments if argument is not type(None))
        return _reader_of(annotation, metadata, repairs, object_name)
    if origin is list:
        return _List(_reader_of(arguments[0], [], repairs, None))
    if origin is Literal:
        return ListedReader({text: text for text in arguments}, {}, None, str)
    if annotation is JsonValue:
        return PlainReader(as_anything)
    if annotation is str:
        return TextReader(_longest(metadata), object_name)
    if issubclass(annotation, Enum):
        members = {member.value: member for member in annotation}
        any_text = partial(_new_member, annotation) if annotation in repairs.open_lists else None
        return ListedReader(members, repairs.meanings.get(annotation, {}), repairs.others.get(annotation), any_text)
    if issubclass(annotation, BaseModel):
        return repairs.reader(annotation)
    if annotation is Decimal:
        return _decimal_reader(metadata)
    if annotation is int:
        return PlainReader(within(as_integer, *_int_bounds(metadata)))
    return PlainReader(_PLAIN[annotation])


_PLAIN: Final[Mapping[type, Take]] = {bool: as_boolean, datetime: as_moment}


def _decimal_reader(metadata: Sequence[Any]) -> PlainReader:
    number = next((item for item in metadata if isinstance(item, DecimalNumber)), DecimalNumber())
    take = as_decimal if number.multiple_of is None else as_tenths
    return PlainReader(within(take, number.minimum, number.maximum))


def _int_bounds(metadata: Sequence[Any]) -> tuple[int | None, int | None]:
    least: int | None = None
    most: int | None = None
    for item in _constraints(metadata):
        if isinstance(item, Ge):
            least = cast("int", item.ge)
        elif isinstance(item, Le):
            most = cast("int", item.le)
    return least, most


def _constraints(metadata: Sequence[Any]) -> Iterator[Any]:
    """What annotations say, those within a Field included."""
    for item in metadata:
        yield from _constraints(item.metadata) if isinstance(item, FieldInfo) else (item,)


def _longest(metadata: Sequence[Any]) -> int | None:
    return next((item.max_length for item in _constraints(metadata) if isinstance(item, MaxLen)), None)


def _new_member(kind: type[Enum], text: str) -> Enum:
    """A member of a list of texts that has none of this text; it's a member of nothing but itself."""
    member = str.__new__(kind, text)  # type: ignore[type-var]
    member._name_ = member._value_ = text
    return member
