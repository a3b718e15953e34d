"""A session in the database and in a log, and the story that both make."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

from mcpp.server.versions import VOCABULARY
from mcpp.story.log_files import LogFile
from mcpp.story.model import EVER, ChargePointSubject, Span, Story
from mcpp.story.records import read_transaction
from mcpp.story.text import Style, text_lines
from mcpp.story.timeline import charge_point_story, transaction_story
from mcpp_generated.db.enums import Implausible, StopMatch, StopOrigin
from tests.database import BEGIN, Database
from tests.unit.story.session_log import SessionLog, store_reading


def close(
    database: Database,
    transaction_id: int,
    origin: StopOrigin,
    *,
    reason: str,
    meter_stop: int,
    minutes: float,
    received_after: float = 0,
    evidence: str | None = None,
) -> None:
    """Store the end of a transaction; minutes are counted from BEGIN."""
    stopped_at = BEGIN + timedelta(minutes=minutes)
    database.q.close_transaction(
        id=transaction_id,
        meter_stop=meter_stop,
        stopped_at=stopped_at,
        stop_received_at=stopped_at + timedelta(minutes=received_after),
        stop_id_tag=None,
        stop_reason=reason,
        stop_origin=origin,
        stop_match=StopMatch.NAMED if origin is StopOrigin.CHARGER else None,
        evidence=evidence,
        energy_wh=max(meter_stop - 1000, 0),
        implausible_reason=Implausible.NEGATIVE_ENERGY if meter_stop < 1000 else None,
    )


class Charged:
    """A session of an hour: its rows, its log, and the story of both."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.q = database.q
        self.id = database.session(id_tag="CARD-7", wh=None)
        close(database, self.id, StopOrigin.CHARGER, reason="Local", meter_stop=8000, minutes=60)
        transaction = database.q.find_transaction(id=self.id)
        assert transaction is not None
        self.key = transaction.charge_point_key
        self.log = SessionLog(BEGIN, transaction.session_correlation_id)

    def measure(self, minutes: float, wh: int, **watts: int) -> None:
        """A reading in the database, and its message in the log."""
        store_reading(self.q, self.id, BEGIN + timedelta(minutes=minutes), wh=wh, **watts)
        self.log.message(60 * minutes, "MeterValues")

    def charge(self) -> None:
        """What the log has of an uneventful session."""
        self.log.status(-10, "Preparing", "Available")
        self.log.started(0, self.id, 1000, "CARD-7")
        for minute in range(1, 60):
            self.measure(minute, 1000 + 110 * minute, whole=6600)
        self.log.stopped(3600, self.id, 8000, 7000, "Local")

    def story(self, *logs: str | bytes, transaction_id: int | None = None, payloads: bool = False) -> Story:
        """The story of the session, or of another transaction, from these logs alone; without any from its own."""
        records = read_transaction(self.q, transaction_id or self.id, VOCABULARY)
        assert records is not None
        return transaction_story(records, log_files(*logs or (self.log.text(),)), VOCABULARY, payloads=payloads)

    def story_without_log(self, transaction_id: int | None = None) -> Story:
        """The story as far as the database has it."""
        records = read_transaction(self.q, transaction_id or self.id, VOCABULARY)
        assert records is not None
        return transaction_story(records, [], VOCABULARY)

    def story_of_charge_point(
        self,
        charge_point_id: str,
        *logs: str,
        connector_id: int | None = None,
        evse_id: int | None = None,
        span: Span = EVER,
    ) -> Story | None:
        """The story of a charge point from these logs."""
        subject = ChargePointSubject(charge_point_id, connector_id, span, evse_id)
        return charge_point_story(lambda: nullcontext(self.q), log_files(*logs), subject, VOCABULARY)


def log_files(*contents: str | bytes) -> list[LogFile]:
    """Log files with these contents."""
    raw = (text.encode() if isinstance(text, str) else text for text in contents)
    return [LogFile(f"server.log.{number}", BytesIO(content)) for number, content in enumerate(raw)]


def as_text(story: Story, zone: str = "UTC", *, payloads: bool = False) -> str:
    """The story as a file of text has it."""
    style = Style(ZoneInfo(zone), payloads=payloads)
    return "".join(f"{line}\n" for line in text_lines(story, style))


def whats(story: Story | None) -> list[str]:
    """What happened, in words."""
    assert story is not None
    return [entry.what for entry in story.entries]
