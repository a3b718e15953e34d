"""Brings a charge point's local authorization list in line with the stored id tags (OCPP 1.6 §3.5.2, §5.15)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import BaseModel

from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.domain import local_list
from mcpp.domain.errors import Unknown
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

_LONGEST_ID_TAG: Final = 20
"""Characters of an IdToken (OCPP 1.6 §7.28)."""


class _Sent(NamedTuple):
    update: ListUpdate
    exchange: Exchange[BaseModel]
    status: UpdateStatus

    @property
    def must_begin_anew(self) -> bool:
        """Whether the charge point's list isn't what this update was meant for (OCPP 1.6 §5.15)."""
        is_part_refused = self.status is UpdateStatus.FAILED and not self.update.full
        return is_part_refused or self.status is UpdateStatus.VERSION_MISMATCH


class LocalListSync:
    """Sends the list: whole, and in parts where the charge point takes no more at once."""

    def __init__(self, writer: Writer[Queries], live: LiveChargePoints, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._live = live
        self._now = now

    async def sync(self, identity: str) -> Exchange[BaseModel]:
        """Send what the charge point's list lacks. Returns the last SendLocalList with its response.

        Whatever the charge point holds is replaced. A part that doesn't fit its version is answered by one attempt
        from the beginning, as §5.15 asks. Raises Unknown, ListTooLong, WriteFailed and what LiveChargePoints raises.
        """
        charge_point = await self._writer.submit(lambda q: q.get_credentials(identity=identity))
        if charge_point is None:
            raise Unknown(f"no charge point has the identity {identity!r}")
        sent = await self._attempt(charge_point.key, identity)
        if sent.must_begin_anew:
            sent = await self._attempt(charge_point.key, identity)
        return sent.exchange

    async def _attempt(self, key: int, identity: str) -> _Sent:
        """Send update after update while they are accepted. Returns the last one sent."""
        current = await self._live.call(identity, actions.GET_LOCAL_LIST_VERSION, GetLocalListVersionRequest())
        first, *others = await self._writer.submit(
            local_list.plan_updates,
            key,
            self._now(),
            current_version=current.list_version,
            longest_id_tag=_LONGEST_ID_TAG,
        )
        sent = await self._send(identity, first)
        for update in others:
            if sent.status is not UpdateStatus.ACCEPTED:
                break
            sent = await self._send(identity, update)
        return sent

    async def _send(self, identity: str, update: ListUpdate) -> _Sent:
        action = actions.SEND_LOCAL_LIST
        request = _request(update)
        payload = action.encode_request(request)
        exchange = await self._live.send(identity, action, request, payload)
        assert isinstance(exchange.response, SendLocalListResponse)
        return _Sent(update, exchange, exchange.response.status)


def _request(update: ListUpdate) -> SendLocalListRequest:
    return SendLocalListRequest(
        list_version=update.version,
        update_type=UpdateType.FULL if update.full else UpdateType.DIFFERENTIAL,
        local_authorization_list=[
            AuthorizationData(id_tag=entry.id_tag, id_tag_info=id_tag_info(entry.authorization))
            for entry in update.entries
        ],
    )


def local_list_sync(
    writer: Writer[Queries], live: LiveChargePoints, now: Callable[[], datetime]
) -> Callable[[str], Awaitable[Exchange[BaseModel]]]:
    """The synchronization of one server's charge points, by identity."""
    return LocalListSync(writer, live, now).sync
