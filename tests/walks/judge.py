"""What the books say of each session, against the charger's account of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mcpp.reads.transactions import Transaction
from tests.walks.account import Session
from tests.walks.central import Central, Unmatched
from tests.walks.habits import Habits
from tests.walks.undecidable import why_undecidable


class Verdict(StrEnum):
    """The worse ones last; a session gets its worst."""

    EQUAL = "equal"
    """The energy is the account's."""
    SAID = "closed by evidence, right"
    """Between what got through and what was truly taken."""
    SAID_LOW = "closed by evidence, low"
    SAID_HIGH = "closed by evidence, high"
    MARKED = "marked implausible"
    MARKED_RIGHT = "marked, though it's right"
    ASIDE = "differs, its stop unmatched"
    UNMATCHED = "open, stop unmatched"
    OPEN = "open"
    """Nothing that ended it got through, or it ended another one, which is judged there."""
    UNTOLD = "not told"
    """Its start never got through, and a stop of it is kept aside."""
    UNDECIDABLE = "undecidable"
    REFUSED = "refused"
    """A CALLERROR: the message is lost."""
    VANISHED = "stop vanished"
    """It is nowhere."""
    MERGED = "two sessions, one transaction"
    TWICE = "booked twice"
    PHANTOM = "booked without a session"
    SILENT = "silent difference"

    @property
    def is_failure(self) -> bool:
        return _RANK[self] > _RANK[Verdict.UNDECIDABLE]


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    session: Session | None
    transactions: Sequence[Transaction]
    note: str = ""


def judge(sessions: Sequence[Session], habits: Habits, central: Central) -> list[Finding]:
    """A finding for each session, and one for each transaction that is no session's."""
    books, unmatched = central.transactions(), central.unmatched()
    owners = Counter(transaction_id for session in sessions for transaction_id in set(session.answers))
    findings = []
    for session in sessions:
        booked = [books[transaction_id] for transaction_id in sorted(set(session.answers))]
        verdict = _judge(session, booked, owners, books, unmatched)
        note = ""
        if verdict.is_failure and (reason := why_undecidable(session, sessions, booked, habits)):
            verdict, note = Verdict.UNDECIDABLE, reason
        findings.append(Finding(verdict, session, booked, note))
    phantoms = [Finding(Verdict.PHANTOM, None, [books[unknown]]) for unknown in books.keys() - owners.keys()]
    return findings + phantoms


def _judge(
    session: Session,
    booked: Sequence[Transaction],
    owners: Counter[int],
    books: dict[int, Transaction],
    unmatched: Sequence[Unmatched],
) -> Verdict:
    if session.refused:
        return Verdict.REFUSED
    is_aside = any(_is_of(session, kept) for kept in unmatched)
    is_used = any(_has_ended(session, transaction) for transaction in books.values())
    if not booked:
        return Verdict.UNTOLD if not session.stops or is_aside or is_used else Verdict.VANISHED
    if any(owners[transaction.transaction_id] > 1 for transaction in booked):
        return Verdict.MERGED
    if sum(_is_bill(transaction) and bool(transaction.energy_wh) for transaction in booked) > 1:
        return Verdict.TWICE
    verdicts = (_verdict_on(session, each, is_aside=is_aside, is_used=is_used) for each in booked)
    return max(verdicts, key=_RANK.__getitem__)


def _verdict_on(session: Session, transaction: Transaction, *, is_aside: bool, is_used: bool) -> Verdict:
    wh = transaction.energy_wh
    if transaction.stopped_at is None or wh is None:
        if is_aside:
            return Verdict.UNMATCHED
        return Verdict.OPEN if is_used or not session.stops else Verdict.VANISHED
    if transaction.energy_implausible:
        return Verdict.MARKED_RIGHT if wh == session.wh else Verdict.MARKED
    if wh == session.wh:
        return Verdict.EQUAL
    if transaction.evidence is None:
        return Verdict.ASIDE if is_aside else Verdict.SILENT
    # A watt hour of rounding.
    if wh > session.wh + 1:
        return Verdict.SAID_HIGH
    return Verdict.SAID if wh >= session.told_wh - 1 else Verdict.SAID_LOW


def _is_bill(transaction: Transaction) -> bool:
    """It's ended, and nothing says that it might be wrong."""
    return transaction.stopped_at is not None and not transaction.energy_implausible and transaction.evidence is None


def _is_of(session: Session, kept: Unmatched) -> bool:
    return kept.kind == "stop" and any(
        kept.payload["meterStop"] == stop["meterStop"] and _same_time(kept.payload["timestamp"], stop["timestamp"])
        for stop in session.stops
    )


def _has_ended(session: Session, transaction: Transaction) -> bool:
    if transaction.stopped_at is None:
        return False
    spelled = transaction.stopped_at.isoformat()
    return any(
        transaction.meter_stop == stop["meterStop"] and _same_time(spelled, stop["timestamp"]) for stop in session.stops
    )


def _same_time(one: str, other: str) -> bool:
    return one[:19] == other[:19]
