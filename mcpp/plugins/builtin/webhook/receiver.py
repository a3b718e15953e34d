"""One URL that events are posted to: what waits for it, in order for each charge point, and how often it's tried."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from structlog.typing import FilteringBoundLogger

from mcpp.domain.events import Event
from mcpp.reads.event_json import event_json, event_name

_BYTE_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of bodies that wait for one URL: chargers decide how large an event is."""

_AT_ONCE: Final = 8
"""Deliveries to one URL at the same time, of different charge points."""

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 300.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way; its id stays the same in every try and for every URL."""

    id: str
    event: str
    charge_point_id: str
    correlation_id: str
    body: bytes

    @classmethod
    def of(cls, event: Event) -> Delivery:
        """An event with its secrets masked."""
        return cls(
            f"msg_{secrets.token_hex(16)}",
            event_name(type(event)),
            event.charge_point_id,
            event.correlation_id,
            event_json(event),
        )


class NotDelivered(Exception):
    """A try failed; says why."""


Attempt: TypeAlias = Callable[[Delivery, int], Awaitable[None]]
"""Tries once to deliver, or raises NotDelivered; takes the number of the try, from 1."""


def backoff(number: int) -> float:
    """Seconds to wait after that many failed tries: doubled each time, and spread over the second half of it."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (number - 1))
    spread = secrets.randbelow(1001) / 1000
    return longest * (1 + spread) / 2


class Receiver:
    """Delivers to one URL, each charge point's events one after the other, without ever holding up who puts them.

    What is put when the queue is full is dropped, and what failed `tries` times is given up; both are logged.
    """

    def __init__(
        self,
        attempt: Attempt,
        log: FilteringBoundLogger,
        *,
        tries: int,
        queue_limit: int,
        byte_limit: int = _BYTE_LIMIT,
        backoff: Callable[[int], float] = backoff,
    ) -> None:
        """`queue_limit` counts events, `byte_limit` their bodies' bytes. `log` names the receiver."""
        self._attempt = attempt
        self._log = log
        self._tries = tries
        self._queue_limit = queue_limit
        self._byte_limit = byte_limit
        self._backoff = backoff
        self._lanes: dict[str, deque[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._closing = asyncio.Event()
        self._waiting = 0
        self._waiting_bytes = 0
        self._dropped = 0
        """Since this was last logged."""
        self._abandoned = 0
        self._failing = False

    @property
    def waiting(self) -> int:
        """How many events are neither delivered nor given up."""
        return self._waiting

    def put(self, delivery: Delivery) -> None:
        """Deliver this soon."""
        if self._waiting >= self._queue_limit or self._waiting_bytes + len(delivery.body) > self._byte_limit:
            self._drop()
            return
        self._waiting += 1
        self._waiting_bytes += len(delivery.body)
        lane = self._lanes.get(delivery.charge_point_id)
        if lane is not None:
            lane.append(delivery)
            return
        lane = self._lanes[delivery.charge_point_id] = deque((delivery,))
        task = asyncio.get_running_loop().create_task(self._drain(delivery.charge_point_id, lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, patience: float) -> None:
        """Try all that waits for a last time, for so many seconds; what is left then is lost, and logged."""
        self._closing.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._log_lost(self._dropped, "the queue was full")
        self._log_lost(self._abandoned + self._waiting, "the server stops")

    async def _drain(self, charge_point_id: str, lane: deque[Delivery]) -> None:
        while lane:
            await self._deliver(lane[0])
            done = lane.popleft()
            self._waiting -= 1
            self._waiting_bytes -= len(done.body)
            self._log_dropped()
        del self._lanes[charge_point_id]

    async def _deliver(self, delivery: Delivery) -> None:
        number = 1
        while not await self._try(delivery, number):
            if self._closing.is_set():
                self._abandoned += 1
                return
            if number == self._tries:
                self._log.warning("webhook_given_up", category="error", tries=number, **_names(delivery))
                return
            await self._pause(self._backoff(number))
            number += 1

    async def _try(self, delivery: Delivery, number: int) -> bool:
        try:
            async with self._turns:
                await self._attempt(delivery, number)
        except NotDelivered as error:
            if not self._failing:
                self._log.warning("webhook_failing", category="error", error=str(error), **_names(delivery))
            self._failing = True
            return False
        if self._failing:
            self._log.info("webhook_delivers_again", category="system", waiting=self._waiting, **_names(delivery))
        self._failing = False
        return True

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    def _drop(self) -> None:
        if not self._dropped:
            self._log.warning("webhook_queue_full", category="error", waiting=self._waiting)
        self._dropped += 1

    def _log_dropped(self) -> None:
        """Log it once the queue has eased, not at each place that gets free."""
        eased = self._waiting <= self._queue_limit // 2 and self._waiting_bytes <= self._byte_limit // 2
        if eased:
            self._log_lost(self._dropped, "the queue was full")
            self._dropped = 0

    def _log_lost(self, count: int, error: str) -> None:
        if count:
            self._log.warning("webhook_events_lost", category="error", count=count, error=error)


def _names(delivery: Delivery) -> dict[str, str]:
    return {
        "delivery_id": delivery.id,
        "delivered_event": delivery.event,
        "charge_point_id": delivery.charge_point_id,
        "correlation_id": delivery.correlation_id,
    }
