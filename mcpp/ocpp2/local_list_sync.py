"""Brings a charge point's local authorization list in line with the stored id tags (OCPP 2.0.1 part 2, block D)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from pydantic import BaseModel

from mcpp.csms.answers import AnyMeaning, Meaning, means
from mcpp.csms.live import Exchange
from mcpp.csms.version import SyncLocalList
from mcpp.domain import local_list
from mcpp.domain.errors import Unknown
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


class _Sent(NamedTuple):
    update: ListUpdate
    exchange: Exchange[BaseModel]
    status: SendLocalListStatusEnumType

    @property
    def must_begin_anew(self) -> bool:
        """Whether the charge point's list isn't what this update was meant for (D01)."""
        is_part_refused = self.status is SendLocalListStatusEnumType.FAILED and not self.update.full
        return is_part_refused or self.status is SendLocalListStatusEnumType.VERSION_MISMATCH


class LocalListSync:
    """Sends the list: whole, and in parts where the charge point takes no more at once."""

    def __init__(self, writer: Writer[Queries], calls: Calls, now: Callable[[], datetime], longest_token: int) -> None:
        """`longest_token`: characters of an idToken in the charge points' version."""
        self._writer = writer
        self._calls = calls
        self._now = now
        self._longest_token = longest_token

    async def sync(self, identity: str) -> Exchange[BaseModel]:
        """Send what the charge point's list lacks. Returns the last SendLocalList with its response.

        Whatever the charge point holds is replaced. A part that doesn't fit its version is answered by one attempt
        from the beginning. Raises Unknown, ListTooLong, WriteFailed and what LiveChargePoints raises.
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
        current = await self._calls.call(identity, actions.GET_LOCAL_LIST_VERSION, GetLocalListVersionRequest())
        first, *others = await self._writer.submit(
            local_list.plan_updates,
            key,
            self._now(),
            current_version=current.version_number,
            longest_id_tag=self._longest_token,
        )
        sent = await self._send(identity, first)
        for update in others:
            if sent.status is not SendLocalListStatusEnumType.ACCEPTED:
                break
            sent = await self._send(identity, update)
        return sent

    async def _send(self, identity: str, update: ListUpdate) -> _Sent:
        exchange, response = await self._calls.send(identity, actions.SEND_LOCAL_LIST, _request(update))
        return _Sent(update, exchange, response.status)


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
    return LocalListSync(writer, calls, now, longest_token).sync
