"""Calls one plugin's hooks, so that whatever they do the server goes on.

`offer` belongs to the server's loop, all else to the plugin's, which for a built-in plugin is the same one. Events of a
charge point are delivered in their order, those of different charge points side by side. A plain function is called
where its event arrives; what waits goes on in a task of its charge point, and later events of that one queue behind it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final, TypeAlias

from structlog.contextvars import bind_contextvars

from mcpp.bounds import PLUGIN_INBOX
from mcpp.domain.events import Event, size_of
from mcpp.ocppj.flow import TraceContext, active_trace_context, current_trace_context
from mcpp.phrases import Phrase
from mcpp.plugins.loading import Hook, Plugin
from mcpp.plugins.observer import HookCall, PluginObserver
from mcpp.plugins.site import Scheduled, Site

_Lane: TypeAlias = deque[tuple[Event, TraceContext, Iterator[Hook]]]
"""A charge point's events that wait: each with the flow or request in which it happened, and the hooks to call yet."""

_EVENTS_A_TURN: Final = 100
"""Most events that are delivered in one turn of the loop, so that plain functions leave time to others."""

JOB: Final = "job"
"""Stands for a hook's name where a scheduled job is meant."""


@dataclass(frozen=True, slots=True)
class PluginLimits:
    """What one plugin may take. Times in seconds."""

    hook_timeout: float = 60.0
    """Twice the time that a command may take by default."""
    job_timeout: float = 600.0
    question_timeout: float = 1.0
    contract_timeout: float = 20.0
    """A charger waits for its answer meanwhile."""
    drain_timeout: float = 1.0
    """For what waits at shutdown."""
    stop_timeout: float = 3.5
    queue: int = 10_000
    """Events that may wait: those of 1,000 chargers that come back at once, and more."""
    queue_bytes: int = PLUGIN_INBOX
    """Of the events that wait."""
    in_hand: int = 1000
    """Events of these that are sorted by charge point already."""
    side_by_side: int = 64
    """Charge points whose hooks run at once, and jobs that do."""
    jobs: int = 10_000
    """Jobs that may wait for their time."""


class HookTimeout(Exception):
    """A hook or job took too long, and was cancelled or is abandoned."""


class HookExit(Exception):
    """A hook or job wanted to end the process."""


class TooManyJobs(Exception):
    """The plugin has scheduled too much already."""


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """A call that has returned an awaitable, and the task that waits for it."""

    name: str
    call: HookCall
    task: asyncio.Task[object]


class Worker:
    """One plugin at work."""

    def __init__(
        self,
        plugin: Plugin,
        loop: asyncio.AbstractEventLoop,
        observer: PluginObserver,
        hooks_of: Mapping[type[Event], Sequence[Hook]],
        limits: PluginLimits,
    ) -> None:
        """`loop` is the plugin's, `hooks_of` what to call for an event."""
        self.plugin = plugin
        self._loop = loop
        self._observer = observer
        self._hooks_of = hooks_of
        self._limits = limits
        # Built-in plugins save the system call that wakes another thread.
        self._call_soon = loop.call_soon if plugin.trusted else loop.call_soon_threadsafe
        self._context = Context()
        """In which a built-in plugin's hooks are called in place: nothing of the message at hand is seen there."""
        self._in_place = False
        self._inbox: deque[tuple[Event, TraceContext]] = deque()
        # One is counted by the server's thread alone, the other by the plugin's.
        self._bytes_offered = 0
        self._bytes_taken = 0
        self._bytes_in_hand = 0
        self._called = False
        self._full = False
        self._latest = ""
        self._site: Site
        self._lanes: dict[str, _Lane] = {}
        self._in_hand = 0
        self._side_by_side = asyncio.Semaphore(limits.side_by_side)
        self._jobs_side_by_side = asyncio.Semaphore(limits.side_by_side)
        self._jobs: set[Job] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        self._idle = asyncio.Event()
        self._started = False
        self._running = False
        self._stopping = False

    # The server's side.

    def offer(self, event: Event, cause: TraceContext) -> None:
        """Deliver an event, in its time. Of too many the newest are lost, so there is no hole before."""
        hooks = self._hooks_of.get(type(event))
        if hooks is None:
            return
        if self._may_deliver_in_place():
            self._in_place = True
            try:
                self._context.run(self._deliver, event, cause)
            finally:
                self._in_place = False
            return
        size = size_of(event)
        waiting = self._bytes_offered - self._bytes_taken + self._bytes_in_hand
        if len(self._inbox) >= self._limits.queue or waiting + size > self._limits.queue_bytes:
            self._observer.on_dropped(self.plugin.name, hooks[0].name, first=not self._full)
            self._full = True
            return
        self._full = False
        self._bytes_offered += size
        self._inbox.append((event, cause))
        if not self._called:
            self._called = True
            self._call_soon(self._take, context=Context())

    @property
    def waiting(self) -> int:
        """Events that wait to be delivered."""
        return len(self._inbox) + self._in_hand

    @property
    def is_running(self) -> bool:
        """Whether events are delivered: between the plugin's start and its end."""
        return self._running

    def report_blocked(self) -> None:
        """Report that one of the plugin's functions keeps its thread."""
        error = HookTimeout(Phrase("blocks the plugin's thread; nothing else of it runs"))
        self._observer.on_failure(self.plugin.name, self._latest, error)

    def _may_deliver_in_place(self) -> bool:
        """Whether the plugin is built in, and this event wouldn't overtake one that waits or is being delivered."""
        return (
            self.plugin.trusted
            and self._running
            and not self._in_place
            and not self._inbox
            and self._in_hand < self._limits.in_hand
            and self._bytes_in_hand < self._limits.queue_bytes
        )

    # The plugin's side.

    async def start(self, site: Site) -> None:
        """Call `server_started`, then deliver what has happened meanwhile."""
        self._site = site
        self._started = True
        await self.call("server_started", None, site, self._limits.hook_timeout)
        self._running = True
        self._take()

    async def stop(self, site: Site) -> None:
        """Deliver what waits, call `server_stopping`, then cancel whatever still runs."""
        self._stopping = True
        if not self._started:
            return
        for job in list(self._jobs):
            job.cancel()
        if self._running and (self._inbox or self._lanes):
            self._idle.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.drain_timeout):
                    await self._idle.wait()
        self._running = False
        await self.call("server_stopping", None, site, self._limits.stop_timeout)
        for task in self._tasks:
            task.cancel()

    async def call(self, name: str, about: object, site: Site, seconds: float) -> object:
        """Call a hook, for so long at most, if the plugin has it. Returns its result, None where it failed."""
        hook = self.plugin.hooks.get(name)
        return None if hook is None else await self._run(name, partial(hook.call, about, site), seconds)

    def schedule(self, seconds: float, work: Callable[[], Awaitable[None]]) -> Scheduled:
        """See Site; may be called from any thread. Raises TooManyJobs."""
        job = Job(self._loop, partial(self._begin_job, work), self._jobs)
        if self._stopping:
            return job
        if len(self._jobs) >= self._limits.jobs:
            raise TooManyJobs(Phrase("{count} jobs wait already", count=self._limits.jobs))
        job.arm(seconds)
        return job

    def _take(self) -> None:
        """Deliver what waits, as much as may be in hand."""
        # Before anything is taken: what is offered from here on calls again.
        self._called = False
        if not self._running:
            return
        for _ in range(_EVENTS_A_TURN):
            if not self._inbox or self._in_hand >= self._limits.in_hand:
                break
            event, cause = self._inbox.popleft()
            self._bytes_taken += size_of(event)
            self._deliver(event, cause)
        else:
            self._called = True
            self._loop.call_soon(self._take, context=Context())
        if not self._inbox and not self._lanes:
            self._idle.set()

    def _deliver(self, event: Event, cause: TraceContext) -> None:
        """Call an event's hooks as far as they wait for nothing; the rest is done in its charge point's lane."""
        charge_point_id = event.charge_point_id
        hooks = iter(self._hooks_of[type(event)])
        lane = self._lanes.get(charge_point_id)
        if lane is not None:
            self._in_hand += 1
            self._bytes_in_hand += size_of(event)
            lane.append((event, cause, hooks))
            return
        # The context is that of this delivery, or the next one sets both again.
        bind_contextvars(charge_point_id=charge_point_id)
        for hook in hooks:
            current_trace_context.set(cause)
            if hook.is_async:
                self._open_lane(event, cause, chain((hook,), hooks))
                return
            result = self._call(hook.name, partial(hook.call, event, self._site))
            if isinstance(result, _Unfinished):
                self._open_lane(event, cause, hooks, result)
                return

    def _open_lane(
        self, event: Event, cause: TraceContext, hooks: Iterator[Hook], unfinished: _Unfinished | None = None
    ) -> None:
        self._in_hand += 1
        self._bytes_in_hand += size_of(event)
        lane = self._lanes[event.charge_point_id] = deque(((event, cause, hooks),))
        self._spawn(self._deliver_in_order(event.charge_point_id, lane, unfinished))

    async def _deliver_in_order(self, charge_point_id: str, lane: _Lane, unfinished: _Unfinished | None) -> None:
        """Deliver one charge point's events until none is left."""
        if unfinished is not None:
            await self._finish(unfinished, self._limits.hook_timeout)
        while lane:
            async with self._side_by_side:
                event, cause, hooks = lane.popleft()
                current_trace_context.set(cause)
                for hook in hooks:
                    await self._run(hook.name, partial(hook.call, event, self._site), self._limits.hook_timeout)
            self._in_hand -= 1
            self._bytes_in_hand -= size_of(event)
        del self._lanes[charge_point_id]
        self._take()

    def _begin_job(self, work: Callable[[], Awaitable[None]]) -> None:
        if not self._stopping:
            self._spawn(self._do_job(work))

    async def _do_job(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._jobs_side_by_side:
            await self._run(JOB, work, self._limits.job_timeout)

    async def _run(self, name: str, work: Callable[[], object], seconds: float) -> object:
        """Run something of the plugin's to its end. Returns its result, None where it failed."""
        result = self._call(name, work)
        return await self._finish(result, seconds) if isinstance(result, _Unfinished) else result

    def _call(self, name: str, work: Callable[[], object]) -> object:
        """Call something of the plugin's, whatever it does. Returns its result, None where it failed."""
        call = self._observer.begin(self.plugin.name, name, active_trace_context())
        self._latest = name
        token = current_trace_context.set(call.cause)
        try:
            result = work()
            if result is not None and inspect.isawaitable(result):
                return _Unfinished(name, call, self._spawn(_awaited(result)))
        except (Exception, asyncio.CancelledError, SystemExit) as error:  # noqa: BLE001  the server goes on
            self._observer.on_failure(self.plugin.name, name, error)
            call.end(failed=True)
            return None
        finally:
            current_trace_context.reset(token)
        call.end(failed=False)
        return result

    async def _finish(self, unfinished: _Unfinished, seconds: float) -> object:
        """Wait for an awaitable's result, None where it fails. One that goes on when cancelled is abandoned."""
        name, call, task = unfinished.name, unfinished.call, unfinished.task
        failed = True
        try:
            await asyncio.wait((task,), timeout=seconds)
            if not task.done():
                raise HookTimeout(Phrase("took more than {seconds} s", seconds=format(seconds, "g")))
            result = task.result()
        except asyncio.CancelledError as error:
            # The plugin's own, such as of a task that it cancelled and waits for, unless this task is to end.
            own = asyncio.current_task()
            if own is not None and own.cancelling():
                raise
            self._observer.on_failure(self.plugin.name, name, error)
        except Exception as error:  # noqa: BLE001  whatever a plugin does, the server goes on
            self._observer.on_failure(self.plugin.name, name, error)
        else:
            failed = False
            return result
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(_forget)
            call.end(failed=failed)
        return None

    def _spawn(self, work: Coroutine[object, object, object]) -> asyncio.Task[object]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class Job:
    """A job that waits for its time; implements `mcpp.plugins.site.Scheduled`."""

    __slots__ = ("_begin", "_handle", "_jobs", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, begin: Callable[[], None], jobs: set[Job]) -> None:
        """`jobs` has it while it waits."""
        self._loop = loop
        self._begin = begin
        self._jobs = jobs
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, seconds: float) -> None:
        """Begin to wait; from any thread."""
        self._jobs.add(self)
        due = self._loop.time() + seconds
        if _runs_here(self._loop):
            self._set(due)
        else:
            self._loop.call_soon_threadsafe(self._set, due)

    def cancel(self) -> None:
        """See Scheduled; from any thread."""
        self._jobs.discard(self)
        if self._handle is not None and _runs_here(self._loop):
            self._handle.cancel()

    def _set(self, due: float) -> None:
        self._handle = self._loop.call_at(due, self._fire)

    def _fire(self) -> None:
        if self in self._jobs:
            self._jobs.discard(self)
            self._begin()


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


async def _awaited(result: Awaitable[object]) -> object:
    try:
        return await result
    except SystemExit as error:
        # In a task it would end the whole loop.
        raise HookExit(Phrase("it tried to end the server: sys.exit({code})", code=str(error.code))) from error


def _forget(task: asyncio.Future[object]) -> None:
    """Take note of how a task ended that nobody waits for any more, so that asyncio doesn't complain."""
    if not task.cancelled():
        task.exception()
