"""The local authorization list as OCPP 1.6 has it (§3.5.2, §5.10, §5.15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from mcpp.csms.live import LiveChargePoints
from mcpp.csms.local_lists import LocalListSync, Sent, UpdateOutcome
from mcpp.csms.version import SyncLocalList
from mcpp.domain.local_list import ListUpdate
from mcpp.ocpp16.core import id_tag_info
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp16 import actions
from mcpp_generated.ocpp16.models import (
    AuthorizationData,
    GetLocalListVersionRequest,
    SendLocalListRequest,
    SendLocalListResponse,
    UpdateStatus,
    UpdateType,
)

_OUTCOMES: Final = {
    UpdateStatus.ACCEPTED: UpdateOutcome.ACCEPTED,
    UpdateStatus.FAILED: UpdateOutcome.FAILED,
    UpdateStatus.VERSION_MISMATCH: UpdateOutcome.VERSION_MISMATCH,
    UpdateStatus.NOT_SUPPORTED: UpdateOutcome.NOT_SUPPORTED,
}


class Ocpp16LocalListSync(LocalListSync):
    """By GetLocalListVersion and SendLocalList."""

    longest_id_tag = 20  # of an IdToken (§7.28)

    def __init__(self, writer: Writer[Queries], live: LiveChargePoints, now: Callable[[], datetime]) -> None:
        super().__init__(writer, now)
        self._live = live

    async def _version(self, identity: str) -> int:
        current = await self._live.call(identity, actions.GET_LOCAL_LIST_VERSION, GetLocalListVersionRequest())
        return current.list_version

    async def _send(self, identity: str, update: ListUpdate) -> Sent:
        action = actions.SEND_LOCAL_LIST
        request = _request(update)
        exchange = await self._live.send(identity, action, request, action.encode_request(request))
        assert isinstance(exchange.response, SendLocalListResponse)
        return Sent(exchange, _OUTCOMES[exchange.response.status])


def _request(update: ListUpdate) -> SendLocalListRequest:
    return SendLocalListRequest(
        list_version=update.version,
        update_type=UpdateType.FULL if update.full else UpdateType.DIFFERENTIAL,
        local_authorization_list=[
            AuthorizationData(id_tag=entry.id_tag, id_tag_info=id_tag_info(entry.authorization))
            for entry in update.entries
        ],
    )


def local_list_sync(writer: Writer[Queries], live: LiveChargePoints, now: Callable[[], datetime]) -> SyncLocalList:
    """The synchronization of one server's charge points, by identity."""
    return Ocpp16LocalListSync(writer, live, now).sync
