"""What plugins want, as it stands on the wire of OCPP 1.6."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from pydantic import BaseModel, JsonValue

from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.csms.operations import ChangeOutcome, Operations, TransactionIds
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.ocpp16.operations import Ocpp16Operations
from mcpp.ocppj.actions import Action, AnyAction, Req, Res, decode
from mcpp.ocppj.errors import CallRefused, InvalidPayload, NotConnected

Sent = tuple[str, dict[str, JsonValue]]


class Wire:
    """A connected CP-1 that answers as it's told, in the order of the answers."""

    def __init__(self, *answers: str | Exception, transaction_id: int | None = None) -> None:
        self.answers = list(answers)
        self.sent: list[Sent] = []
        self.transaction_id = transaction_id

    def connected(self, identity: str) -> bool:
        return identity == "CP-1"

    def profile_of(self, identity: str) -> SecurityProfile | None:
        return SecurityProfile.NONE if self.connected(identity) else None

    def version_of(self, identity: str) -> str | None:
        return "1.6" if self.connected(identity) else None

    async def call(
        self, identity: str, action: Action[Req, Res], request: Req, *, correlation_id: str | None = None
    ) -> Res:
        if not self.connected(identity):
            raise NotConnected(identity)
        payload = action.encode_request(request)
        self.sent.append((action.name, _members(payload)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return decode(action.response, answer.encode())

    async def send(
        self, identity: str, action: AnyAction, request: BaseModel, payload: bytes, *, correlation_id: str | None = None
    ) -> Exchange[BaseModel]:
        raise NotImplementedError

    async def running_transaction(self, charge_point_id: str, connector_id: int, evse_id: int) -> TransactionIds | None:
        assert (charge_point_id, connector_id, evse_id) == ("CP-1", 2, 0)
        self.sent.append(("the books", {}))
        return None if self.transaction_id is None else TransactionIds(self.transaction_id, None)

    def operations(self) -> Operations:
        live: LiveChargePoints = self
        return Ocpp16Operations(live, self.running_transaction)


class _Members(BaseModel, extra="allow"):
    """Any JSON object."""


def _members(payload: bytes) -> dict[str, JsonValue]:
    return dict(_Members.model_validate_json(payload).model_extra or {})


def status(word: str) -> str:
    return f'{{"status":"{word}"}}'


def profile(number: int, purpose: str, limit: float, **others: JsonValue) -> dict[str, JsonValue]:
    return {
        "chargingProfileId": number,
        **others,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        },
    }


@pytest.mark.parametrize(("word", "accepted"), [("Accepted", True), ("Rejected", False)])
async def test_remote_start_and_stop(word: str, accepted: bool) -> None:
    wire = Wire(status(word), status(word))

    assert await wire.operations().remote_start("CP-1", 2, "TAG") is accepted
    assert await wire.operations().remote_stop("CP-1", 77) is accepted
    assert wire.sent == [
        ("RemoteStartTransaction", {"connectorId": 2, "idTag": "TAG"}),
        ("RemoteStopTransaction", {"transactionId": 77}),
    ]


async def test_get_configuration_gives_the_keys_as_they_were_asked_for() -> None:
    wire = Wire(
        '{"configurationKey":[{"key":"meterValueSampleInterval","readonly":false,"value":"60"},'
        '{"key":"Secret","readonly":true}],"unknownKey":["Fancy"]}',
        '{"configurationKey":[{"key":"Any","readonly":false,"value":""}]}',
        "{}",
    )
    operations = wire.operations()

    asked = await operations.get_configuration("CP-1", ["MeterValueSampleInterval", "Secret", "Fancy"])
    assert asked == {"MeterValueSampleInterval": "60", "Secret": None}
    assert await operations.get_configuration("CP-1") == {"Any": ""}
    assert await operations.get_configuration("CP-1") == {}
    assert wire.sent[:2] == [
        ("GetConfiguration", {"key": ["MeterValueSampleInterval", "Secret", "Fancy"]}),
        ("GetConfiguration", {}),
    ]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("Accepted", ChangeOutcome.ACCEPTED),
        ("RebootRequired", ChangeOutcome.REBOOT_REQUIRED),
        ("Rejected", ChangeOutcome.REJECTED),
        ("NotSupported", ChangeOutcome.NOT_SUPPORTED),
    ],
)
async def test_change_configuration(word: str, outcome: ChangeOutcome) -> None:
    wire = Wire(status(word))

    assert await wire.operations().change_configuration("CP-1", "Key", "1") is outcome
    assert wire.sent == [("ChangeConfiguration", {"key": "Key", "value": "1"})]


@pytest.mark.parametrize(("amperes", "limit"), [("16", 16.0), ("6.59", 6.5), ("0", 0.0), ("0.05", 0.0)])
async def test_a_limit_without_a_transaction_is_a_default_in_whole_tenths(amperes: str, limit: float) -> None:
    wire = Wire(status("Accepted"))

    assert await wire.operations().limit_current("CP-1", 2, Decimal(amperes))
    assert wire.sent[0] == (
        "SetChargingProfile",
        {"connectorId": 2, "csChargingProfiles": profile(16_000_004, "TxDefaultProfile", limit)},
    )
    assert len(wire.sent) == 2


@pytest.mark.parametrize(
    ("default", "running", "accepted"),
    [
        ("Accepted", "Accepted", True),
        ("Accepted", "Rejected", False),
        ("NotSupported", "Accepted", False),
    ],
)
async def test_a_limit_holds_for_the_running_transaction_too(default: str, running: str, accepted: bool) -> None:
    wire = Wire(status(default), status(running), transaction_id=77)

    assert await wire.operations().limit_current("CP-1", 2, Decimal("10.5")) is accepted
    # The books are asked in between: a transaction that begins meanwhile is under one or the other.
    assert wire.sent == [
        (
            "SetChargingProfile",
            {"connectorId": 2, "csChargingProfiles": profile(16_000_004, "TxDefaultProfile", 10.5)},
        ),
        ("the books", {}),
        (
            "SetChargingProfile",
            {"connectorId": 2, "csChargingProfiles": profile(16_000_005, "TxProfile", 10.5, transactionId=77)},
        ),
    ]


@pytest.mark.parametrize("word", ["Accepted", "Unknown"])
async def test_lifting_a_limit_clears_both_profiles(word: str) -> None:
    wire = Wire(status(word), status(word))

    assert await wire.operations().limit_current("CP-1", 2, None)
    assert wire.sent == [
        ("ClearChargingProfile", {"id": 16_000_004}),
        ("ClearChargingProfile", {"id": 16_000_005}),
    ]


async def test_each_connector_has_profiles_of_its_own() -> None:
    """OCPP 1.6 §3.13.2: a profile with a known id replaces that one, on whichever connector it is."""
    wire = Wire(*[status("Accepted")] * 8)
    operations = wire.operations()
    for connector_id in range(4):
        await operations.limit_current("CP-1", connector_id, None)

    assert len({str(payload) for _, payload in wire.sent}) == 8


VERBS: list[Callable[[Operations, str], Awaitable[object]]] = [
    lambda operations, identity: operations.remote_start(identity, 1, "TAG"),
    lambda operations, identity: operations.remote_stop(identity, 1),
    lambda operations, identity: operations.get_configuration(identity),
    lambda operations, identity: operations.change_configuration(identity, "Key", "1"),
    lambda operations, identity: operations.limit_current(identity, 2, Decimal(6)),
    lambda operations, identity: operations.limit_current(identity, 2, None),
]


@pytest.mark.parametrize("verb", VERBS)
async def test_what_went_wrong_is_raised(verb: Callable[[Operations, str], Awaitable[object]]) -> None:
    wire = Wire(CallRefused("NotSupported", "no such profile", {}))

    with pytest.raises(CallRefused):
        await verb(wire.operations(), "CP-1")
    with pytest.raises(NotConnected):
        await verb(wire.operations(), "CP-2")
    assert len(wire.sent) == 1


async def test_what_the_contract_forbids_is_not_sent() -> None:
    wire = Wire()

    with pytest.raises(InvalidPayload, match="20 characters"):
        await wire.operations().remote_start("CP-1", 1, "T" * 21)
    with pytest.raises(InvalidPayload, match="500 characters"):
        await wire.operations().change_configuration("CP-1", "Key", "1" * 501)
    with pytest.raises(InvalidPayload, match="50 characters"):
        await wire.operations().get_configuration("CP-1", ["K" * 51])
    assert wire.sent == []
