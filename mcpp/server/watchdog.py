"""A thread that watches the event loop and the database's writer, and names what either of them stands at.

It can't look while another thread keeps Python's interpreter to itself, in C: then it finds that it was late itself,
and names where the other threads are, one of which is probably still there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from time import perf_counter
from types import FrameType
from typing import Final, NamedTuple

from mcpp.plugins.worker import Worker
from mcpp.server.systemd import ServiceManager
from mcpp.telemetry.logs.pipeline import get_logger

THREAD: Final = "mcpp-watchdog"
"""The name of the thread that watches."""

POLL_SECONDS: Final = 0.25

LOOP_STALL_SECONDS: Final = 1.0
"""Without a tick of the loop beyond the one that is due."""

WRITER_STALL_SECONDS: Final = 5.0
"""For one batch: a slow disk takes a tenth of it."""

_FRAMES: Final = 12
"""Of a stack: the innermost."""

_THREADS: Final = 20
"""Of other threads that are named."""

_OURS: Final = ("mcpp.", "mcpp_generated.")


class Place(NamedTuple):
    """Where a thread stands."""

    at: str
    """`module.function:line` of the innermost frame that isn't a library's."""
    plugin: str | None
    """At whose hook or job it stands."""
    stack: str
    """The innermost frames, outer ones first."""


class Watched(NamedTuple):
    """A part of the server that must not stand still."""

    name: str
    """`event_loop` or `writer`."""
    thread: threading.Thread
    busy_since: Callable[[], float | None]
    """By the performance counter, since when it has not come round; None where it has nothing to do."""
    limit: float
    """Seconds after which it has stalled."""
    always_busy: bool = False
    """Whether it comes round all the time: then it stood still where the watchdog was late itself."""


class Watchdog:
    """Says once when something stalls and once when that is over; tells systemd that all is well while it is."""

    def __init__(
        self,
        manager: ServiceManager,
        on_stall: Callable[[str], None],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`on_stall` hears of each stall, by the part's name, in the watchdog's thread."""
        self._manager = manager
        self._on_stall = on_stall
        self._poll_seconds = poll_seconds
        self._watched: list[Watched] = []
        self._stalled: dict[str, tuple[float, Place]] = {}
        self._patience = None if manager.watchdog_seconds is None else manager.watchdog_seconds / 2
        """How long something may stand still before systemd is told no more."""
        self._told_at = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)

    def watch(self, part: Watched) -> None:
        """To be called before `start`."""
        self._watched.append(part)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End; it waits for nothing but a look that is under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        looked_at = perf_counter()
        while not self._stop.wait(self._poll_seconds):
            now = perf_counter()
            late = now - looked_at - self._poll_seconds
            looked_at = now
            for part in self._watched:
                self._look(part, now, late)
            self._tell_manager(now)

    def _look(self, part: Watched, now: float, late: float) -> None:
        since = part.busy_since()
        stood = 0.0 if since is None else max(now - since, late if part.always_busy else 0.0)
        if stood >= part.limit:
            if part.name not in self._stalled:
                self._begin(part, now - stood, stood, late)
            return
        if part.name in self._stalled:
            began, place = self._stalled.pop(part.name)
            seconds = round((since or now) - began, 3)
            get_logger().warning(f"{part.name}_resumed", category="system", seconds=seconds, **_fields(place))

    def _begin(self, part: Watched, began: float, stood: float, late: float) -> None:
        frames = sys._current_frames()  # noqa: SLF001  the documented way to another thread's stack
        place = _place(frames.get(part.thread.ident or 0))
        self._stalled[part.name] = began, place
        fields: dict[str, object] = _fields(place) | {"stack": place.stack}
        if late >= part.limit / 2:
            # The interpreter was kept, or the process had no time at all: the stack may be of what came after.
            fields["interpreter_held"] = True
            fields["threads"] = dict(_other_threads(frames, part.thread))
        get_logger().warning(f"{part.name}_stalled", category="system", seconds=round(stood, 3), **fields)
        self._on_stall(part.name)
        self._manager.status(f"{part.name.replace('_', ' ')} stalled at {place.at}")

    def _tell_manager(self, now: float) -> None:
        if self._patience is None or now - self._told_at < self._patience / 2:
            return
        for part in self._watched:
            since = part.busy_since()
            if not part.thread.is_alive() or (since is not None and now - since >= self._patience):
                return
        self._told_at = now
        self._manager.alive()


def _fields(place: Place) -> dict[str, object]:
    return {"at": place.at} if place.plugin is None else {"at": place.at, "plugin": place.plugin}


def _place(frame: FrameType | None) -> Place:
    frames = list(_outward(frame))
    if not frames:
        return Place("?", None, "")
    plugin, inside = None, frames
    for number, it in enumerate(frames):
        worker = it.f_locals.get("self") if it.f_globals.get("__name__") == Worker.__module__ else None
        if isinstance(worker, Worker):
            # What it calls is the plugin's, though it may be installed as libraries are.
            plugin, inside = worker.plugin.name, frames[:number] or [it]
            break
    inner = next((it for it in inside if _is_own(it)), frames[0] if plugin is None else inside[-1])
    stack = "\n".join(_text(it) for it in reversed(frames[:_FRAMES]))
    return Place(_text(inner), plugin, stack)


def _is_own(frame: FrameType) -> bool:
    """Whether a frame is of this program or of a plugin's code, not of a library or Python itself."""
    name = str(frame.f_globals.get("__name__", ""))
    if name.startswith(_OURS):
        return True
    path = frame.f_code.co_filename
    return "site-packages" not in path and not path.startswith((sys.base_prefix, "<"))


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _text(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}:{frame.f_lineno}"


def _other_threads(frames: dict[int, FrameType], one: threading.Thread) -> Iterator[tuple[str, str]]:
    """Where the others stand, by their names."""
    own = threading.get_ident()
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in list(frames.items())[:_THREADS]:
        if ident not in {own, one.ident}:
            yield names.get(ident, str(ident)), _place(frame).at
