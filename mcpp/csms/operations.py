"""What a site's own logic asks of a charge point, in no version's words; a version's room translates it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from mcpp.csms.live import LiveChargePoints
from mcpp.domain.memory import NO_EVSE
from mcpp.domain.remote_starts import PreparedStart
from mcpp.ocppj.errors import NotConnected


class TransactionIds(NamedTuple):
    """A transaction by both ids that it may have."""

    transaction_id: int
    """Ours."""
    ocpp_transaction_id: str | None
    """Its charge point's; None where ours is the only one (OCPP 1.6)."""


RunningTransaction: TypeAlias = Callable[[str, int, int], Awaitable[TransactionIds | None]]
"""Returns the ids of the transaction that runs on a connector of a charge point, by connector_id and evse_id.

Connector 0 of an EVSE is any of its.
"""


PrepareStart: TypeAlias = Callable[[str], Awaitable[PreparedStart]]
"""Prepares a remote start for an id tag; raises WriteFailed."""


class Transactions(Protocol):
    """What operations ask of what is stored: transactions, and keys of configuration."""

    async def running_transaction(
        self, charge_point_id: str, connector_id: int, evse_id: int = NO_EVSE
    ) -> TransactionIds | None:
        """As RunningTransaction."""
        ...

    async def ids_of(self, transaction_id: int) -> TransactionIds | None:
        """Both ids of a transaction, by ours; None where there is no such transaction."""
        ...

    async def known_keys(self, charge_point_id: str) -> Sequence[str]:
        """The keys of the variables that a charge point has told of (mcpp.domain.variables)."""
        ...


class ChangeOutcome(StrEnum):
    """How a charge point took a change of its configuration (OCPP 1.6 §7.22)."""

    ACCEPTED = "accepted"
    REBOOT_REQUIRED = "reboot_required"
    REJECTED = "rejected"
    NOT_SUPPORTED = "not_supported"


class Operations(Protocol):
    """Typed commands to charge points, by identity.

    Each waits for its turn in the charge point's queue and for the answer. All raise NotConnected, QueueFull,
    CallRefused, CallTimeout, ConnectionLost or InvalidAnswer (mcpp.ocppj.errors).
    """

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = NO_EVSE) -> bool:
        """Ask it to start a transaction; whether it accepts. The transaction begins later, or doesn't."""
        ...

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        """Ask it to stop a transaction; whether it accepts."""
        ...

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        """The values of these configuration keys, all where none is named; unknown ones are left out."""
        ...

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        """Set a configuration key."""
        ...

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = NO_EVSE
    ) -> bool:
        """Let a connector draw no more than this per phase, in its transactions to come and the one that runs.

        None lifts the limit. Whether it accepts.
        """
        ...


class OperationsByVersion:
    """Implements `Operations` by those of the version that the charge point speaks."""

    def __init__(self, live: LiveChargePoints, by_version: Mapping[str, Operations]) -> None:
        self._live = live
        self._by_version = by_version

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = NO_EVSE) -> bool:
        """See Operations."""
        return await self._of(charge_point_id).remote_start(charge_point_id, connector_id, id_tag, evse_id)

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        """See Operations."""
        return await self._of(charge_point_id).remote_stop(charge_point_id, transaction_id)

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> Mapping[str, str | None]:
        """See Operations."""
        return await self._of(charge_point_id).get_configuration(charge_point_id, keys)

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        """See Operations."""
        return await self._of(charge_point_id).change_configuration(charge_point_id, key, value)

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = NO_EVSE
    ) -> bool:
        """See Operations."""
        return await self._of(charge_point_id).limit_current(charge_point_id, connector_id, amperes, evse_id)

    def _of(self, charge_point_id: str) -> Operations:
        version = self._live.version_of(charge_point_id)
        if version is None:
            raise NotConnected(charge_point_id)
        return self._by_version[version]
