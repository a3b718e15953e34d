"""All enabled plugins at work: hands them events and questions, starts them and takes them down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from mcpp.domain.authorization import Authorization
from mcpp.domain.events import Event
from mcpp.domain.questions import AuthorizationQuestion, DataTransferAnswer, DataTransferQuestion
from mcpp.ocppj.flow import TraceContext, active_trace_context
from mcpp.plugins.distant_site import Crossing, DistantSite
from mcpp.plugins.loading import Hook, Plugin
from mcpp.plugins.local_site import LocalSite, SiteServices
from mcpp.plugins.observer import Observer
from mcpp.plugins.site import Site
from mcpp.plugins.thread import LoopThread
from mcpp.plugins.worker import HookTimeout, PluginLimits, Worker
from mcpp.reads.event_json import EVENT_KINDS, event_name

T = TypeVar("T")

_TRIES: Final = 3
_PAUSE: Final = 30.0
"""Seconds that a plugin isn't asked, once it has left so many questions in a row without an answer."""

_CROSSING: Final = 0.25
"""Seconds of grace for a plugin's thread to say by itself that time is up."""

_WATCH_INTERVAL: Final = 1.0


class Plugins:
    """The plugins of one server; a subscriber of its events. Belongs to the server's loop."""

    def __init__(
        self, plugins: Sequence[Plugin], services: SiteServices, observer: Observer, limits: PluginLimits | None = None
    ) -> None:
        self._limits = limits or PluginLimits()
        self._observer = observer
        self._members = [_Member(plugin, services, observer, self._limits) for plugin in plugins]
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: dict[type[Event], list[Worker]] = {
            kind: [member.worker for member in self._members if kind in member.kinds] for kind in EVENT_KINDS
        }

    def __call__(self, event: Event) -> None:
        """Tell every plugin of an event that wants to know; returns at once."""
        workers = self._workers.get(type(event), ())
        if workers:
            cause = _cause_of(event)
            for worker in workers:
                worker.offer(event, cause)

    def waiting(self) -> dict[str, int]:
        """How many events wait for each plugin, by its name."""
        return {member.worker.plugin.name: member.worker.waiting for member in self._members}

    def asks(self, hook: str) -> bool:
        """Whether any plugin answers this question."""
        return any(hook in member.worker.plugin.hooks for member in self._members)

    async def authorize(self, question: AuthorizationQuestion) -> Authorization | None:
        """The first verdict on an id tag that a plugin gives in time."""
        return await self._ask("authorize", question, Authorization)

    async def answer_data_transfer(self, question: DataTransferQuestion) -> DataTransferAnswer | None:
        """The first answer to a vendor's message that a plugin gives in time."""
        return await self._ask("data_transfer_received", question, DataTransferAnswer)

    def start(self) -> None:
        """Tell all plugins that the server has started, each at its own pace."""
        loop = asyncio.get_running_loop()
        for member in self._members:
            self._tasks += (loop.create_task(member.start()), loop.create_task(member.watch()))

    async def stop(self) -> None:
        """Tell all plugins that the server ends, and end them; some 5 s at most."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.gather(*(member.stop() for member in self._members))

    async def _ask(self, hook: str, question: object, kind: type[T]) -> T | None:
        deadline = time.monotonic() + self._limits.question_timeout
        for member in self._members:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                break
            if hook not in member.worker.plugin.hooks:
                continue
            answer = await member.ask(hook, question, seconds)
            if isinstance(answer, kind):
                return answer
            if answer is not None:
                error = TypeError(f"the answer is no {kind.__name__} but {answer!r:.100}")
                self._observer.on_failure(member.worker.plugin.name, hook, error)
        return None


class _Member:
    """A plugin, its worker, its handle on the server, and the thread that it runs in if it isn't built in."""

    def __init__(self, plugin: Plugin, services: SiteServices, observer: Observer, limits: PluginLimits) -> None:
        self._observer = observer
        self._limits = limits
        server = asyncio.get_running_loop()
        self._thread = None if plugin.trusted else LoopThread(f"plugin-{plugin.name}")
        loop = server if self._thread is None else self._thread.loop
        hooks_of = _hooks_by_kind(plugin)
        self.kinds = frozenset(hooks_of)
        self.worker = Worker(plugin, loop, observer, hooks_of, limits)
        local = LocalSite(services, plugin.name, self.worker.schedule)
        self._site: Site = local if self._thread is None else DistantSite(local, Crossing(server))
        self._unanswered = 0
        self._not_before = 0.0

    async def start(self) -> None:
        await self._cross(self.worker.start(self._site))

    async def watch(self) -> None:
        """Look after the plugin's thread for as long as there is one; interrupt what keeps it for too long."""
        blocked = False
        while self._thread is not None:
            if not await self._responds(self._limits.hook_timeout):
                if not blocked:
                    self.worker.tell_blocked()
                blocked = True
                self._thread.interrupt()
            elif blocked:
                blocked = False
                self.worker.wake()
            await asyncio.sleep(_WATCH_INTERVAL)

    async def stop(self) -> None:
        limits = self._limits
        if await self._responds(limits.drain_timeout):
            with suppress(TimeoutError):
                await self._cross(self.worker.stop(self._site), limits.drain_timeout + limits.stop_timeout + _CROSSING)
        if self._thread is not None:
            await self._thread.stop()

    async def ask(self, hook: str, question: object, seconds: float) -> object:
        """The plugin's answer, None where it has none in time. One that never has any isn't asked for a while."""
        began = time.monotonic()
        if began < self._not_before:
            return None
        answer = None
        try:
            work = self.worker.call(hook, seconds, question=question, site=self._site)
            answer = await self._cross(work, seconds + _CROSSING)
        except TimeoutError:
            error = HookTimeout(f"gave no answer in {seconds:g} s, since the plugin's thread is blocked")
            self._observer.on_failure(self.worker.plugin.name, hook, error)
        now = time.monotonic()
        self._unanswered = self._unanswered + 1 if now - began >= seconds else 0
        if self._unanswered >= _TRIES:
            self._unanswered = 0
            self._not_before = now + _PAUSE
        return answer

    async def _responds(self, seconds: float) -> bool:
        """Whether the plugin's loop runs."""
        try:
            await self._cross(_nothing(), seconds)
        except TimeoutError:
            return False
        return True

    async def _cross(self, work: Coroutine[object, object, T], seconds: float | None = None) -> T:
        """Have the plugin's loop do something that keeps its own time; TimeoutError where that loop is blocked."""
        if self._thread is None:
            return await work
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._thread.loop))


def _cause_of(event: Event) -> TraceContext:
    """The flow or request in which the event happened, with the event's own session."""
    cause = active_trace_context()
    session: str | None = getattr(event, "session_correlation_id", None)
    if cause is None or cause.correlation_id != event.correlation_id:
        return TraceContext(event.correlation_id, None, session)
    return cause if session is None else cause._replace(session_correlation_id=session)


async def _nothing() -> None:
    """Done as soon as the loop runs."""


def _hooks_by_kind(plugin: Plugin) -> dict[type[Event], Sequence[Hook]]:
    """What a plugin wants to hear, for each kind of event: the kind's own hook, then that for all."""
    found: dict[type[Event], Sequence[Hook]] = {}
    for kind in EVENT_KINDS:
        names = (event_name(kind), "event_published")
        hooks = [plugin.hooks[name] for name in names if name in plugin.hooks]
        if hooks:
            found[kind] = hooks
    return found
