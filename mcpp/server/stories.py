"""The story of a session for API and pages: told from the database and the log file, on a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import JsonValue

from mcpp.domain.session_meter import MOST_READ
from mcpp.server.versions import VOCABULARY
from mcpp.story.json_entries import story_json
from mcpp.story.log_files import LogFile, NotJsonLines, span_of
from mcpp.story.log_selection import TooManyLines
from mcpp.story.model import Shortfall, Span, Story
from mcpp.story.records import TransactionRecords, read_transaction
from mcpp.story.timeline import transaction_story
from mcpp.telemetry.logs.rotated_file import rotated_files
from mcpp_generated.db.queries import Queries

_MOST_LINES: Final = 20_000
"""Of a log, in the memory of a server that has chargers to serve: tens of megabytes."""

_AROUND: Final = timedelta(days=1)
"""How long before its start a session may have begun, with the car plugged in; and how late something is said of it."""

_HEAD: Final = 1 << 16
"""Bytes in which the first line of a log file ends."""


class Stories:
    """Tells one story at a time, so that many requests don't take the interpreter from the chargers."""

    def __init__(
        self,
        snapshot: Callable[[], AbstractContextManager[Queries]],
        log_file: Path | None = None,
        *,
        most_lines: int = _MOST_LINES,
    ) -> None:
        """`snapshot` gives one state of the database; `log_file` has older ones beside it, of which it reads so many
        lines of a session at most.
        """
        self._snapshot = snapshot
        self._log_file = log_file
        self._most_lines = most_lines
        self._turn = asyncio.Lock()

    async def tell(self, transaction_id: int, *, with_log: bool = False) -> Mapping[str, JsonValue] | None:
        """The story of a transaction's session as JSON; None where it's unknown."""
        log_file = self._log_file if with_log else None
        async with self._turn:
            return await asyncio.to_thread(self._tell, transaction_id, log_file)

    def _tell(self, transaction_id: int, log_file: Path | None) -> Mapping[str, JsonValue] | None:
        with self._snapshot() as q:
            records = read_transaction(q, transaction_id, VOCABULARY, most_readings=MOST_READ)
        return None if records is None else story_json(self._story(records, log_file))

    def _story(self, records: TransactionRecords, log_file: Path | None) -> Story:
        missing: list[Shortfall] = []
        if log_file is not None:
            try:
                with _logs(log_file, _told_in(records)) as logs:
                    return transaction_story(records, logs, VOCABULARY, most_lines=self._most_lines)
            except TooManyLines:
                missing.append(Shortfall.LOG_LEFT_OUT)
            except (OSError, NotJsonLines):
                missing.append(Shortfall.SESSION_NOT_LOGGED)
        story = transaction_story(records, (), VOCABULARY)
        return replace(story, shortfalls=[*story.shortfalls, *missing])


def _told_in(records: TransactionRecords) -> Span:
    """When the log may speak of a session, by the server's clock."""
    transaction, now = records.transaction, datetime.now(UTC)
    ended_at = now if transaction.stopped_at is None else transaction.stop_received_at or transaction.stopped_at
    return Span(transaction.start_received_at - _AROUND, min(ended_at, now) + _AROUND)


@contextmanager
def _logs(log_file: Path, told_in: Span) -> Iterator[list[LogFile]]:
    """Those of a log's files that may speak of a span of time, the oldest first."""
    with ExitStack() as stack:
        files: dict[tuple[int, int], LogFile] = {}
        for path in rotated_files(log_file):  # the newest first: one that is rotated meanwhile is found again
            with suppress(FileNotFoundError):
                found = path.stat()
                if found.st_mtime < told_in.begin.timestamp():
                    break
                file = stack.enter_context(path.open("rb"))
                if not _begins_after(told_in.end, file):
                    files[found.st_dev, found.st_ino] = LogFile(path.name, file)
        yield list(reversed(files.values()))


def _begins_after(end: datetime, file: BinaryIO) -> bool:
    first_at, _ = span_of(file.read(_HEAD))
    return first_at is not None and first_at > end
