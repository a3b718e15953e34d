"""Readers of single values: what a reader is, and those of texts, numbers, moments and lists of texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from mcpp import bounds
from mcpp.ocppj.crowded import member_text
from mcpp.ocppj.rules import RIGHT, Json, Read, Rule, Unreadable, as_moment, as_text, plain
from mcpp.ocppj.work import Place, Work


class Reader:
    """Reads the value of a field."""

    __slots__ = ()

    steps = 0
    """What a repair counts for beyond others, by the time that it takes."""

    def read(self, value: Json, work: Work, parent: Place | None, key: str | int) -> object:
        """What is meant by a value, with every departure noted; raises Unreadable."""
        if value is None:
            raise Unreadable
        taken, rules = self.take(value, work.payload)
        for rule in rules:
            work.steps += self.steps
            work.note(rule, parent, key, value, taken)
        return taken

    def take(self, value: Json, payload: bytes, /) -> Read:
        """What is meant by a value that isn't null, and by which rules; raises Unreadable."""
        raise NotImplementedError


class TextReader(Reader):
    __slots__ = ("_longest", "object_name")

    def __init__(self, longest: int | None, object_name: str | None) -> None:
        self._longest = longest
        self.object_name = object_name
        """Its name on the wire, where an object counts as its text."""

    def read(self, value: Json, work: Work, parent: Place | None, key: str | int) -> object:
        if type(value) is str and value.isascii() and (self._longest is None or len(value) <= self._longest):
            return value
        return super().read(value, work, parent, key)

    def take(self, value: Json, payload: bytes) -> Read:
        if not isinstance(value, dict | list):
            return as_text(value, self._longest)
        if self.object_name is None:
            raise Unreadable
        # As it was sent; one that is too deep for that comes as Python writes it.
        text = member_text(payload, self.object_name) or json.dumps(value, ensure_ascii=False)
        kept, rules = as_text(text, self._longest)
        return kept, (Rule.OBJECT_FOR_TEXT, *rules)


class PlainReader(Reader):
    """Of a type that is read alike everywhere."""

    __slots__ = ("_take", "steps")

    def __init__(self, take: Callable[[Json], Read]) -> None:
        self._take = take
        self.steps = 3 if take is as_moment else 0

    def take(self, value: Json, _payload: bytes) -> Read:
        return self._take(value)


class ListedReader(Reader):
    """A text of a list: an enum's member, or one that stays the text that it is."""

    steps = 1

    __slots__ = ("_any_text", "_by_plain", "_meanings", "_other", "members")

    def __init__(
        self,
        members: Mapping[str, object],
        meanings: Mapping[str, object],
        other: object | None,
        any_text: Callable[[str], object] | None,
    ) -> None:
        self.members = members
        self._by_plain = {plain(text): member for text, member in reversed([*members.items()])}
        self._meanings = meanings
        self._other = other
        self._any_text = any_text

    def take(self, value: Json, _payload: bytes) -> Read:
        if type(value) is str and (member := self.members.get(value)) is not None:
            return member, RIGHT
        text, rules = as_text(value, bounds.NAME, bounds.NAME)
        if not text.strip():
            raise Unreadable
        wanted = plain(text) if len(text) <= LONGEST_MEMBER else ""
        if (member := self._by_plain.get(wanted)) is not None:
            return member, (*rules, Rule.LETTER_CASE)
        if (member := self._meanings.get(wanted, self._other)) is not None:
            return member, (*rules, Rule.OUTSIDE_LIST)
        if self._any_text is None:
            raise Unreadable
        return self._any_text(text), (*rules, Rule.OUTSIDE_LIST)


LONGEST_MEMBER: Final = 64
"""Characters of a text that is compared with a list's."""
