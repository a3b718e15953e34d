"""What the server does by the clock rather than by a message."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeAlias

from mcpp.api.credentials import CredentialStore
from mcpp.domain import inquiries, recovery, reservations
from mcpp.domain.cards import CardBook, write_cards
from mcpp.domain.conformance import AT_ONCE, ConformanceBook, write_departures
from mcpp.domain.events import Event
from mcpp.domain.inquiries import Inquiry, TransactionAnswer
from mcpp.domain.retention import Place, thin_samples
from mcpp.domain.stamps import StampBook, write_stamps
from mcpp.ocppj.flow import new_correlation_id
from mcpp.server.chore import Chore
from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer
from mcpp_generated.db.queries import Queries

STAMP_INTERVAL = 1.0
"""Seconds between two writings of stamps: what a crash may cost of them."""

MEMORY_INTERVAL = 30.0
"""Seconds; what one charge point can have filled by then is a few MiB."""

CREDENTIALS_INTERVAL = 1.0
"""Seconds between two looks at the tokens: how late one counts, or doesn't, that a command has made or revoked."""

CONFORMANCE_INTERVAL = 5.0
"""Seconds between two writings of the conformance record: what a crash may cost of it."""

EXPIRY_INTERVAL = 5.0
"""Seconds between two looks at the reservations: how late an expiry may be published."""

RECOVERY_INTERVAL = 2.0
"""Seconds between two looks at the transactions that are suspected to be over."""

TLS_FILES_INTERVAL = 10.0
"""Seconds between two looks at the files of TLS: how late a renewed certificate may serve."""


RETENTION_INTERVAL = 3600.0
"""Seconds between two looks for samples that aren't kept any longer."""

RETENTION_PAUSE = 0.05
"""Seconds between two portions of them: most of the disk's time is the chargers'."""


class StampKeeper(Chore):
    """Writes the gathered stamps every second, and what is left at the end."""

    def __init__(self, writer: Writer[Queries], book: StampBook, interval: float = STAMP_INTERVAL) -> None:
        super().__init__(interval)
        self._writer = writer
        self._book = book

    async def finish(self) -> None:
        """Write what is left."""
        await self.work()

    async def work(self) -> None:
        """Write what waits now; what the database refuses waits on."""
        stamps = self._book.all_waiting()
        if not stamps:
            return
        with suppress(WriteFailed):
            await self._writer.submit_keeping(write_stamps, stamps)
            self._book.written(stamps)


class MemoryKeeper(Chore):
    """Has forgotten now and then what units of work remember of charge points, which bounds it."""

    def __init__(self, writer: Writer[Queries], interval: float = MEMORY_INTERVAL) -> None:
        super().__init__(interval)
        self._writer = writer

    async def work(self) -> None:
        """A unit that may have changed anything: all is forgotten behind it."""
        with suppress(WriteFailed):
            await self._writer.submit(_change_nothing)


def _change_nothing(_: Queries) -> None:
    """Might have changed anything."""


class CredentialKeeper(Chore):
    """Takes over the tokens that were made or revoked on the machine, and writes when they were used last."""

    def __init__(self, store: CredentialStore, interval: float = CREDENTIALS_INTERVAL) -> None:
        super().__init__(interval)
        self._store = store

    async def work(self) -> None:
        """Read the few tokens there are; write what is due."""
        await self._store.refresh()

    async def finish(self) -> None:
        """Write all uses that are left."""
        await self._store.finish()


class CardKeeper(Chore):
    """Writes which cards were unknown or refused, every second, and what is left at the end."""

    def __init__(
        self,
        writer: Writer[Queries],
        book: CardBook,
        now: Callable[[], datetime],
        interval: float = STAMP_INTERVAL,
    ) -> None:
        super().__init__(interval)
        self._writer = writer
        self._book = book
        self._now = now

    async def finish(self) -> None:
        """Write what is left."""
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


class ConformanceKeeper(Chore):
    """Writes the gathered departures from the contract every few seconds, and what is left at the end."""

    def __init__(self, writer: Writer[Queries], book: ConformanceBook, interval: float = CONFORMANCE_INTERVAL) -> None:
        super().__init__(interval)
        self._writer = writer
        self._book = book

    async def finish(self) -> None:
        """Write what is left."""
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


class ReservationKeeper(Chore):
    """Lets reservations expire: at the start those whose time ran out meanwhile, then every few seconds."""

    def __init__(
        self,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        now: Callable[[], datetime],
        interval: float = EXPIRY_INTERVAL,
    ) -> None:
        super().__init__(interval)
        self._writer = writer
        self._publish = publish
        self._now = now

    async def work(self) -> None:
        """Store and publish what has expired by now; what the database refuses is overdue the next time too."""
        with suppress(WriteFailed):
            # It changes nothing that is remembered.
            outcome = await self._writer.submit_keeping(reservations.expire, self._now(), new_correlation_id)
            self._publish(outcome.events)


AskAll: TypeAlias = Callable[[Sequence[Inquiry]], Awaitable[list[tuple[Inquiry, TransactionAnswer]]]]
"""Asks charge points about transactions; what wasn't answered is left out."""


class RecoveryKeeper(Chore):
    """Closes the transactions that their chargers left open, once the grace period is over."""

    def __init__(
        self,
        writer: Writer[Queries],
        publish: Callable[[Iterable[Event]], None],
        connected_since: Callable[[], Mapping[int, datetime]],
        grace: timedelta,
        now: Callable[[], datetime],
        jumps: Callable[[], int] = lambda: 0,
        ask: AskAll | None = None,
        interval: float = RECOVERY_INTERVAL,
    ) -> None:
        """`connected_since` returns since when each connected charge point is connected, by its key.

        `ask` asks charge points about transactions before those are closed, where their version has the question.
        `jumps` returns how often the clock has jumped: grace periods are as long as they should be, or begin anew.
        """
        super().__init__(interval)
        self._writer = writer
        self._publish = publish
        self._connected_since = connected_since
        self._grace = grace
        self._now = now
        self._jumps = jumps
        self._ask = ask
        self._jumps_seen: int | None = None
        """None at the start: what a process before this one wrote, it wrote by a clock that may have been another."""

    async def work(self) -> None:
        """Close what is due by now and publish it; what the database refuses is due the next time too."""
        with suppress(WriteFailed):
            jumps = self._jumps()
            if jumps != self._jumps_seen:
                await self._writer.submit(recovery.restart_grace_periods, self._now())
                self._jumps_seen = jumps
            due = self._now(), self._grace, self._connected_since()
            if await self._writer.submit_keeping(recovery.has_orphans, *due):
                outcome = await self._writer.submit(recovery.close_orphans, *due, new_correlation_id)
                self._publish(outcome.events)
            if self._ask is not None:
                await self._inquire(self._ask)

    async def _inquire(self, ask: AskAll) -> None:
        to_ask = await self._writer.submit_keeping(
            inquiries.transactions_to_ask, self._now(), self._grace, self._connected_since()
        )
        if not to_ask:
            return
        for inquiry, answer in await ask(to_ask):
            outcome = await self._writer.submit(
                inquiries.take_answer, self._now(), self._grace, inquiry, answer, new_correlation_id
            )
            self._publish(outcome.events)


class TlsFileKeeper(Chore):
    """Has the files of TLS looked at."""

    def __init__(self, look: Callable[[], None], interval: float = TLS_FILES_INTERVAL) -> None:
        super().__init__(interval)
        self._look = look

    async def work(self) -> None:
        """Look now: a few stats, and milliseconds where something has changed."""
        self._look()


class RetentionKeeper(Chore):
    """Deletes the samples that aren't kept any longer, in portions."""

    def __init__(
        self,
        writer: Writer[Queries],
        keeps: timedelta,
        now: Callable[[], datetime],
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
