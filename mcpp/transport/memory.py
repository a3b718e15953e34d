"""What all connections together hold of messages that aren't handled: bounded, so that nobody can take all memory."""

from __future__ import annotations

from typing import Protocol


class Holder(Protocol):
    """A connection that holds something."""

    def give_up(self) -> None:
        """Let go of all of it, now: the connection is cut."""
        ...


class Memory:
    """Counts the bytes of unfinished handshakes, frames and messages, of what was read and of CALLs that wait.

    Where they become too many the connections that hold the most are cut, until there is some room again. So a charge
    point is safe that holds less than others, and one with a usual message of a few KiB loses its place only when all
    do: whoever wants it to be cut has to fill the whole room with connections that hold less still. To hold back new
    ones instead would let those who came first keep everybody out, and to cut by age those whose modem is slow.

    What is cut isn't lost: a message that wasn't answered is repeated.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sizes: dict[Holder, int] = {}
        self.total = 0
        """Bytes that are held now."""

    def hold(self, holder: Holder, size: int) -> None:
        """It holds so many bytes in all from now on; others, or itself, may be cut for it."""
        more = size - self._sizes.get(holder, 0)
        self.total += more
        if size:
            self._sizes[holder] = size
        else:
            self._sizes.pop(holder, None)
        if more > 0 and self.total > self._limit:
            self._make_room()

    def _make_room(self) -> None:
        # To an eighth below the limit, so that the largest aren't looked for with every read.
        enough = self._limit - self._limit // 8
        for holder in sorted(self._sizes, key=self._sizes.__getitem__, reverse=True):
            if self.total <= enough:
                break
            holder.give_up()
            self.total -= self._sizes.pop(holder, 0)
