"""What a site's own logic wants of a charge point, in no version's words; a version folder translates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


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

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str) -> bool:
        """Ask it to start a transaction; whether it accepts. The StartTransaction comes later, or doesn't."""
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

    async def limit_current(self, charge_point_id: str, connector_id: int, amperes: Decimal | None) -> bool:
        """Let a connector draw no more than this per phase, in its transactions to come and the one that runs.

        None lifts the limit. Whether it accepts.
        """
        ...
