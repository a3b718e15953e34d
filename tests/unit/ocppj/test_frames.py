"""OCPP-J frames: what is read, what is tolerated and counted, what is refused and how."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcpp.ocppj.errors import ErrorCode
from mcpp.ocppj.frames import (
    LONGEST_ID,
    Call,
    CallError,
    CallResult,
    CallResultError,
    Frame,
    FrameError,
    Framing,
    MessageType,
    Send,
    encode,
    parse,
)

# Any text that UTF-8 can carry: no halves of surrogate pairs.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
OBJECTS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT)).map(
    lambda value: json.dumps(value).encode()
)
CODES = st.text(st.characters(exclude_categories=["Cs"]), max_size=LONGEST_ID)
FRAMES = (
    st.builds(Call, TEXT, TEXT, OBJECTS, st.just(()))
    | st.builds(CallResult, TEXT, OBJECTS, st.just(()))
    | st.builds(CallError, TEXT, CODES, TEXT, OBJECTS, st.just(()))
)


@given(FRAMES)
@example(Call('with "quotes" \\ and \n', "BootNotification", b"{}"))
@example(Call("ä€😀", "Änderung", b'{"a":"]}"}'))
def test_frames_survive_the_round_trip(frame: Call | CallResult | CallError) -> None:
    assert parse(encode(frame)) == frame


@given(FRAMES)
def test_encoded_frames_are_json_arrays(frame: Call | CallResult | CallError) -> None:
    elements = json.loads(encode(frame))

    assert elements[1] == frame.message_id
    assert elements[0] == {Call: 2, CallResult: 3, CallError: 4}[type(frame)]


def test_encoded_frames_are_compact() -> None:
    assert encode(Call("1", "Heartbeat", b"{}")) == b'[2,"1","Heartbeat",{}]'
    assert encode(CallResult("1", b'{"a":1}')) == b'[3,"1",{"a":1}]'
    assert encode(CallError("1", "GenericError", "why", b'{"a":1}')) == b'[4,"1","GenericError","why",{"a":1}]'


def test_halves_of_surrogate_pairs_are_replaced_on_the_way_out() -> None:
    assert encode(CallError("1", "GenericError", "not \ud800")) == b'[4,"1","GenericError","not ?",{}]'


def test_payload_is_kept_as_it_was_written() -> None:
    text = b'[2,"1","MeterValues",{ "value" : 8.10, "big": 12345678901234567890.123 }]'

    assert parse(text) == Call("1", "MeterValues", b'{ "value" : 8.10, "big": 12345678901234567890.123 }')


@pytest.mark.parametrize(
    "text",
    [
        b' [ 2 , "1" , "Heartbeat" , {} ] ',
        b'\r\n[\t2,\n"1","Heartbeat",\n{}\n]\n',
        b'[2,"\\u0031","Heartbeat",{}]',
        b'[2,"1","Heart\\u0062eat", {} ]',
    ],
)
def test_whitespace_and_escapes_are_plain_json(text: bytes) -> None:
    assert parse(text) == Call("1", "Heartbeat", b"{}")


@pytest.mark.parametrize(
    ("text", "deviations"),
    [
        (b'\xef\xbb\xbf[2,"1","Heartbeat",{}]', ("byte_order_mark",)),
        (b'[2,"1","Heartbeat",{}]\0', ("nul_byte",)),
        (b'\0\xef\xbb\xbf [2,"1","Heartbeat",{}]\0\0', ("byte_order_mark", "nul_byte")),
        (b'[2,"1","Heartbeat",{},]', ("trailing_comma",)),
        (b'[2,"1","Heartbeat"]', ("missing_payload",)),
        (b'[2,"1","Heartbeat",null]', ("missing_payload",)),
        (b'[2,"1","Heartbeat",[]]', ("missing_payload",)),
        (b'\0[2,"1","Heartbeat"]', ("nul_byte", "missing_payload")),
    ],
)
def test_tolerated_frames_say_what_was_tolerated(text: bytes, deviations: tuple[str, ...]) -> None:
    assert parse(text) == Call("1", "Heartbeat", b"{}", deviations)


def test_answers_are_tolerated_alike() -> None:
    assert parse(b'[3,"1"]') == CallResult("1", b"{}", ("missing_payload",))
    assert parse(b'[4,"1","GenericError"]') == CallError("1", "GenericError", "", b"{}", ("missing_payload",))
    assert parse(b'[4,"1","GenericError","why",null]') == CallError(
        "1", "GenericError", "why", b"{}", ("missing_payload",)
    )


@pytest.mark.parametrize(
    ("text", "description", "details", "deviations"),
    [
        (b'[4,"1","GenericError",null,{"a":1}]', "", b'{"a":1}', ("error_description",)),
        (b'[4,"1","GenericError",null,null]', "", b"{}", ("error_description", "missing_payload")),
        (b'[4,"1","GenericError",17,{}]', "17", b"{}", ("error_description",)),
        (b'[4,"1","GenericError","why","more"]', "why", b'{"details":"more"}', ("error_details",)),
        (b'[4,"1","GenericError","why",{"a":"\xca"}]', "why", '{"a":"\ufffd"}'.encode(), ()),
        (b'[4,"1","GenericError","why",""]', "why", b'{"details":""}', ("error_details",)),
        (b'[4,"1","GenericError","why",[1,2]]', "why", b'{"details":[1,2]}', ("error_details",)),
        (b'[4,"1","GenericError",null]', "", b"{}", ("error_description", "missing_payload")),
    ],
)
def test_a_call_error_with_faults_says_what_was_meant(
    text: bytes, description: str, details: bytes, deviations: tuple[str, ...]
) -> None:
    assert parse(text) == CallError("1", "GenericError", description, details, deviations)


def test_deviations_of_the_way_a_frame_came_are_kept() -> None:
    assert parse(b'[3,"1",{}]', ("binary_frame",)).deviations == ("binary_frame",)
    assert parse(b'\0[3,"1",{}]', ("binary_frame",)).deviations == ("binary_frame", "nul_byte")


def test_long_message_ids_are_taken() -> None:
    message_id = "x" * 300

    assert parse(b'[2,"%b","Heartbeat",{}]' % message_id.encode()) == Call(message_id, "Heartbeat", b"{}")


@pytest.mark.parametrize(
    ("text", "message_id", "message_type"),
    [
        (b"", None, None),
        (b"hello", None, None),
        (b"{}", None, None),
        (b"[]", None, None),
        (b"[2", None, 2),
        (b'[2,"1', None, 2),
        (b'[2,"1"', "1", 2),
        (b'[2,"1"]', "1", 2),
        (b'[2,"1","MeterValues",{"connectorId":1,"meterVal', "1", 2),
        (b'[2,"1","MeterValues",{"connectorId":1}', "1", 2),
        (b'[2,"1","MeterValues",{"connectorId":1}] [', "1", 2),
        (b'[2,"1",,"Heartbeat",{}]', "1", 2),
        (b'[2,"1","Heartbeat",{},7]', "1", 2),
        (b'[2,"1","Heartbeat","payload"]', "1", 2),
        (b'[2,"1",{},"Heartbeat"]', "1", 2),
        (b'[2,"1","Heart\xff",{}]', "1", 2),
        (b'[2,"1","Heart\0beat",{}]', "1", 2),
        (b'[2,"1","\\ud800",{}]', "1", 2),
        (b'[2,"\\ud800","Heartbeat",{}]', None, 2),
        (b'[2,"\xff","Heartbeat",{}]', None, 2),
        (b'[2,17,"Heartbeat",{}]', "17", 2),
        (b'[2,null,"Heartbeat",{}]', None, 2),
        (b'[2,true,"Heartbeat",{}]', None, 2),
        (b'["2","1","Heartbeat",{}]', "1", None),
        (b'[true,"1","Heartbeat",{}]', "1", None),
        (b'[3,"1",{"status":', "1", 3),
        (b'[3,"1","Accepted"]', "1", 3),
        (b'[4,"1"]', "1", 4),
        (b'[4,"1",17,"",{}]', "1", 4),
    ],
)
def test_other_text_is_refused_with_what_could_be_read(
    text: bytes, message_id: str | None, message_type: int | None
) -> None:
    with pytest.raises(FrameError) as refused:
        parse(text)

    error = refused.value
    assert (error.message_id, error.message_type) == (message_id, message_type)
    assert error.code is ErrorCode.RPC_FRAMEWORK_ERROR
    assert error.is_answer is (message_type in (MessageType.CALL_RESULT, MessageType.CALL_ERROR))


OF_21 = Framing(has_sends=True, unread_id="-1", answers_unknown_types=False)


@pytest.mark.parametrize(
    "frame",
    [
        Send("s1", "NotifyPeriodicEventStream", b'{"id":1}'),
        CallResultError("c1", "FormatViolation", "no JSON", b'{"at":1}'),
    ],
)
def test_21_has_two_more_message_types(frame: Frame) -> None:
    """OCPP-J 2.1 §4.2; to other versions they're unknown ones."""
    assert parse(encode(frame), framing=OF_21) == frame
    with pytest.raises(FrameError) as refused:
        parse(encode(frame))
    assert refused.value.code is ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED


def test_unknown_message_types_are_not_supported() -> None:
    """OCPP-J 1.6 §4.1.3."""
    with pytest.raises(FrameError) as refused:
        parse(b'[6,"1","NotifyEvent",{}]')

    assert (refused.value.message_id, refused.value.code) == ("1", ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED)


@pytest.mark.parametrize("text", [b"[" * 100_000, b'[2,"1","A",' + b"[" * 100_000, b"[" + b"9" * 10_000 + b"]"])
def test_hostile_depth_and_length_are_refused(text: bytes) -> None:
    with pytest.raises(FrameError):
        parse(text)


PIECES = [
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b'"',
    b"\\",
    b"2",
    b"3",
    b"4",
    b"null",
    b"-",
    b"\0",
    b"\xef\xbb\xbf",
    b" ",
]
GARBAGE = st.binary() | st.lists(st.sampled_from(PIECES) | st.binary(max_size=3)).map(b"".join)


@given(GARBAGE)
def test_garbage_raises_nothing_but_frame_error(data: bytes) -> None:
    _parse_or_refuse(data)


@given(FRAMES, st.data())
def test_damaged_frames_raise_nothing_but_frame_error(
    frame: Call | CallResult | CallError, data: st.DataObject
) -> None:
    text = encode(frame)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    _parse_or_refuse(text[:start] + data.draw(st.sampled_from([b"", *PIECES])) + text[end:])


@given(FRAMES)
def test_truncated_frames_are_never_taken(frame: Call | CallResult | CallError) -> None:
    with pytest.raises(FrameError):
        parse(encode(frame)[:-1])


def _parse_or_refuse(data: bytes) -> None:
    try:
        frame = parse(data)
    except FrameError as error:
        # A refusal can always be answered and logged.
        (error.message_id or "").encode()
        return
    # What was taken can be sent on as it is understood.
    assert parse(encode(frame)) == frame._replace(deviations=())


# Frames that hold far more than any charge point has to say.

MIB = 1 << 20
CROWDED = {
    "elements": b'[2,"m1","MeterValues",' + b"1," * 500_000 + b"1]",
    "lists": b'[2,"m1","MeterValues",[' + b"[]," * 340_000 + b"1]]",
    "lists as the UniqueId": b"[2,[" + b"[]," * 340_000 + b"1]]",
    "an object without an end": b'[2,"m1","MeterValues",{"a":[' + b"{}," * 340_000 + b"1]",
    "members, and something after them": b'[2,"m1","MeterValues",{'
    + b",".join(b'"%d":1' % n for n in range(90_000))
    + b"},1,2]",
    "numbers": b'[2,"m1","MeterValues",[' + b"1e5," * 250_000 + b"1]]",
    "blanks": b'[2,"m1","MeterValues",{}' + b" " * MIB + b"]x",
    "an answer's details": b'[4,"m1","GenericError","",[' + b"1," * 500_000 + b"1]]",
}


@pytest.mark.parametrize("data", CROWDED.values(), ids=CROWDED)
def test_of_a_crowded_frame_nothing_is_built(data: bytes) -> None:
    """Its objects would take many times its size, and as much time."""
    tracemalloc.start()
    try:
        try:
            frame = parse(data)
        except FrameError as refused:
            assert refused.message_id in ("m1", None)
        else:
            assert isinstance(frame, CallError)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 6 * len(data)


def test_more_elements_than_any_message_type_has_are_refused_whatever_they_are() -> None:
    with pytest.raises(FrameError, match="more elements") as refused:
        parse(b'[2,"m1","Heartbeat",{},1,2,3,nonsense')

    assert refused.value.message_id == "m1"


def test_a_large_payload_needs_its_brackets_alone() -> None:
    """Whether it's JSON shows when its model reads it."""
    payload = b'{"a":[' + b'{"b":"]}"},' * 10_000 + b"{}]}"
    escaped = b'[2,"m\\u0031","MeterValues",%b]' % payload

    assert parse(escaped) == Call("m1", "MeterValues", payload)


@pytest.mark.parametrize("size", [LONGEST_ID, LONGEST_ID + 1, 100_000])
def test_error_codes_are_cut(size: int) -> None:
    frame = parse(b'[4,"m1","%b","",{}]' % (b"C" * size))

    assert isinstance(frame, CallError)
    assert frame.code == "C" * LONGEST_ID


def test_large_details_are_cut() -> None:
    frame = parse(b'[4,"m1","GenericError","",{"a":[%b1]}]' % (b'"x",' * 100_000))

    assert isinstance(frame, CallError)
    assert frame.deviations == ("text_cut",)
    assert json.loads(frame.details)["details"].startswith('{"a":["x","x",')
    assert len(frame.details) < 4096
