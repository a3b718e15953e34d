"""Who goes along with the writer's work: what measures it, and what its units remember."""

from __future__ import annotations

from typing import Protocol


class Histogram(Protocol):
    """Counts values by size."""

    def observe(self, value: float, /) -> None: ...


class WriterObserver(Protocol):
    """What measures the writer; called on the event loop, after the units of a batch are answered."""

    @property
    def batch_size(self) -> Histogram:
        """Units of a committed batch."""
        ...

    @property
    def batch_seconds(self) -> Histogram:
        """From the begin of its transaction to the commit."""
        ...

    @property
    def wait_seconds(self) -> Histogram:
        """How long its first unit waited for the begin."""
        ...

    def on_error(self, error: BaseException) -> None:
        """A batch or a unit of one failed by this error of the database; a unit's own exceptions are none."""
        ...

    def on_usable_again(self) -> None:
        """A whole batch is stored, the first one since an error."""
        ...


class Memory(Protocol):
    """What units remember from one to the next; the writer's thread alone uses it."""

    def forget(self, key: int | None, /) -> None:
        """A unit may have changed what is known of this charge point, or of any where None."""
        ...

    def rolled_back(self) -> None:
        """What units have written may be undone."""
        ...
