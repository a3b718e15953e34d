"""The names of topics. An identity stands in them percent-encoded, since `+` and `#` mean something there."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from mcpp.domain.memory import NO_EVSE


class ChargingCommand(NamedTuple):
    """Begin or end charging at a connector."""

    charge_point_id: str
    connector_id: int
    evse_id: int = NO_EVSE


class LimitCommand(NamedTuple):
    """Limit the current at a connector."""

    charge_point_id: str
    connector_id: int
    evse_id: int = NO_EVSE


class Operation(NamedTuple):
    """Send an OCPP operation."""

    charge_point_id: str
    action: str
    answer_topic: str


class Topics:
    """All topics below one prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        connector = r"(?:evses/([0-9]{1,9})/)?connectors/([0-9]{1,9})"
        self._setting = re.compile(rf"{re.escape(prefix)}/charge_points/([^/]+)/{connector}/(charging|limit)/set")
        self._operation = re.compile(rf"({re.escape(prefix)}/charge_points/([^/]+))/commands/([^/]+)")

    @property
    def status(self) -> str:
        """`online` or `offline`: the server itself."""
        return f"{self._prefix}/status"

    @property
    def commands(self) -> tuple[str, ...]:
        """Filters of what is listened to."""
        return (
            f"{self._prefix}/charge_points/+/connectors/+/charging/set",
            f"{self._prefix}/charge_points/+/evses/+/connectors/+/charging/set",
            f"{self._prefix}/charge_points/+/connectors/+/limit/set",
            f"{self._prefix}/charge_points/+/evses/+/connectors/+/limit/set",
            f"{self._prefix}/charge_points/+/commands/+",
        )

    def charge_point(self, charge_point_id: str) -> str:
        """A charge point's state."""
        return f"{self._of(charge_point_id)}/state"

    def connector(self, charge_point_id: str, connector_id: int, evse_id: int = NO_EVSE) -> str:
        """A connector's state."""
        return f"{self._at(charge_point_id, connector_id, evse_id)}/state"

    def charging(self, charge_point_id: str, connector_id: int, evse_id: int = NO_EVSE) -> str:
        """Where `ON` and `OFF` begin and end charging."""
        return f"{self._at(charge_point_id, connector_id, evse_id)}/charging/set"

    def limit(self, charge_point_id: str, connector_id: int, evse_id: int = NO_EVSE) -> str:
        """Where a number of amperes limits the current."""
        return f"{self._at(charge_point_id, connector_id, evse_id)}/limit/set"

    def understand(self, topic: str) -> ChargingCommand | LimitCommand | Operation | None:
        """What a message on this topic wants."""
        if found := self._setting.fullmatch(topic):
            kind = ChargingCommand if found[4] == "charging" else LimitCommand
            return kind(unquote(found[1]), int(found[3]), int(found[2] or NO_EVSE))
        if found := self._operation.fullmatch(topic):
            return Operation(unquote(found[2]), found[3], f"{found[1]}/answers/{found[3]}")
        return None

    def _at(self, charge_point_id: str, connector_id: int, evse_id: int) -> str:
        evse = "" if evse_id == NO_EVSE else f"/evses/{evse_id}"
        return f"{self._of(charge_point_id)}{evse}/connectors/{connector_id}"

    def _of(self, charge_point_id: str) -> str:
        return f"{self._prefix}/charge_points/{quote(charge_point_id, safe='')}"
