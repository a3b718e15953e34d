"""What a charge point has charged in all, as metrics, plugins and whoever else counts see it."""

from __future__ import annotations

from collections.abc import Mapping


class EnergyTotal:
    """A charge point's energy as the outside sees it: the sum over its transactions, but never falling.

    Ended transactions count as stored, running ones with what they have taken so far. `mcpp.domain.energy` keeps the
    same in the database, so that it goes on rightly after a restart.
    """

    __slots__ = ("_ended_wh", "_running", "told_wh")

    def __init__(self, ended_wh: int = 0, held_wh: int = 0, running: Mapping[int, int] | None = None) -> None:
        """From the books: `held_wh` was told before, when the sum was higher; `running` is Wh by transaction."""
        self._ended_wh = ended_wh
        self._running = dict(running or {})
        self.told_wh = held_wh
        """Wh; holds still where the sum falls, until that has caught up."""
        self._tell()

    def begin(self, transaction_id: int) -> None:
        """A transaction has started."""
        self._running.setdefault(transaction_id, 0)

    def progress(self, transaction_id: int, wh: int) -> None:
        """What a transaction has taken so far. One that isn't known to run has ended: events may overtake another."""
        if transaction_id in self._running:
            self._running[transaction_id] = wh
            self._tell()

    def end(self, transaction_id: int, wh: int, replaced_wh: int = 0) -> None:
        """A transaction's energy as booked, in place of what was booked before."""
        self._running.pop(transaction_id, None)
        self._ended_wh += wh - replaced_wh
        self._tell()

    def _tell(self) -> None:
        self.told_wh = max(self.told_wh, self._ended_wh + sum(self._running.values()))
