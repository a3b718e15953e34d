"""How much a charge point may have stored beside its starts and stops: a bucket of bytes that fills again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mcpp import bounds
from mcpp.domain.samples import Sample


class Allowance:
    """Of one charge point."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left: float = bounds.STORED_BURST
        self._at: datetime | None = None
        """When it was last asked; None while it's full."""

    def take(self, size: int, now: datetime) -> bool:
        """Whether so many bytes may be stored now; they count then."""
        if self._at is not None:
            # A clock that was set back fills nothing.
            passed = max(0.0, (now - self._at).total_seconds())
            self._left = min(bounds.STORED_BURST, self._left + passed * bounds.STORED_PER_SECOND)
        self._at = now
        if size > self._left:
            return False
        self._left -= size
        return True


def stored_size(samples: Sequence[Sample]) -> int:
    """About the bytes that samples take in the database."""
    return bounds.ROW * 2 + sum([len(sample.value) for sample in samples]) + 8 * len(samples)
