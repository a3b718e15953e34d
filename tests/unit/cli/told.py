"""A session with its books and its log, and how a test reads the story of both."""

from __future__ import annotations

from datetime import timedelta

from mcpp_generated.db.enums import StopOrigin
from tests.unit.cli.command import Ended, Mcpp
from tests.unit.cli.ledger import BEGIN, Ledger
from tests.unit.cli.session_log import SessionLog, store_reading


def close(
    ledger: Ledger,
    transaction_id: int,
    origin: StopOrigin,
    *,
    reason: str,
    meter_stop: int,
    minutes: float,
    received_after: float = 0,
    evidence: str | None = None,
) -> None:
    """Book the end of a transaction; minutes are counted from BEGIN."""
    stopped_at = BEGIN + timedelta(minutes=minutes)
    ledger.q.close_transaction(
        id=transaction_id,
        meter_stop=meter_stop,
        stopped_at=stopped_at,
        stop_received_at=stopped_at + timedelta(minutes=received_after),
        stop_id_tag=None,
        stop_reason=reason,
        stop_origin=origin,
        evidence=evidence,
        energy_implausible=meter_stop < 1000,
    )


class Told:
    """A session of an hour: its books, its log, and the story of both."""

    def __init__(self, mcpp: Mcpp, ledger: Ledger) -> None:
        self.mcpp = mcpp
        self.database = ledger.path
        self.q = ledger.q
        self.id = ledger.session(id_tag="CARD-7", wh=None)
        close(ledger, self.id, StopOrigin.CHARGER, reason="Local", meter_stop=8000, minutes=60)
        transaction = ledger.q.find_transaction(id=self.id)
        assert transaction is not None
        self.key = transaction.charge_point_key
        self.log = SessionLog(BEGIN, transaction.session_correlation_id)

    def __call__(self, *flags: str, junk: str = "") -> str:
        """The story of books and log."""
        ended = self.run("--log", str(self.log.write(self.mcpp.directory / "server.log", junk=junk)), *flags)
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    def run(self, *flags: str, stdin: str | bytes = "", **variables: str) -> Ended:
        return self.mcpp("trace", str(self.id), *flags, stdin=stdin, **variables)

    def measure(self, minutes: float, wh: int, **watts: int) -> None:
        """A reading in the books, and its message in the log."""
        store_reading(self.q, self.id, BEGIN + timedelta(minutes=minutes), wh=wh, **watts)
        self.log.message(60 * minutes, "MeterValues")

    def charge(self) -> None:
        """What the log has of an uneventful session."""
        self.log.status(-10, "Preparing", "Available")
        self.log.started(0, self.id, 1000, "CARD-7")
        for minute in range(1, 60):
            self.measure(minute, 1000 + 110 * minute, whole=6600)
        self.log.stopped(3600, self.id, 8000, 7000, "Local")


def story(out: str) -> list[str]:
    """The entries without their times and ids."""
    body = out.split("\n\n")[1]
    return [line[30:] if line[0].isdigit() else line.strip() for line in body.splitlines()[1:]]
