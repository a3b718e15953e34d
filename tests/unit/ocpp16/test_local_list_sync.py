"""One call brings a charge point's local authorization list in line with the stored tags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from mcpp.csms.live import Exchange
from mcpp.domain import id_tags
from mcpp.domain.errors import Unknown
from mcpp.domain.id_tags import StoredTag
from mcpp.domain.local_list import ListTooLong
from mcpp.domain.security_profiles import SecurityProfile
from mcpp.ocpp16.local_list_sync import Ocpp16LocalListSync
from mcpp.ocppj.actions import Action, AnyAction, Req, Res, decode
from mcpp.ocppj.errors import ConnectionLost, NotConnected
from mcpp_generated.db.enums import IdTagStatus
from mcpp_generated.ocpp16.models import (
    GetLocalListVersionResponse,
    SendLocalListRequest,
    SendLocalListResponse,
    UpdateStatus,
    UpdateType,
)
from tests.unit.ocpp16.central import NOW, Central


class Charger:
    """The only charge point that is connected: keeps a list as OCPP 1.6 §5.15 has it."""

    def __init__(self) -> None:
        self.version = 0
        self.tags: dict[str, str] = {}
        self.requests: list[SendLocalListRequest] = []
        self.answers: list[UpdateStatus] = []
        """Given before it does anything with a request, one after the other."""
        self.interfering_versions: list[int] = []
        """Somebody else changes the list behind an accepted update."""
        self.is_cut = False

    def connected(self, identity: str) -> bool:
        return identity == "CP-1"

    def profile_of(self, identity: str) -> SecurityProfile | None:
        return SecurityProfile.NONE if self.connected(identity) else None

    def version_of(self, identity: str) -> str | None:
        return "1.6" if self.connected(identity) else None

    async def call(self, identity: str, action: Action[Req, Res], request: Req) -> Res:
        exchange = await self.send(identity, action, request, b"")
        assert isinstance(exchange.response, action.response)
        return exchange.response

    async def send(self, identity: str, action: AnyAction, request: BaseModel, payload: bytes) -> Exchange[BaseModel]:
        if identity != "CP-1":
            raise NotConnected(identity)
        response: BaseModel
        if action.name == "GetLocalListVersion":
            response = GetLocalListVersionResponse(list_version=self.version)
        else:
            response = SendLocalListResponse(status=self._update(decode(SendLocalListRequest, payload)))
        return Exchange(action.name, f"message-{len(self.requests)}", "c" * 32, response, 1.0)

    def _update(self, request: SendLocalListRequest) -> UpdateStatus:
        if self.is_cut:
            raise ConnectionLost("the connection ended")
        self.requests.append(request)
        if self.answers:
            return self.answers.pop(0)
        is_full = request.update_type is UpdateType.FULL
        if not is_full and request.list_version <= self.version:
            return UpdateStatus.VERSION_MISMATCH
        if is_full:
            self.tags = {}
        for entry in request.local_authorization_list or ():
            assert entry.id_tag_info is not None
            self.tags[entry.id_tag] = entry.id_tag_info.status.value
        self.version = self.interfering_versions.pop(0) if self.interfering_versions else request.list_version
        return UpdateStatus.ACCEPTED

    @property
    def sent(self) -> list[tuple[int, str, int]]:
        return [(r.list_version, r.update_type.value, len(r.local_authorization_list or ())) for r in self.requests]


@pytest.fixture
def charger() -> Charger:
    return Charger()


@pytest.fixture
def sync(central: Central, charger: Charger) -> Ocpp16LocalListSync:
    return Ocpp16LocalListSync(central.writer, charger, lambda: NOW)


async def store(central: Central, *tags: StoredTag) -> None:
    for tag in tags:
        await central.writer.submit(id_tags.put, tag)


async def limit(central: Central, key: str, value: int) -> None:
    keys = [{"key": key, "readonly": True, "value": str(value)}]
    await central.answered("GetConfiguration", {}, {"configurationKey": keys})


FIVE: Sequence[StoredTag] = [StoredTag(name) for name in "ABCDE"]


async def test_the_list_is_replaced_whatever_was_in_it(
    central: Central, charger: Charger, sync: Ocpp16LocalListSync
) -> None:
    charger.version, charger.tags = 41, {"GONE": "Accepted"}
    await store(
        central,
        StoredTag("GOOD"),
        StoredTag("BAD", IdTagStatus.BLOCKED),
        StoredTag("OLD", expiry_date=datetime(2026, 1, 1, tzinfo=UTC)),
    )
    exchange = await sync.sync("CP-1")

    assert charger.tags == {"BAD": "Blocked", "GOOD": "Accepted", "OLD": "Expired"}
    assert charger.version == 42
    assert (exchange.action, exchange.response) == (
        "SendLocalList",
        SendLocalListResponse(status=UpdateStatus.ACCEPTED),
    )


async def test_no_tags_clear_the_list(charger: Charger, sync: Ocpp16LocalListSync) -> None:
    charger.tags = {"GONE": "Accepted"}
    await sync.sync("CP-1")

    assert charger.tags == {}
    assert charger.requests[0].local_authorization_list == []
    assert charger.sent == [(1, "Full", 0)]


async def test_a_long_list_goes_in_parts(central: Central, charger: Charger, sync: Ocpp16LocalListSync) -> None:
    await store(central, *FIVE)
    await limit(central, "SendLocalListMaxLength", 2)
    await sync.sync("CP-1")

    assert charger.sent == [(1, "Full", 2), (2, "Differential", 2), (3, "Differential", 1)]
    assert list(charger.tags) == ["A", "B", "C", "D", "E"]


@pytest.mark.parametrize("refusal", [UpdateStatus.VERSION_MISMATCH, UpdateStatus.FAILED])
async def test_a_refused_part_is_answered_by_the_whole_list_once(
    central: Central, charger: Charger, sync: Ocpp16LocalListSync, refusal: UpdateStatus
) -> None:
    await store(central, *FIVE)
    await limit(central, "SendLocalListMaxLength", 3)
    charger.answers = [UpdateStatus.ACCEPTED, refusal]
    exchange = await sync.sync("CP-1")

    assert [kind for _, kind, _ in charger.sent] == ["Full", "Differential", "Full", "Differential"]
    assert list(charger.tags) == ["A", "B", "C", "D", "E"]
    assert exchange.response == SendLocalListResponse(status=UpdateStatus.ACCEPTED)


async def test_versions_are_taken_anew_where_somebody_else_changed_the_list(
    central: Central, charger: Charger, sync: Ocpp16LocalListSync
) -> None:
    await store(central, *FIVE)
    await limit(central, "SendLocalListMaxLength", 3)
    charger.interfering_versions = [100]
    await sync.sync("CP-1")

    assert charger.sent == [(1, "Full", 3), (2, "Differential", 2), (101, "Full", 3), (102, "Differential", 2)]
    assert charger.version == 102


@pytest.mark.parametrize(
    ("status", "attempts"),
    [(UpdateStatus.VERSION_MISMATCH, 2), (UpdateStatus.FAILED, 1), (UpdateStatus.NOT_SUPPORTED, 1)],
)
async def test_what_the_charge_point_keeps_saying_is_the_answer(
    charger: Charger, sync: Ocpp16LocalListSync, status: UpdateStatus, attempts: int
) -> None:
    charger.answers = [status] * 5
    exchange = await sync.sync("CP-1")

    assert len(charger.requests) == attempts
    assert exchange.response == SendLocalListResponse(status=status)


async def test_what_can_go_wrong_is_told(central: Central, charger: Charger, sync: Ocpp16LocalListSync) -> None:
    await central.register("CP-2")
    with pytest.raises(NotConnected):
        await sync.sync("CP-2")
    with pytest.raises(Unknown, match="CP-3"):
        await sync.sync("CP-3")
    charger.is_cut = True
    with pytest.raises(ConnectionLost):
        await sync.sync("CP-1")


async def test_a_list_that_is_too_long_is_not_sent(
    central: Central, charger: Charger, sync: Ocpp16LocalListSync
) -> None:
    charger.tags = {"KEPT": "Accepted"}
    await store(central, *FIVE)
    await limit(central, "LocalAuthListMaxLength", 4)
    with pytest.raises(ListTooLong):
        await sync.sync("CP-1")

    assert charger.requests == []
    assert charger.tags == {"KEPT": "Accepted"}
