"""A central system's side of OCPP 1.6 over a real database, without sockets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mcpp.csms.services import Services
from mcpp.csms.version import SpokenVersion
from mcpp.domain import charge_points
from mcpp.domain.authorization import AuthorizationPolicy
from mcpp.domain.events import Event
from mcpp.domain.memory import Memory
from mcpp.ocpp16.known import KNOWN as OCPP16
from mcpp.ocppj.actions import decode
from mcpp.ocppj.flow import Direction, Flow, Peer, new_correlation_id
from mcpp.ocppj.frames import Call
from mcpp.server.events import Events
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries
from mcpp_generated.ocpp16.actions import ACTIONS

NOW = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
SOON = "2026-04-01T10:30:00Z"


@dataclass
class RememberedOffer:
    """What became of a CALL that carries a password."""

    key: int
    password: str
    verdict: bool | None = None

    async def keep(self) -> None: ...

    def take_back(self) -> None: ...

    async def answered(self, *, accepted: bool) -> None:
        self.verdict = accepted


class Central:
    """The dialect, spoken to as the transport does, and the books behind it."""

    def __init__(self, writer: Writer[Queries], memory: Memory) -> None:
        self.writer = writer
        self.events: list[Event] = []
        self.offers: list[RememberedOffer] = []
        self.services = Services(
            writer,
            self.publish,
            Events().wanted,
            AuthorizationPolicy(),
            heartbeat_interval=300,
            memory=memory,
            now=lambda: NOW,
            offer_password=self._offer,
        )
        self.dialect = SpokenVersion(OCPP16, self.services)
        self.key = 0

    async def register(self, identity: str) -> int:
        connected = await self.writer.submit(charge_points.connect, identity, "1.6", NOW, register_unknown=True)
        assert isinstance(connected, charge_points.Connected)
        return connected.key

    def publish(self, events: Iterable[Event]) -> None:
        self.events.extend(events)

    def _offer(self, key: int, password: str) -> RememberedOffer:
        self.offers.append(RememberedOffer(key, password))
        return self.offers[-1]

    async def say(self, action: str, payload: Mapping[str, object]) -> Any:
        """One CALL of the charge point; gives the response's JSON."""
        flow = self._flow(Direction.IN, action)
        answer = self.dialect.handle(flow, Call("1", action, json.dumps(payload).encode()))
        response = answer if isinstance(answer, bytes) else await answer
        if flow.after_answer is not None:
            flow.after_answer()
        return json.loads(response)

    async def answered(self, name: str, request: Mapping[str, object], response: Mapping[str, object]) -> bool:
        """A CALL of ours was answered; whether the books learned of it."""
        action = ACTIONS[name]
        flow, asked = self._flow(Direction.OUT, name), decode(action.request, json.dumps(request).encode())
        offer = self.dialect.offer(flow.peer, asked)
        learning = self.dialect.answered(flow, asked, decode(action.response, json.dumps(response).encode()), offer)
        if learning is None:
            return False
        await learning
        return True

    def _flow(self, direction: Direction, action: str) -> Flow:
        return Flow(Peer(self.key, "CP-1"), direction, action, "1", new_correlation_id(), 0.0)
