"""What charge points tell of their devices, on its way into the database: as much as is allowed, in portions.

What isn't allowed is answered as ever.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar

from mcpp import bounds
from mcpp.csms.calls import CallContext
from mcpp.domain.device_allowance import allow, within_allowance
from mcpp.domain.device_reports import NoteItems, ReportChunk, note_report_chunk, note_reported
from mcpp.domain.occasion import Occasion, Result
from mcpp.storage.pending import Pending
from mcpp_generated.db.queries import Queries

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_LARGE: Final = 16 * bounds.KIB
"""Bytes of a frame."""


def is_much(context: CallContext, rows: int) -> bool:
    """Whether a message may have more rows than are stored at once."""
    return context.size_bytes > _LARGE or rows > bounds.DEVICE_PORTION


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as are stored at once."""
    return (items[at : at + bounds.DEVICE_PORTION] for at in range(0, len(items), bounds.DEVICE_PORTION))


def keep(
    context: CallContext,
    answer: R,
    function: Callable[Concatenate[Queries, Occasion, P], Result[None]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> Pending[R]:
    """Store a message by a domain function, if that's allowed."""

    def note(q: Queries, occasion: Occasion) -> Result[None]:
        return function(q, occasion, *args, **kwargs)

    size = context.size_bytes + bounds.ROW
    return context.write(within_allowance, context.services.memory, size, note).then(lambda _: answer)


def keep_report(
    context: CallContext,
    answer: R,
    size: int,
    note_items: NoteItems[T],
    read: Callable[[], tuple[Sequence[T], ReportChunk]],
) -> Pending[R] | Awaitable[R]:
    """Store a chunk of a report with what it tells of variables or monitors, if that's allowed.

    `size` is what these take beside their texts. `read` makes them, with the chunk, once they're to be stored.
    """
    size += context.size_bytes + bounds.ROW

    async def keep_much() -> R:
        if await context.write(allow, context.services.memory, size):
            items, chunk = read()
            for portion in portions(items):
                await context.write(note_items, portion)
            # It may be what makes its report complete.
            await context.write(note_report_chunk, chunk)
        return answer

    if is_much(context, 0):
        return keep_much()
    items, chunk = read()

    def note(q: Queries, occasion: Occasion) -> Result[None]:
        return note_reported(q, occasion, note_items, items, chunk)

    return context.write(within_allowance, context.services.memory, size, note).then(lambda _: answer)
