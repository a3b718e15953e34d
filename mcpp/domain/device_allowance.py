"""How much of what a charge point tells of its devices is stored (OCPP 2.x): beyond its allowance it's left out."""

from __future__ import annotations

from collections.abc import Callable

from mcpp.bounds import Over
from mcpp.domain.memory import Memory
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp_generated.db.queries import Queries


def allow(_: Queries, occasion: Occasion, memory: Memory, size: int) -> Result[bool]:
    """Whether so many bytes may be stored now; they count then."""
    if memory.allows_device_news(occasion, size):
        return Result(True)
    left_out = LeftOut(Over.TOO_MUCH_TO_KEEP, "", f"{size} bytes of what it tells of its devices", "")
    return Result(False, left_out=(left_out,))


def within_allowance(
    q: Queries, occasion: Occasion, memory: Memory, size: int, note: Callable[[Queries, Occasion], Result[None]]
) -> Result[None]:
    """Store what is told in so many bytes, if that's allowed."""
    allowed = allow(q, occasion, memory, size)
    return note(q, occasion) if allowed.value else Result(None, left_out=allowed.left_out)
