"""The local authorization list as OCPP 2.0.1 and 2.1 have it (part 2, block D)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.local_lists import LocalListSync, Sent, UpdateOutcome
from mcpp.csms.version import SyncLocalList
from mcpp.domain import local_list
from mcpp.domain.local_list import ListUpdate
from mcpp.ocpp2.tokens import info_of, token_of
from mcpp.ocpp2.widening import Calls
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp21 import actions
from mcpp_generated.ocpp21.models import (
    AuthorizationData,
    GetLocalListVersionRequest,
    GetLocalListVersionResponse,
    SendLocalListRequest,
    SendLocalListResponse,
    SendLocalListStatusEnumType,
    UpdateEnumType,
)

_OUTCOMES: Final = {
    SendLocalListStatusEnumType.ACCEPTED: UpdateOutcome.ACCEPTED,
    SendLocalListStatusEnumType.FAILED: UpdateOutcome.FAILED,
    SendLocalListStatusEnumType.VERSION_MISMATCH: UpdateOutcome.VERSION_MISMATCH,
}


class Ocpp2LocalListSync(LocalListSync):
    """By GetLocalListVersion (D02) and SendLocalList (D01)."""

    def __init__(self, writer: Writer[Queries], calls: Calls, now: Callable[[], datetime], longest_token: int) -> None:
        """`longest_token`: characters of an idToken in the charge points' version."""
        super().__init__(writer, now)
        self.longest_id_tag = longest_token
        self._calls = calls

    async def _version(self, identity: str) -> int:
        current = await self._calls.call(identity, actions.GET_LOCAL_LIST_VERSION, GetLocalListVersionRequest())
        return current.version_number

    async def _send(self, identity: str, update: ListUpdate) -> Sent:
        exchange, response = await self._calls.send(identity, actions.SEND_LOCAL_LIST, _request(update))
        return Sent(exchange, _OUTCOMES[response.status])


def _request(update: ListUpdate) -> SendLocalListRequest:
    entries = [
        AuthorizationData(id_token=token_of(entry.id_tag, entry.token_type), id_token_info=info_of(entry.authorization))
        for entry in update.entries
    ]
    return SendLocalListRequest(
        version_number=update.version,
        update_type=UpdateEnumType.FULL if update.full else UpdateEnumType.DIFFERENTIAL,
        # A list without entries is none by the contract; left out, it clears the charge point's (D01.FR.04).
        local_authorization_list=entries or None,
    )


def _get_local_list_version(_: GetLocalListVersionRequest, response: GetLocalListVersionResponse) -> Meaning:
    """D02."""
    return Meaning(partial(local_list.note_version, version=response.version_number))


def _send_local_list(request: SendLocalListRequest, response: SendLocalListResponse) -> Meaning | None:
    """D01."""
    if response.status is not SendLocalListStatusEnumType.ACCEPTED:
        return None
    return Meaning(partial(local_list.note_version, version=request.version_number))


ANSWERS: Final[dict[str, AnyMeaning]] = dict(
    (
        means(actions.GET_LOCAL_LIST_VERSION, _get_local_list_version),
        means(actions.SEND_LOCAL_LIST, _send_local_list),
    )
)


def local_list_sync(
    writer: Writer[Queries], calls: Calls, now: Callable[[], datetime], longest_token: int
) -> SyncLocalList:
    """The synchronization of one server's charge points, by identity."""
    return Ocpp2LocalListSync(writer, calls, now, longest_token).sync
