"""The last frames of each charge point, as they were sent: for people who look at one.

A frame costs its way an append; what it holds is masked when it's shown, not before. Bounded per charge point and in
all: the more there are, the fewer frames of each are kept.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from time import monotonic
from typing import Final, NamedTuple

from mcpp.bounds import FRAME_KEPT, FRAMES, FRAMES_OF_ALL, FRAMES_OF_ONE

_OVERHEAD: Final = 160
"""Bytes that a frame takes beside its text."""

_FRAMES_LEFT: Final = FRAMES * 3 // 4

_MOST_GONE: Final = 1000
"""Charge points without a connection whose frames are kept; those gone for the longest go first."""


class Frame(NamedTuple):
    """A frame of OCPP-J, in either direction."""

    at: float
    """By the monotonic clock."""
    is_out: bool
    """From this server to the charge point."""
    size: int
    """Bytes that it had."""
    beginning: bytes
    """All of it, or as much as is kept."""


class FrameRing:
    """The last frames of one charge point, over its connections."""

    __slots__ = ("_book", "_frames", "_held", "connections")

    def __init__(self, book: FrameBook) -> None:
        self._book = book
        self._frames: deque[tuple[float, bool, int, bytes]] = deque()
        self._held = 0
        self.connections = 0
        """How many it has now: more than one while a newer one takes over."""

    def add(self, frame: bytes, *, is_out: bool) -> None:
        """Keep a frame, and of those before it what there is room for."""
        frames = self._frames
        size = kept = len(frame)
        if size > FRAME_KEPT:
            frame, kept = frame[:FRAME_KEPT], FRAME_KEPT
        frames.append((monotonic(), is_out, size, frame))
        self._held = held = self._held + kept + _OVERHEAD
        if held > self._book.share or len(frames) > FRAMES:
            self.shrink()

    def shrink(self) -> None:
        """Let go of the oldest ones where there is no room any more; the newest is kept.

        A quarter goes at once, so that few frames have to do it.
        """
        frames, share = self._frames, self._book.share
        if self._held <= share and len(frames) <= FRAMES:
            return
        while len(frames) > 1 and (self._held > share * 3 // 4 or len(frames) > _FRAMES_LEFT):
            self._held -= len(frames.popleft()[3]) + _OVERHEAD

    @property
    def held(self) -> int:
        """Bytes that it takes."""
        return self._held

    def newest_last(self) -> list[Frame]:
        """All of them."""
        return [Frame(*frame) for frame in self._frames]


class FrameBook:
    """The rings of all charge points, by identity. Used on the event loop only."""

    def __init__(self, most_bytes: int = FRAMES_OF_ALL) -> None:
        self._most_bytes = most_bytes
        self._rings: OrderedDict[str, FrameRing] = OrderedDict()
        """Those that have been gone for the longest come before others that are gone."""
        self._gone = 0
        self.share = FRAMES_OF_ONE
        """Bytes that a ring may take."""
        self._shrunk_to = FRAMES_OF_ONE
        """The share by which all rings were last looked at."""

    def connected(self, identity: str) -> FrameRing:
        """The ring of a charge point that has a connection from now on."""
        ring = self._rings.get(identity)
        if ring is None:
            ring = self._rings[identity] = FrameRing(self)
            self._settle()
        elif not ring.connections:
            self._gone -= 1
        ring.connections += 1
        return ring

    def disconnected(self, identity: str) -> None:
        """A connection of it has ended."""
        ring = self._rings.get(identity)
        if ring is None:
            return
        ring.connections -= 1
        if ring.connections:
            return
        self._rings.move_to_end(identity)
        self._gone += 1
        if self._gone > _MOST_GONE:
            self.forget(next(known for known, ring in self._rings.items() if not ring.connections))

    def forget(self, identity: str) -> None:
        """Let go of the frames of a charge point without a connection."""
        ring = self._rings.get(identity)
        if ring is not None and not ring.connections:
            del self._rings[identity]
            self._gone -= 1
            self._settle()

    def newest_last(self, identity: str) -> list[Frame]:
        """What is kept of a charge point."""
        ring = self._rings.get(identity)
        return [] if ring is None else ring.newest_last()

    @property
    def held(self) -> int:
        """Bytes of all rings."""
        return sum(ring.held for ring in self._rings.values())

    def _settle(self) -> None:
        """Share anew; rings that get no frames shrink as well, once the share is half of what it was."""
        self.share = min(FRAMES_OF_ONE, self._most_bytes // max(1, len(self._rings)))
        if self.share > self._shrunk_to:
            self._shrunk_to = self.share
        elif self.share * 2 <= self._shrunk_to:
            self._shrunk_to = self.share
            for ring in self._rings.values():
                ring.shrink()
