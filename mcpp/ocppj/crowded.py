"""Payloads that hold far more members and entries than any charger has to say, cut before anything is built of them.

A message of 1 MiB can hold 350,000 values, and each costs time and memory as soon as it becomes an object: reading all
of them takes longer than everything else that a message causes. So a large payload is counted first, which takes a
fraction of a millisecond, and a crowded one is cut as text: of its lists the first entries stay, of its objects the
members that the contract knows. What is cut is passed over by regular expressions that never go back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

LARGE: Final = 1 << 16
"""Bytes; what is shorter is never crowded."""

MOST_ENTRIES: Final = 8_000
"""Entries of lists, all together, that a crowded or a repaired payload keeps."""

_MOST: Final = ((b"{", MOST_ENTRIES), (b"[", MOST_ENTRIES), (b",", 40_000), (b"\\", 64_000))
"""How often a text may hold these. A meter value as chargers send them has 90 characters, 5 commas and one brace."""

_MOST_VALUES: Final = 56_000
"""That the kept entries hold, all together."""

_DEEPEST: Final = 12
"""Levels of lists and objects in each other, in a crowded payload."""

_SMALL: Final = 1 << 10
"""Bytes; an entry that is shorter is not looked into."""

_SPACE: Final = rb"[ \t\r\n]*+"
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PLAIN: Final = rb'[^"\[\]{}]*+'


def _contents(levels: int) -> bytes:
    """What may stand within a list or an object. Unrolled, and possessive throughout: it takes its input once."""
    contents = _PLAIN + rb"(?:%b%b)*+" % (_STRING, _PLAIN)
    for _ in range(levels):
        contents = _PLAIN + rb"(?:(?:%b|[\[{]%b[\]}])%b)*+" % (_STRING, contents, _PLAIN)
    return contents


_NESTED: Final = rb"[\[{]%b[\]}]" % _contents(_DEEPEST)
_VALUE: Final = rb'(?:%b|[^"\[\]{},: \t\r\n]++|%b)' % (_STRING, _NESTED)


class _Patterns:
    """Made when the first crowded payload comes."""

    def __init__(self) -> None:
        self.object_begins = re.compile(rb"%b\{" % _SPACE)
        self.empty = re.compile(rb"\{%b\}" % _SPACE)
        self.name = re.compile(rb"%b(%b)%b:%b" % (_SPACE, _STRING, _SPACE, _SPACE), re.DOTALL)
        self.value = re.compile(_VALUE, re.DOTALL)
        self.entry = re.compile(rb"%b(%b)%b([,\]])" % (_SPACE, _VALUE, _SPACE), re.DOTALL)
        self.between = re.compile(rb"%b([,}])" % _SPACE)
        self.between_entries = re.compile(rb"%b([,\]])%b" % (_SPACE, _SPACE))
        self.rest_of_list = re.compile(rb"%b\]" % _contents(_DEEPEST), re.DOTALL)


@lru_cache(1)
def _patterns() -> _Patterns:
    return _Patterns()


@lru_cache(1)
def _nested() -> re.Pattern[str]:
    return re.compile(_NESTED.decode(), re.DOTALL)


def nested_text(text: str, at: int) -> str | None:
    """The text of the list or object that begins there, by its brackets alone; None where it has no end or is too deep.

    What is in it may be no JSON.
    """
    found = _nested().match(text, at)
    return None if found is None else found[0]


@lru_cache(256)
def _unknown_members(names: frozenset[str]) -> re.Pattern[bytes]:
    """Members by other names, as many as follow each other; the last one of an object isn't among them."""
    known = b"|".join(re.escape(name.encode()) for name in sorted(names))
    member = rb'%b(?!"(?:%b)")%b%b:%b%b%b,' % (_SPACE, known, _STRING, _SPACE, _SPACE, _VALUE, _SPACE)
    return re.compile(rb"(?:%b)*+" % member, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the contract knows of an object, as far as cutting needs it."""

    names: frozenset[str]
    """Of the members that stay."""
    inner: Mapping[str, Shape] = field(default_factory=dict)
    """Of the members that are objects or lists of objects."""
    lists: frozenset[str] = frozenset()
    """Members that are lists."""
    texts: frozenset[str] = frozenset()
    """Members in which an object counts as its text."""


class NotCut(Exception):
    """The text isn't JSON, or has lists and objects in each other deeper than anybody means."""


def is_crowded(payload: bytes) -> bool:
    """Whether a payload holds more than a charger has to say."""
    return len(payload) > LARGE and any(payload.count(character) > most for character, most in _MOST)


def cut(payload: bytes, shape: Shape) -> bytes:
    """A crowded payload, an object, with what is over left out; raises NotCut."""
    cutting = _Cutting(payload)
    text, end = cutting.object(payload.find(b"{"), shape)
    if payload[end:].strip(b" \t\r\n"):
        raise NotCut
    return text


class _Cutting:
    """One pass over a payload."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._patterns = _patterns()
        self._room = MOST_ENTRIES
        self._values = _MOST_VALUES

    def object(self, at: int, shape: Shape) -> tuple[bytes, int]:
        """The object that begins at an index, and where it ends."""
        payload, patterns, unknown = self._payload, self._patterns, _unknown_members(shape.names)
        if empty := patterns.empty.match(payload, at):
            return b"{}", empty.end()
        # By name, as the last of several counts in JSON; so there are never more than the contract knows.
        kept: dict[bytes, bytes] = {}
        while True:
            at += 1
            passed = unknown.match(payload, at)
            name = patterns.name.match(payload, at if passed is None else passed.end())
            if name is None:
                raise NotCut
            text, at = self._value(name.end(), name[1][1:-1].decode(errors="replace"), shape)
            if text:
                kept[name[1]] = text
            after = patterns.between.match(payload, at)
            if after is None:
                raise NotCut
            if after[1] == b"}":
                return b"{%b}" % b",".join(b"%b:%b" % member for member in kept.items()), after.end()
            at = after.end() - 1

    def _value(self, at: int, name: str, shape: Shape) -> tuple[bytes, int]:
        """What is kept of a member's value, nothing of one that the contract doesn't know, and where it ends."""
        first = self._payload[at : at + 1]
        inner = shape.inner.get(name)
        if first == b"[" and name in shape.lists:
            return self._list(at, inner)
        if first == b"{" and inner is not None:
            return self.object(at, inner)
        found = self._patterns.value.match(self._payload, at)
        if found is None:
            raise NotCut
        text = found[0]
        if name not in shape.names:
            text = b""
        elif first in b"[{" and len(text) > _SMALL:
            # Of no use where it stands; that something was there is to be seen.
            text = quoted(text) if name in shape.texts else b"[]"
        return text, found.end()

    def _list(self, at: int, inner: Shape | None) -> tuple[bytes, int]:
        payload, entry, between = self._payload, self._patterns.entry, self._patterns.between_entries
        entries: list[bytes] = []
        at += 1
        while self._room > 0 < self._values:
            found = entry.match(payload, at, at + _SMALL)
            if found is not None:
                text, after = found[1], found[2]
                if inner is not None and text.startswith(b"["):
                    text = b"[]"  # whatever is in it: an object is wanted
                self._values -= text.count(b",") + text.count(b"{") + text.count(b"[")
                at = found.end()
            elif inner is not None and (begin := self._patterns.object_begins.match(payload, at)) is not None:
                text, end = self.object(begin.end() - 1, inner)
                separator = between.match(payload, end)
                if separator is None:
                    raise NotCut
                after, at = separator[1], separator.end()
            elif (found := entry.match(payload, at)) is not None:
                # Long, and none of what the contract has there.
                text, after = found[1] if found[1].startswith(b'"') else b"null", found[2]
                at = found.end()
            else:
                break
            self._room -= 1
            entries.append(text)
            if after == b"]":
                return b"[%b]" % b",".join(entries), at
        rest = self._patterns.rest_of_list.match(payload, at)
        if rest is None:
            raise NotCut
        return b"[%b]" % b",".join(entries), rest.end()


def member_text(payload: bytes, name: str) -> str | None:
    """A member's value as it was sent, where the object is JSON and the value isn't too deep for a look."""
    patterns, unknown, text = _patterns(), _unknown_members(frozenset({name})), None
    at = payload.find(b"{") + 1
    while at:
        passed = unknown.match(payload, at)
        found = patterns.name.match(payload, at if passed is None else passed.end())
        value = None if found is None else patterns.value.match(payload, found.end())
        after = None if value is None else patterns.between.match(payload, value.end())
        if found is None or value is None or after is None:
            return None
        if found[1][1:-1].decode(errors="replace") == name:
            text = value[0]
        at = 0 if after[1] == b"}" else after.end()
    return None if text is None else text.decode(errors="replace")


_CONTROLS: Final = bytes(set(range(0x20)) - set(b"\t\r\n"))


def quoted(text: bytes) -> bytes:
    """JSON text as a JSON string."""
    text = text.translate(None, _CONTROLS).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % text.replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t")
