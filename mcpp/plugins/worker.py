"""Calls one plugin's hooks, so that whatever they do the server goes on.

`offer` and `ask` belong to the server's loop, all else to the plugin's, which for a built-in plugin is the same one.
Events of a charge point are told in their order, those of different charge points side by side.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from structlog.contextvars import bound_contextvars

from mcpp.domain.events import Event
from mcpp.ocppj.flow import TraceContext, active_trace_context, current_trace_context
from mcpp.plugins.loading import Hook, Plugin
from mcpp.plugins.observer import Observer
from mcpp.plugins.site import Scheduled, Site
from mcpp.plugins.thread import Interrupted

_Told: TypeAlias = tuple[Event, TraceContext]
"""An event, and the flow or request in which it happened."""

JOB: Final = "job"
"""Stands for a hook's name where a scheduled job is meant."""


@dataclass(frozen=True, slots=True)
class PluginLimits:
    """What one plugin may take. Times in seconds."""

    hook_timeout: float = 60.0
    """Twice the time that a command may take by default."""
    job_timeout: float = 600.0
    question_timeout: float = 1.0
    """A charger waits for its answer meanwhile."""
    drain_timeout: float = 1.0
    """For what waits at shutdown."""
    stop_timeout: float = 3.5
    queue: int = 10_000
    """Events that may wait: those of 1,000 chargers that come back at once, and more."""
    in_hand: int = 1000
    """Events of these that are sorted by charge point already."""
    side_by_side: int = 64
    """Charge points whose hooks run at once, and jobs that do."""
    jobs: int = 10_000
    """Jobs that may wait for their time."""


class HookTimeout(Exception):
    """A hook or job took too long, and was cancelled or is left to itself."""


class HookExit(Exception):
    """A hook or job wanted to end the process."""


class TooManyJobs(Exception):
    """The plugin has scheduled too much already."""


class Worker:
    """One plugin at work."""

    def __init__(
        self,
        plugin: Plugin,
        loop: asyncio.AbstractEventLoop,
        observer: Observer,
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
        self._inbox: deque[_Told] = deque()
        self._called = False
        self._full = False
        self._latest = ""
        self._site: Site | None = None
        self._lanes: dict[str, deque[_Told]] = {}
        self._in_hand = 0
        self._side_by_side = asyncio.Semaphore(limits.side_by_side)
        self._jobs_side_by_side = asyncio.Semaphore(limits.side_by_side)
        self._jobs: set[Job] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._running = False
        self._stopping = False

    # The server's side.

    def offer(self, event: Event, cause: TraceContext) -> None:
        """Tell the plugin of an event, in its time. Of too many the newest are lost, so there is no hole before."""
        hooks = self._hooks_of.get(type(event))
        if hooks is None:
            return
        if len(self._inbox) >= self._limits.queue:
            self._observer.on_dropped(self.plugin.name, hooks[0].name, first=not self._full)
            self._full = True
            return
        self._full = False
        self._inbox.append((event, cause))
        if not self._called:
            self._called = True
            self.wake()

    @property
    def waiting(self) -> int:
        """Events that wait to be told."""
        return len(self._inbox) + self._in_hand

    def tell_blocked(self) -> None:
        """One of the plugin's functions doesn't give the thread back."""
        error = HookTimeout("blocks the plugin's thread; nothing else of it runs")
        self._observer.on_failure(self.plugin.name, self._latest, error)

    def wake(self) -> None:
        """Have the plugin look for what waits, in case that an interruption made it forget."""
        self._call_soon(self._take, context=Context())

    # The plugin's side.

    async def start(self, site: Site) -> None:
        """Tell that the server has started, then what has happened meanwhile."""
        self._site = site
        await self.call("server_started", self._limits.hook_timeout, site=site)
        self._running = True
        self._take()

    async def stop(self, site: Site) -> None:
        """Tell what waits and that the server ends, then give up whatever still runs."""
        self._stopping = True
        if self._site is None:
            return
        for job in list(self._jobs):
            job.cancel()
        if self._running and (self._inbox or self._lanes):
            self._idle.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.drain_timeout):
                    await self._idle.wait()
        self._running = False
        await self.call("server_stopping", self._limits.stop_timeout, site=site)
        for task in self._tasks:
            task.cancel()

    async def call(self, name: str, seconds: float, /, **offered: object) -> object:
        """Call a hook, for so long at most, if the plugin has it. Gives its result, None where it failed."""
        hook = self.plugin.hooks.get(name)
        if hook is None:
            return None
        return await self._run(name, lambda: hook.call(offered), seconds)

    def schedule(self, seconds: float, work: Callable[[], Awaitable[None]]) -> Scheduled:
        """See Site; may be called from any thread. Raises TooManyJobs."""
        job = Job(self._loop, partial(self._begin_job, work), self._jobs)
        if self._stopping:
            return job
        if len(self._jobs) >= self._limits.jobs:
            raise TooManyJobs(f"{self._limits.jobs} jobs wait already")
        job.arm(seconds)
        return job

    def _take(self) -> None:
        """Sort what waits by charge point, as much as may be in hand."""
        # Before anything is taken: what is offered from here on calls again.
        self._called = False
        if not self._running:
            return
        while self._inbox and self._in_hand < self._limits.in_hand:
            told = self._inbox.popleft()
            self._in_hand += 1
            charge_point_id = told[0].charge_point_id
            lane = self._lanes.get(charge_point_id)
            if lane is None:
                self._lanes[charge_point_id] = lane = deque((told,))
                self._spawn(self._tell_in_order(charge_point_id, lane))
            else:
                lane.append(told)
        if not self._lanes:
            self._idle.set()

    async def _tell_in_order(self, charge_point_id: str, lane: deque[_Told]) -> None:
        """Tell of one charge point until nothing is left."""
        while lane:
            async with self._side_by_side:
                event, cause = lane.popleft()
                current_trace_context.set(cause)
                with bound_contextvars(charge_point_id=charge_point_id):
                    for hook in self._hooks_of[type(event)]:
                        await self._tell(hook, event)
            self._in_hand -= 1
        del self._lanes[charge_point_id]
        self._take()

    async def _tell(self, hook: Hook, event: Event) -> None:
        offered = {"event": event, "site": self._site}
        await self._run(hook.name, lambda: hook.call(offered), self._limits.hook_timeout)

    def _begin_job(self, work: Callable[[], Awaitable[None]]) -> None:
        if not self._stopping:
            self._spawn(self._do_job(work))

    async def _do_job(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._jobs_side_by_side:
            await self._run(JOB, work, self._limits.job_timeout)

    async def _run(self, name: str, work: Callable[[], object], seconds: float) -> object:
        """Run something of the plugin's, whatever it does. Gives its result, None where it failed."""
        call = self._observer.begin(self.plugin.name, name, active_trace_context())
        token = current_trace_context.set(call.cause)
        self._latest = name
        failed = True
        try:
            result = work()
            if inspect.isawaitable(result):
                result = await self._finish(result, seconds)
        except asyncio.CancelledError as error:
            # The plugin's own, such as of a task that it cancelled and waits for, unless this task is to end.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._observer.on_failure(self.plugin.name, name, error)
        except (Exception, SystemExit, Interrupted) as error:  # noqa: BLE001  whatever a plugin does, the server goes on
            self._observer.on_failure(self.plugin.name, name, error)
        else:
            failed = False
            return result
        finally:
            current_trace_context.reset(token)
            call.end(failed=failed)
        return None

    async def _finish(self, result: Awaitable[object], seconds: float) -> object:
        """Wait for an async function. One that goes on when it's cancelled is left to itself."""
        task = asyncio.ensure_future(_awaited(result))
        try:
            await asyncio.wait((task,), timeout=seconds)
            if not task.done():
                raise HookTimeout(f"took more than {seconds:g} s")
        finally:
            if not task.done():
                task.cancel()
                task.add_done_callback(_forget)
        return task.result()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Job:
    """A job that waits for its time; implements Scheduled."""

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
        raise HookExit(f"sys.exit({error.code})") from error


def _forget(task: asyncio.Future[object]) -> None:
    """Take note of how a task ended that nobody waits for any more, so that asyncio doesn't complain."""
    if not task.cancelled():
        task.exception()
