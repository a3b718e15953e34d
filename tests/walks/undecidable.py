"""What nobody could tell from the messages alone, so that no central system can be asked to."""

from __future__ import annotations

from collections.abc import Sequence

from mcpp.reads.transactions import Transaction
from tests.walks.account import Session
from tests.walks.habits import Habits


def why_undecidable(
    session: Session, sessions: Sequence[Session], booked: Sequence[Transaction], habits: Habits
) -> str | None:
    """The reason why a difference can't be seen; None where it can."""
    return None
