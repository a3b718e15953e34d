"""What the server does by the clock rather than by a message."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from mcpp.domain import recovery, reservations
from mcpp.domain.cards import CardBook, write_cards
from mcpp.domain.conformance import AT_ONCE, ConformanceBook, write_departures
from mcpp.domain.events import Event
from mcpp.domain.retention import Place, thin_samples
from mcpp.domain.stamps import StampBook, write_stamps
from mcpp.ocppj.flow import new_correlation_id
from mcpp.storage.writer import WriteFailed, Writer
from mcpp_generated.db.queries import Queries

STAMP_INTERVAL = 1.0
"""Seconds between two writings of stamps: what a crash may cost of them."""

CONFORMANCE_INTERVAL = 5.0
"""Seconds between two writings of the conformance record: what a crash may cost of it."""

EXPIRY_INTERVAL = 5.0
"""Seconds between two looks at the reservations: how late an expiry may be published."""

RECOVERY_INTERVAL = 2.0
"""Seconds between two looks at the transactions that are suspected to be over."""

CERTIFICATE_INTERVAL = 10.0
"""Seconds between two looks at the files of TLS: how late a renewed certificate may serve."""


RETENTION_INTERVAL = 3600.0
"""Seconds between two looks for samples that aren't kept any longer."""

RETENTION_PAUSE = 0.05
"""Seconds between two portions of them: most of the disk's time is the chargers'."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Chore(ABC):
    """Something to do again and again, on the event loop."""

    def __init__(self, interval: float) -> None:
        """`interval` is in seconds."""
        self._interval = interval
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End; what is under way is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    @abstractmethod
    async def work(self) -> None:
        """Do what there is to do now."""

    async def _run(self) -> None:
        while True:
            await self.work()
            await asyncio.sleep(self._interval)


class StampKeeper(_Chore):
    """Writes the gathered stamps every second, and what is left at the end."""

    def __init__(self, writer: Writer[Queries], book: StampBook, interval: float = STAMP_INTERVAL) -> None:
        super().__init__(interval)
        self._writer = writer
        self._book = book

    async def stop(self) -> None:
        """Write what is left and end."""
        await super().stop()
        await self.work()

    async def work(self) -> None:
        """Write what waits now; what the database refuses waits on."""
        stamps = self._book.take()
        if not stamps:
            return
        try:
            # Shielded: a unit once submitted is stored, so a cancelled wait must not put its stamps back.
            await asyncio.shield(self._writer.submit(write_stamps, stamps))
        except WriteFailed:
            self._book.put_back(stamps)


class CardKeeper(_Chore):
    """Writes which cards were unknown or refused, every second, and what is left at the end."""

    def __init__(
        self,
        writer: Writer[Queries],
        book: CardBook,
        now: Callable[[], datetime] = _utc_now,
        interval: float = STAMP_INTERVAL,
    ) -> None:
        super().__init__(interval)
        self._writer = writer
        self._book = book
        self._now = now

    async def stop(self) -> None:
        """Write what is left and end."""
        await super().stop()
        await self.work()

    async def work(self) -> None:
        """Write what waits now; what the database refuses waits on."""
        cards = self._book.take()
        if not cards:
            return
        try:
            # Shielded as stamps are; nothing of this is remembered, so nothing need be forgotten.
            await asyncio.shield(self._writer.submit_keeping(write_cards, cards, self._now()))
        except WriteFailed:
            self._book.put_back(cards)


class ConformanceKeeper(_Chore):
    """Writes the gathered departures from the contract every few seconds, and what is left at the end."""

    def __init__(self, writer: Writer[Queries], book: ConformanceBook, interval: float = CONFORMANCE_INTERVAL) -> None:
        super().__init__(interval)
        self._writer = writer
        self._book = book

    async def stop(self) -> None:
        """Write what is left and end."""
        await super().stop()
        await self.work()

    async def work(self) -> None:
        """Write what waits now; what the database refuses waits on."""
        left = self._book.take()
        try:
            while left:
                portion, left = left[:AT_ONCE], left[AT_ONCE:]
                try:
                    # Shielded: a unit once submitted is stored, so a cancelled wait must not put it back.
                    await asyncio.shield(self._writer.submit_keeping(write_departures, portion))
                except WriteFailed:
                    left = portion + left
                    return
        finally:
            if left:
                self._book.put_back(left)


class ReservationKeeper(_Chore):
    """Lets reservations expire: at the start those whose time ran out meanwhile, then every few seconds."""

    def __init__(
        self,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        now: Callable[[], datetime] = _utc_now,
        interval: float = EXPIRY_INTERVAL,
    ) -> None:
        super().__init__(interval)
        self._writer = writer
        self._publish = publish
        self._now = now

    async def work(self) -> None:
        """Store and publish what has expired by now; what the database refuses is overdue the next time too."""
        with suppress(WriteFailed):
            outcome = await self._writer.submit(reservations.expire, self._now(), new_correlation_id)
            self._publish(outcome.events)


class RecoveryKeeper(_Chore):
    """Closes the transactions that their chargers left open, once the grace period is over."""

    def __init__(
        self,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        connected_since: Callable[[], Mapping[int, datetime]],
        grace: timedelta,
        now: Callable[[], datetime] = _utc_now,
        interval: float = RECOVERY_INTERVAL,
    ) -> None:
        """`connected_since` returns since when each connected charge point is connected, by its key."""
        super().__init__(interval)
        self._writer = writer
        self._publish = publish
        self._connected_since = connected_since
        self._grace = grace
        self._now = now

    async def work(self) -> None:
        """Close what is due by now and publish it; what the database refuses is due the next time too."""
        with suppress(WriteFailed):
            outcome = await self._writer.submit(
                recovery.close_orphans, self._now(), self._grace, self._connected_since(), new_correlation_id
            )
            self._publish(outcome.events)


class CertificateKeeper(_Chore):
    """Has the files of TLS looked at."""

    def __init__(self, look: Callable[[], None], interval: float = CERTIFICATE_INTERVAL) -> None:
        super().__init__(interval)
        self._look = look

    async def work(self) -> None:
        """Look now: a few stats, and milliseconds where something has changed."""
        self._look()


class RetentionKeeper(_Chore):
    """Deletes the samples that aren't kept any longer, in portions."""

    def __init__(
        self,
        writer: Writer[Queries],
        keeps: timedelta,
        now: Callable[[], datetime] = _utc_now,
        interval: float = RETENTION_INTERVAL,
        pause: float = RETENTION_PAUSE,
    ) -> None:
        """`pause` is in seconds, between two portions."""
        super().__init__(interval)
        self._writer = writer
        self._keeps = keeps
        self._now = now
        self._pause = pause

    async def work(self) -> None:
        """Delete what is due by now; what the database refuses is due the next time too."""
        place: Place | None = Place()
        before = self._now() - self._keeps
        with suppress(WriteFailed):
            while place is not None:
                # Nothing of this is remembered, so nothing need be forgotten.
                place = await self._writer.submit_keeping(thin_samples, before, place)
                await asyncio.sleep(self._pause)
