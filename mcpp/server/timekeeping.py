"""Looks after the server's clock: compares it with the machine's, says what is wrong, and notes how far it got."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from mcpp.clock import TOLERANCE, Clock, ClockChange, ClockNews
from mcpp.domain.state_history import note_run
from mcpp.server.chore import Chore
from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer
from mcpp.telemetry.logs.pipeline import get_logger
from mcpp_generated.db.queries import Queries

CHECK_INTERVAL: Final = 1.0
"""Seconds between two looks at the machine's clock."""

NOTE_INTERVAL: Final = timedelta(seconds=10)
"""Between two notes in the database of what time it is."""


def begin_after(clock: Clock, noted: datetime | None) -> None:
    """Have the clock go on from what the database has noted, if there is a note."""
    if noted is None or (noted - clock.now()).total_seconds() <= TOLERANCE:
        return
    # Times may have been told up to the next note.
    change = clock.begin_after(noted + NOTE_INTERVAL)
    if change is not None:
        _say(clock, change)


class ClockKeeper(Chore):
    """Looks at the machine's clock every second."""

    def __init__(self, clock: Clock, writer: Writer[Queries], interval: float = CHECK_INTERVAL) -> None:
        super().__init__(interval)
        self._run_id: int | None = None
        self._began_at = clock.now()
        self._clock = clock
        self._writer = writer
        self._note_due = 0.0

    async def work(self) -> None:
        """Say what is new of the machine's clock, and note the time where that is due."""
        change = self._clock.check()
        if change is not None:
            _say(self._clock, change)
            self._note_due = 0.0
        if self._clock.monotonic() >= self._note_due:
            await self.finish()

    async def finish(self) -> None:
        """Note the time; what the database refuses is noted the next time."""
        with suppress(WriteFailed):
            self._run_id = await self._writer.submit_keeping(note_run, self._run_id, self._began_at, self._clock.now())
            self._note_due = self._clock.monotonic() + NOTE_INTERVAL.total_seconds()


def _say(clock: Clock, change: ClockChange) -> None:
    log = get_logger()
    seconds = round(change.behind, 3)
    match change.news:
        case ClockNews.WRONG:
            log.warning("clock_wrong", category="system", behind_seconds=seconds, going_on_from=clock.now().isoformat())
        case ClockNews.RIGHT:
            log.warning("clock_right_again", category="system", jumped_by_seconds=-seconds)
        case ClockNews.JUMPED:
            log.warning("clock_jumped", category="system", jumped_by_seconds=-seconds)
