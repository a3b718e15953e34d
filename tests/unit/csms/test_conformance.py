"""What goes into the conformance record of a message that breaks the contract, and that no secret does."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.csms.conformance import ConformanceRecorder
from mcpp.csms.examples import field_of, masked_text, masked_value
from mcpp.domain.conformance import ELSEWHERE, TEXT_LIMIT, ConformanceBook, Kind, Seen
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.errors import CallTimeout, InvalidAnswer
from mcpp.ocppj.flow import Deviation, Direction, Flow, Peer
from mcpp.redaction import MASK
from mcpp.server.finished_commands import FinishedCommands
from mcpp_generated.db.enums import MessageRole
from tests.examples import examples

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
SECRET = "hunter2-hunter2"


def flow(action: str, *deviations: Deviation, direction: Direction = Direction.IN) -> Flow:
    made = Flow(Peer(1, "CP-1"), direction, action, "id-1", "c" * 32, 0.0)
    made.deviations += deviations
    return made


class Record:
    """A recorder and what it has recorded."""

    def __init__(self) -> None:
        self._book = ConformanceBook()
        self.recorder = ConformanceRecorder(self._book, [OCPP16], {"accepted_oddly": "odd_handshake"}, lambda: NOW)

    def kinds(self) -> dict[Kind, Seen]:
        taken = self._book.take()
        assert {waiting.charge_point_id for waiting in taken} <= {"CP-1"}
        return {waiting.kind: waiting.seen for waiting in taken}

    def one(self) -> tuple[Kind, Seen]:
        (found,) = self.kinds().items()
        return found


@pytest.fixture
def record() -> Record:
    return Record()


def test_a_field_of_many_entries_is_one_kind(record: Record) -> None:
    record.recorder.tolerated(
        flow(
            "MeterValues",
            *(
                Deviation("number_for_text", f"meterValue[{n}].sampledValue[{n % 2}].value", str(n), f'"{n}"')
                for n in range(12)
            ),
        )
    )

    assert record.one() == (
        Kind("MeterValues", MessageRole.CALL, "number_for_text", "meterValue[].sampledValue[].value"),
        Seen(12, NOW, NOW, "11", '"11"'),
    )


def test_an_answer_to_a_command_is_told_from_a_call(record: Record) -> None:
    deviation = Deviation("text_for_boolean", "configurationKey[3].readonly", '"false"', "false")
    record.recorder.tolerated(flow("GetConfiguration", deviation, direction=Direction.OUT))
    kind, seen = record.one()

    assert kind == Kind("GetConfiguration", MessageRole.ANSWER, "text_for_boolean", "configurationKey[].readonly")
    assert (seen.example, seen.taken_as) == ('"false"', "false")


def test_one_message_makes_few_kinds(record: Record) -> None:
    record.recorder.tolerated(
        flow("Heartbeat", *(Deviation("unknown_field", f"made_up_{number}", "1") for number in range(5000)))
    )
    kinds = record.kinds()

    assert len(kinds) == 51
    assert kinds[ELSEWHERE].times == 4950


def test_what_was_refused_is_recorded_with_its_place(record: Record) -> None:
    record.recorder.refused(
        flow("StatusNotification"), "TypeConstraintViolation", "connectorId: Input should be an integer"
    )
    kind, seen = record.one()

    assert kind == Kind("StatusNotification", MessageRole.CALL, "refused", "connectorId")
    assert (seen.example, seen.taken_as) == (
        "connectorId: Input should be an integer",
        "CALLERROR TypeConstraintViolation",
    )


def test_our_own_failure_is_not_the_charger_s(record: Record) -> None:
    record.recorder.refused(flow("StatusNotification"), "InternalError", "the central system failed")

    assert record.kinds() == {}


def test_an_answer_of_no_use_is_recorded_and_silence_is_not(record: Record) -> None:
    finished = FinishedCommands(lambda _: None, record.recorder.answer_not_understood)
    finished(flow("Reset", direction=Direction.OUT), CallTimeout("no answer"))
    finished(flow("Reset", direction=Direction.OUT), InvalidAnswer("status: Field required"))

    assert record.one()[0] == Kind("Reset", MessageRole.ANSWER, "refused", "status")


def test_handshakes(record: Record) -> None:
    record.recorder.connection("accepted", "CP-1")
    record.recorder.connection("accepted_oddly", "CP-1")

    assert record.one()[0] == Kind("", MessageRole.OTHER, "odd_handshake", "")


@pytest.mark.parametrize(
    ("action", "location", "received"),
    [
        ("ChangeConfiguration", "value", f'"{SECRET}"'),
        ("GetConfiguration", "configurationKey[0].value", f'"{SECRET}"'),
        ("GetConfiguration", "configurationKey[0].hint", f'"{SECRET}"'),
        ("GetConfiguration", "configurationKey", json.dumps({"key": "SimPin", "value": SECRET})),
        ("GetConfiguration", "configurationKey[0].value", "123456"),
        ("DataTransfer", "data", json.dumps({"anything": SECRET})),
        ("DataTransfer", "data", f'"{SECRET}" and more'),
        ("BootNotification", "wifiPassword", f'"{SECRET}"'),
        ("BootNotification", "network.credentials.text", f'"{SECRET}"'),
        ("BootNotification", "w" * 60, f'"{SECRET}"'),
        ("BootNotification", "network", json.dumps({"ssid": "garage", "wifiPassword": SECRET})),
        ("BootNotification", "network", json.dumps({"wifiPassword": SECRET, "more": "x" * 500})[:300]),
        ("BootNotification", "network", f'{{"key":"AuthorizationKey","value":"{SECRET}"}}'),
        ("BootNotification", "network", f'{{"key":"AuthorizationKey","value":"{SECRET}'),
        ("FirmwareStatusNotification", "location", f'"ftp://user:{SECRET}@host/file"'),
        ("FirmwareStatusNotification", "location", f'"ftp://user:{SECRET}'),
        ("FirmwareStatusNotification", "info", f'"ftp:\\/\\/user:{SECRET}'),
        ("SecurityEventNotification", "techInfo", f'"password={SECRET}"'),
        ("SecurityEventNotification", "techInfo", f'"Authorization: Basic {SECRET}'),
    ],
)
def test_no_secret_is_recorded(record: Record, action: str, location: str, received: str) -> None:
    direction = Direction.OUT if action.endswith("Configuration") else Direction.IN
    record.recorder.tolerated(flow(action, Deviation("a_rule", location, received, received), direction=direction))
    _, seen = record.one()

    assert seen.example
    for secret in (SECRET, SECRET[:8], "123456"):
        assert secret not in seen.example + seen.taken_as


@pytest.mark.parametrize(
    ("value", "opaque", "shown"),
    [
        ("230.1", False, "230.1"),
        ('"wh"', False, '"wh"'),
        ('{"value":"1"}', False, '{"value":"1"}'),
        ('"04AABBCC', False, '"04AABBCC'),
        ("", False, ""),
        ('"false"', True, '"false"'),
        ("0", True, "0"),
        ("null", True, "null"),
        ('"300"', True, "a text of 3 characters"),
        ("1234", True, "a number of 4 characters"),
        ('{"a":1}', True, "an object"),
        ('["a"]', True, "a list"),
        ('"abcdefgh', True, "a text of 8 characters or more"),
    ],
)
def test_what_an_example_shows(value: str, shown: str, *, opaque: bool) -> None:
    assert masked_value(value, "anything", opaque=opaque) == shown


def test_the_value_of_a_secret_s_name_is_masked_whatever_it_is() -> None:
    for value in ("1", "null", '{"a":1}', '"x'):
        assert masked_value(value, "settings[].WifiPassword", opaque=False) == MASK


def test_id_tags_are_no_secrets() -> None:
    assert masked_value('"04AABBCCDD"', "idTag", opaque=False) == '"04AABBCCDD"'


@given(st.text(st.characters(exclude_categories=()), max_size=600), st.booleans())
@examples(times=1)
def test_whatever_a_charger_sends_can_be_stored(text: str, opaque: bool) -> None:
    for shown in (masked_value(text, "field", opaque=opaque), masked_text(text), field_of(text)):
        assert len(shown) <= TEXT_LIMIT
        shown.encode()
