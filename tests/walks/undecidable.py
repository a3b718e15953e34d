"""What nobody could tell from the messages alone, so that no central system can be asked to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from mcpp.reads.transactions import Transaction
from tests.walks.account import Session
from tests.walks.charger import TWIN
from tests.walks.habits import Habits, Registers, Series

_MOST_WATTS = 1_000_000
"""A charger of which nobody said its rated power is believed up to this."""
_ALLOWANCE = timedelta(minutes=5)
"""For clocks."""


def why_undecidable(
    session: Session, sessions: Sequence[Session], booked: Sequence[Transaction], habits: Habits
) -> str | None:
    """The reason why a difference can't be seen; None where it can."""
    stays_at_zero = habits.registers in {Registers.ZERO_ZERO, Registers.STOP_ZERO} and session.start["meterStart"] == 0
    if stays_at_zero and not _moved(session, habits):
        return "0 at its start, 0 at its stop, and no value that moved"
    if TWIN in session.marks:
        return "a start like an earlier one that isn't over: a repeat"
    for transaction in booked:
        if transaction.meter_stop == 65535 and _is_possible(session, transaction, session):
            return "a stop of 65535 Wh, which is possible"
        if any(
            stop.get("transactionId") == transaction.transaction_id
            and stop["meterStop"] == transaction.meter_stop
            and _is_possible(session, transaction, other)
            for other in sessions
            if other.connector != session.connector
            for stop in other.stops
        ):
            return "the other connector's stop names it, and its register is possible there"
    return None


def _moved(session: Session, habits: Habits) -> bool:
    """Whether values showed that energy flowed; of a register that doesn't begin at 0 it takes two of them."""
    told = {wh for _, wh in session.told}
    if habits.transaction_data and habits.series not in {Series.NONE, Series.INTERVAL}:
        told.add(session.wh)
    begins_at_zero = habits.series in {Series.SESSION, Series.LIFETIME_BESIDE, Series.INTERVAL}
    return bool(told - {0}) if begins_at_zero else len(told) > 1


def _is_possible(session: Session, transaction: Transaction, ended: Session) -> bool:
    """Whether what is booked could have been taken until that other session ended, by what was told until then."""
    assert ended.ended_at is not None
    assert transaction.meter_stop is not None
    assert transaction.meter_start is not None
    wh = transaction.meter_stop - transaction.meter_start
    hours = (ended.ended_at - session.began_at + _ALLOWANCE) / timedelta(hours=1)
    return session.told_until(ended.ended_at) <= wh <= _MOST_WATTS * hours
