"""OCPP-J frames: text in, a message out, and back (OCPP-J 1.6 §4.1 to §4.2.3; of 2.1 also CALLRESULTERROR and SEND).

Payloads stay the JSON text that came: the model of the action validates them later, in one pass. So the usual frame
costs one regular expression over its head; whatever that doesn't match is read element by element.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

import orjson

from mcpp.ocppj.crowded import LARGE, nested_text
from mcpp.ocppj.errors import ErrorCode


class Call(NamedTuple):
    """[2, UniqueId, Action, Payload] (OCPP-J 1.6 §4.2.1)."""

    message_id: str
    action: str
    payload: bytes
    """JSON as it came; validated by the action's model, not here."""
    deviations: tuple[str, ...] = ()
    """Rules by which the frame itself was tolerated, such as `byte_order_mark`; empty for a correct one."""


class CallResult(NamedTuple):
    """[3, UniqueId, Payload] (OCPP-J 1.6 §4.2.2)."""

    message_id: str
    payload: bytes
    deviations: tuple[str, ...] = ()


class CallError(NamedTuple):
    """[4, UniqueId, errorCode, errorDescription, errorDetails] (OCPP-J 1.6 §4.2.3)."""

    message_id: str
    code: str
    description: str
    details: bytes = b"{}"
    """A JSON object."""
    deviations: tuple[str, ...] = ()


class CallResultError(NamedTuple):
    """[5, UniqueId, errorCode, errorDescription, errorDetails]: a CALLRESULT wasn't understood (OCPP-J 2.1 §4.2)."""

    message_id: str
    code: str
    description: str
    details: bytes = b"{}"
    """A JSON object."""
    deviations: tuple[str, ...] = ()


class Send(NamedTuple):
    """[6, UniqueId, Action, Payload]: as a CALL, but never answered, also beside one that waits (OCPP-J 2.1 §4.2)."""

    message_id: str
    action: str
    payload: bytes
    deviations: tuple[str, ...] = ()


LONGEST_DESCRIPTION: Final = 255
"""Characters of an errorDescription (OCPP-J 1.6 §4.2.3)."""


class MessageType:
    """Message type numbers (OCPP-J 1.6 §4.1.3, OCPP-J 2.1 §4.1)."""

    CALL: Final = 2
    CALL_RESULT: Final = 3
    CALL_ERROR: Final = 4
    CALL_RESULT_ERROR: Final = 5
    SEND: Final = 6


class Framing(NamedTuple):
    """In what the frames of one OCPP-J differ from those of another."""

    has_sends: bool = False
    """Whether there are CALLRESULTERROR and SEND."""
    unread_id: str | None = None
    """The UniqueId of the CALLERROR to a message whose own can't be read; None where that gets no answer."""
    answers_unknown_types: bool = True
    """Whether a message of an unknown type gets a CALLERROR, rather than none."""


FRAMING_16: Final = Framing()
"""Of OCPP-J 1.6."""

Answer = CallResult | CallError
"""What settles a CALL."""
Frame = Call | CallResult | CallError | CallResultError | Send


class FrameError(Exception):
    """Text that isn't an OCPP-J frame; `message_id` and `message_type` are set where they could be read."""

    def __init__(
        self, message_id: str | None, code: ErrorCode, description: str, message_type: int | None = None
    ) -> None:
        super().__init__(description)
        self.message_id = message_id
        self.code = code
        self.description = description
        self.message_type = message_type

    @property
    def is_answer(self) -> bool:
        """Whether the text was meant as the answer to a CALL of ours."""
        return self.message_type in (MessageType.CALL_RESULT, MessageType.CALL_ERROR)

    @property
    def wants_answer(self) -> bool:
        """Whether the text may have been meant as something that is answered."""
        return not (self.is_answer or self.message_type in (MessageType.CALL_RESULT_ERROR, MessageType.SEND))


_SPACE = rb"[ \t\r\n]*"
_TEXT = rb'"([^"\\\x00-\x1f]*)"'
_COMMA = _SPACE + rb"," + _SPACE
_CALL_HEAD = rb"2" + _COMMA + _TEXT + _COMMA + _TEXT
_CALL_RESULT_HEAD = rb"3" + _COMMA + _TEXT
_HEADS = rb"(?:" + _CALL_HEAD + rb"|" + _CALL_RESULT_HEAD + rb")"
# Up to the payload, which must be an object.
_HEAD = re.compile(_SPACE + rb"\[" + _SPACE + _HEADS + _COMMA + rb"(?=\{)")
_STRAY_COMMA = re.compile(rb"," + _SPACE + rb"\]\Z")
_LONGEST_END: Final = 64
"""Bytes at the end of a frame in which a stray comma is looked for."""
_WHITESPACE: Final = b" \t\r\n"
_BLANKS: Final = re.compile(r"[ \t\r\n]*+")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def parse(data: bytes, deviations: tuple[str, ...] = (), framing: Framing = FRAMING_16) -> Frame:
    """The frame in `data`; raises FrameError and nothing else.

    UniqueIds of any length are taken, since the answer must carry the same one: without it the charge point wouldn't
    know that its message was heard, and repeat it for ever.
    Text that follows the payload inside the brackets shows when the payload is validated. `deviations` are those that
    the frame has come with.
    """
    return _parse_usual(data, deviations) or _parse_unusual(data, deviations, framing)


def encode(frame: Frame) -> bytes:
    """The frame as compact JSON text."""
    if isinstance(frame, Call):
        return b"[2,%b,%b,%b]" % (_quote(frame.message_id), _quote(frame.action), frame.payload)
    if isinstance(frame, CallResult):
        return b"[3,%b,%b]" % (_quote(frame.message_id), frame.payload)
    if isinstance(frame, Send):
        return b"[6,%b,%b,%b]" % (_quote(frame.message_id), _quote(frame.action), frame.payload)
    kind = MessageType.CALL_ERROR if isinstance(frame, CallError) else MessageType.CALL_RESULT_ERROR
    code, description = _quote(frame.code), _quote(frame.description)
    return b"[%d,%b,%b,%b,%b]" % (kind, _quote(frame.message_id), code, description, frame.details)


def _quote(text: str) -> bytes:
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:
        # Half a surrogate pair, such as in a description that quotes a payload.
        return orjson.dumps(text.encode(errors="replace").decode())


def _parse_usual(data: bytes, deviations: tuple[str, ...]) -> Call | CallResult | None:
    """A CALL or CALLRESULT without escapes in its head and with an object as payload; None for anything else."""
    head = _HEAD.match(data)
    if head is None:
        return None
    body = data.rstrip(_WHITESPACE)
    payload = body[head.end() : -1].rstrip(_WHITESPACE)
    if not (body.endswith(b"]") and payload.endswith(b"}")):
        return None
    call_id, action, result_id = head.groups()
    try:
        if call_id is None:
            return CallResult(result_id.decode(), payload, deviations)
        return Call(call_id.decode(), action.decode(), payload, deviations)
    except UnicodeDecodeError:
        return None


def _parse_unusual(data: bytes, deviations: tuple[str, ...], framing: Framing) -> Frame:
    """Every CALLERROR, CALLRESULTERROR and SEND, and all that needs a closer look."""
    text, dropped = _strip(data)
    deviations += dropped
    if dropped and (frame := _parse_usual(text, deviations)):
        return frame
    # Bytes that aren't UTF-8 (OCPP-J 1.6 §4.1.2) are carried through, so that a UniqueId before them can be answered.
    return _Elements(text.decode(errors="surrogateescape"), deviations, framing).frame()


def _strip(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The text without what some chargers put around it, and the rules by which that was dropped."""
    text = data.strip(_WHITESPACE + b"\0")
    deviations: tuple[str, ...] = ()
    if text.startswith(_BYTE_ORDER_MARK):
        text = text[len(_BYTE_ORDER_MARK) :].lstrip(_WHITESPACE + b"\0")
        deviations += ("byte_order_mark",)
    if data.count(0) > text.count(0):
        deviations += ("nul_byte",)
    if stray := _STRAY_COMMA.search(text, max(0, len(text) - _LONGEST_END)):
        text = text[: stray.start()] + b"]"
        deviations += ("trailing_comma",)
    return text, deviations


_UNREAD: Final = object()
"""Stands for the entries of a list that isn't read."""

_MOST_ELEMENTS: Final = 5
"""Of a frame: a CALLERROR's (OCPP-J 1.6 §4.2.3)."""

LONGEST_ID: Final = 255
"""Characters of a UniqueId, an action or an error code that are kept and shown. OCPP-J 1.6 §4.1.4 allows a UniqueId 36,
chargers use more; an answer carries the whole one, of whatever length."""


def kept(text: str) -> str:
    """As much of a UniqueId or an action as is kept and shown."""
    return text if len(text) <= LONGEST_ID else text[:LONGEST_ID]


_LONGEST_DETAILS: Final = 1 << 10
"""Characters that stay of a CALLERROR's details where they are cut."""


class _Element(NamedTuple):
    value: object
    text: str


class _Elements:
    """The elements of a frame's array as far as they can be read, each with its own text."""

    _decode = json.JSONDecoder().raw_decode

    def __init__(self, text: str, deviations: tuple[str, ...], framing: Framing) -> None:
        self._text = text
        self._framing = framing
        self._items: list[_Element] = []
        self._deviations = deviations
        self._problem = ""
        try:
            self._read()
        except (ValueError, RecursionError):
            self._problem = "truncated or malformed JSON"
        kind = self._items[0].value if self._items else None
        self._message_type = kind if type(kind) is int else None
        self._message_id = self._read_message_id()

    def frame(self) -> Frame:
        if self._message_id is None or self._message_type is None:
            raise self._refusal(self._problem or "no message type and UniqueId at the beginning")
        if not isinstance(self._items[1].value, str):
            raise self._refusal("the UniqueId is not a string")
        match self._message_type:
            case MessageType.CALL:
                action = self._string(2, "action")
                return Call(self._message_id, action, self._object(3), self._deviations)
            case MessageType.CALL_RESULT:
                return CallResult(self._message_id, self._object(2), self._deviations)
            case MessageType.CALL_ERROR:
                code = kept(self._string(2, "error code"))
                description, details = self._description(), self._details()
                return CallError(self._message_id, code, description, details, self._deviations)
            case MessageType.CALL_RESULT_ERROR if self._framing.has_sends:
                code = kept(self._string(2, "error code"))
                description, details = self._description(), self._details()
                return CallResultError(self._message_id, code, description, details, self._deviations)
            case MessageType.SEND if self._framing.has_sends:
                action = self._string(2, "action")
                return Send(self._message_id, action, self._object(3), self._deviations)
            case _:
                # OCPP-J 1.6 §4.1.3 has its payload ignored; a CALLERROR says so to the sender.
                raise self._refusal("unknown message type", ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED)

    def _read(self) -> None:
        if not self._text.startswith("["):
            self._problem = "not a JSON array"
            return
        at = self._skip_space(1)
        while not self._text.startswith("]", at):
            if len(self._items) > _MOST_ELEMENTS:
                return  # whatever follows: they are too many already
            end = self._read_element(at)
            at = self._skip_space(end)
            if self._text.startswith(",", at):
                at = self._skip_space(at + 1)
                if self._text.startswith("]", at):
                    self._deviations += ("trailing_comma",)
            elif not self._text.startswith("]", at):
                self._problem = "truncated or malformed JSON"
                return
        if at + 1 < len(self._text):
            self._problem = "text after the closing bracket"

    def _read_element(self, at: int) -> int:
        """Where it ends."""
        value: object
        if self._text.startswith(("{", "["), at) and len(self._text) - at > LARGE:
            # Not built, which may take long: only a payload may be so large, and that one is read by its model.
            text = nested_text(self._text, at)
            if text is None:
                raise ValueError
            value, end = {} if text[0] == "{" else [_UNREAD], at + len(text)
        else:
            value, end = self._decode(self._text, at)
            text = self._text[at:end]
        self._items.append(_Element(value, text))
        return end

    def _skip_space(self, at: int) -> int:
        blanks = _BLANKS.match(self._text, at)
        return at if blanks is None else blanks.end()

    def _read_message_id(self) -> str | None:
        """The UniqueId, also one that was sent as a number; None where the answer couldn't carry it."""
        if len(self._items) < 2:
            return None
        element = self._items[1]
        message_id = element.value if isinstance(element.value, str) else element.text
        readable = type(element.value) in (str, int) and _is_unicode(message_id)
        return message_id if readable else None

    def _string(self, index: int, what: str) -> str:
        value = self._items[index].value if index < len(self._items) else None
        if not isinstance(value, str) or not _is_unicode(value):
            raise self._refusal(self._problem or f"no {what}")
        return value

    def _description(self) -> str:
        """OCPP-J 1.6 §4.2.3 wants an empty description rather than none; some leave it out, or have no text in it."""
        value, text = self._items[3] if len(self._items) > 3 else _Element("", "")
        if isinstance(value, str) and _is_unicode(value):
            return value
        self._deviations += ("error_description",)
        return "" if value is None or isinstance(value, str) else text[:LONGEST_DESCRIPTION]

    def _details(self) -> bytes:
        """An object; text or another value, of which only the charge point knows the meaning, becomes one."""
        value, text = self._items[4] if len(self._items) == 5 else _Element(None, "")
        if not self._problem and len(text) > LARGE:
            # More than anybody reads.
            self._deviations += ("text_cut",)
            return b'{"details":%b}' % _quote(text[:_LONGEST_DETAILS])
        if self._problem or value is None or isinstance(value, dict) or value == [] or not _is_unicode(text):
            # Nobody reads it by a model, which would look after bytes that are no UTF-8.
            return self._object(4).decode(errors="replace").encode()
        self._deviations += ("error_details",)
        return b'{"details":%b}' % text.encode()

    def _object(self, index: int) -> bytes:
        """The text of the last element, an object; nothing, null and [] stand for an empty one."""
        if self._problem:
            raise self._refusal(self._problem)
        if len(self._items) > index + 1:
            raise self._refusal("more elements than the message type has")
        value, text = self._items[index] if index < len(self._items) else _Element(None, "")
        if isinstance(value, dict):
            return text.encode(errors="surrogateescape")
        if value is not None and value != []:
            raise self._refusal("the payload is not an object")
        self._deviations += ("missing_payload",)
        return b"{}"

    def _refusal(self, description: str, code: ErrorCode = ErrorCode.RPC_FRAMEWORK_ERROR) -> FrameError:
        return FrameError(self._message_id, code, description, self._message_type)


def _is_unicode(text: str) -> bool:
    """Whether the text can be sent and logged: JSON escapes can spell half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
