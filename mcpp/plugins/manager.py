"""All enabled plugins at work: hands them events and questions, starts them and takes them down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, TypeVar

from mcpp.domain.authorization import Authorization
from mcpp.domain.events import Event
from mcpp.domain.questions import (
    AuthorizationQuestion,
    ContractCertificateAnswer,
    ContractCertificateQuestion,
    DataTransferAnswer,
    DataTransferQuestion,
)
from mcpp.ocppj.flow import TraceContext, active_trace_context
from mcpp.plugins.loading import Hook, Plugin
from mcpp.plugins.local_site import LocalSite, SiteServices
from mcpp.plugins.observer import PluginObserver
from mcpp.plugins.site import Site
from mcpp.plugins.site_proxy import ServerLoop, SiteProxy
from mcpp.plugins.thread import LoopThread
from mcpp.plugins.worker import HookTimeout, PluginLimits, Worker
from mcpp.reads.event_json import EVENT_KINDS, event_name

T = TypeVar("T")

_TRIES: Final = 3
_PAUSE: Final = 30.0
"""Seconds that a plugin isn't asked, once it has left so many questions in a row without an answer."""

_GRACE: Final = 0.25
"""Seconds for a plugin's thread to find by itself that time is up."""

_WATCH_INTERVAL: Final = 1.0


class PluginState(NamedTuple):
    """How a plugin is at this moment."""

    name: str
    is_built_in: bool
    hooks: tuple[str, ...]
    waiting: int
    """Events."""
    is_running: bool
    """Its start is over, so events are delivered."""
    is_blocked: bool
    """One of its functions keeps its thread, so nothing else of it runs."""


class Plugins:
    """The plugins of one server; implements `mcpp.domain.events.Subscriber`. Belongs to the server's loop."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        services: SiteServices,
        observer: PluginObserver,
        limits: PluginLimits | None = None,
    ) -> None:
        self._limits = limits or PluginLimits()
        self._observer = observer
        self._members = [_Member(plugin, services, observer, self._limits) for plugin in plugins]
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: dict[type[Event], list[Worker]] = {
            kind: workers
            for kind in EVENT_KINDS
            if (workers := [member.worker for member in self._members if kind in member.kinds])
        }
        self.kinds: Final = tuple(self._workers)
        """Those that a plugin has a hook for."""

    def __call__(self, event: Event) -> None:
        """Hand an event to every plugin that has a hook for it; waits for none."""
        cause = _cause_of(event)
        for worker in self._workers.get(type(event), ()):
            worker.offer(event, cause)

    def waiting(self) -> dict[str, int]:
        """How many events wait for each plugin, by its name."""
        return {member.worker.plugin.name: member.worker.waiting for member in self._members}

    def states(self) -> list[PluginState]:
        """How the plugins are, in their order."""
        return [member.state() for member in self._members]

    def asks(self, hook: str) -> bool:
        """Whether any plugin answers this question."""
        return any(hook in member.worker.plugin.hooks for member in self._members)

    async def authorize(self, question: AuthorizationQuestion) -> Authorization | None:
        """The first verdict on an id tag that a plugin returns in time."""
        return await self._ask("authorize", question, Authorization)

    async def answer_data_transfer(self, question: DataTransferQuestion) -> DataTransferAnswer | None:
        """The first answer to a vendor's message that a plugin returns in time."""
        return await self._ask("data_transfer_received", question, DataTransferAnswer)

    async def get_contract_certificate(self, question: ContractCertificateQuestion) -> ContractCertificateAnswer | None:
        """The first contract's certificate that a plugin returns in time; its provider may be far away."""
        seconds = self._limits.contract_timeout
        return await self._ask("contract_certificate_wanted", question, ContractCertificateAnswer, seconds)

    def start(self) -> None:
        """Have all plugins know that the server has started, each in its own time."""
        loop = asyncio.get_running_loop()
        for member in self._members:
            self._tasks += (loop.create_task(member.start()), loop.create_task(member.watch()))

    async def stop(self) -> None:
        """Have all plugins know that the server ends, and end them; some 5 s at most."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.gather(*(member.stop() for member in self._members))

    async def _ask(self, hook: str, question: object, kind: type[T], seconds_allowed: float | None = None) -> T | None:
        deadline = time.monotonic() + (self._limits.question_timeout if seconds_allowed is None else seconds_allowed)
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

    def __init__(self, plugin: Plugin, services: SiteServices, observer: PluginObserver, limits: PluginLimits) -> None:
        self._observer = observer
        self._limits = limits
        server = asyncio.get_running_loop()
        self._thread = None if plugin.trusted else LoopThread(f"plugin-{plugin.name}")
        loop = server if self._thread is None else self._thread.loop
        hooks_of = _hooks_by_kind(plugin)
        self.kinds = frozenset(hooks_of)
        self.worker = Worker(plugin, loop, observer, hooks_of, limits)
        local = LocalSite(services, plugin.name, self.worker.schedule)
        self._site: Site = local if self._thread is None else SiteProxy(local, ServerLoop(server))
        self._blocked = False
        self._unanswered = 0
        self._not_before = 0.0

    def state(self) -> PluginState:
        plugin = self.worker.plugin
        return PluginState(
            name=plugin.name,
            is_built_in=plugin.trusted,
            hooks=tuple(sorted(plugin.hooks)),
            waiting=self.worker.waiting,
            is_running=self.worker.is_running,
            is_blocked=self._blocked,
        )

    async def start(self) -> None:
        await self._run(self.worker.start(self._site))

    async def watch(self) -> None:
        """Look after the plugin's thread for as long as there is one; report for as long as something keeps it."""
        while self._thread is not None:
            self._blocked = not await self._responds(self._limits.hook_timeout)
            if self._blocked:
                self.worker.report_blocked()
            await asyncio.sleep(_WATCH_INTERVAL)

    async def stop(self) -> None:
        limits = self._limits
        if await self._responds(limits.drain_timeout):
            with suppress(TimeoutError):
                await self._run(self.worker.stop(self._site), limits.drain_timeout + limits.stop_timeout + _GRACE)
        if self._thread is not None:
            await self._thread.stop()

    async def ask(self, hook: str, question: object, seconds: float) -> object:
        """The plugin's answer, None where it has none in time.

        One that never has any isn't asked for a while, one that is blocked isn't asked at all.
        """
        began = time.monotonic()
        if self._blocked or began < self._not_before:
            return None
        answer = None
        try:
            work = self.worker.call(hook, question, self._site, seconds)
            answer = await self._run(work, seconds + _GRACE)
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
            await self._run(_nothing(), seconds)
        except TimeoutError:
            return False
        return True

    async def _run(self, work: Coroutine[object, object, T], seconds: float | None = None) -> T:
        """Run something on the plugin's loop, which keeps its own time; TimeoutError where that loop is blocked."""
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
    return cause if session is None else TraceContext(cause.correlation_id, cause.span_id, session)


async def _nothing() -> None:
    """Done as soon as the loop runs."""


def _hooks_by_kind(plugin: Plugin) -> dict[type[Event], Sequence[Hook]]:
    """What to call for each kind of event: the kind's own hook, then that for all."""
    found: dict[type[Event], Sequence[Hook]] = {}
    for kind in EVENT_KINDS:
        names = (event_name(kind), "event_published")
        hooks = [plugin.hooks[name] for name in names if name in plugin.hooks]
        if hooks:
            found[kind] = hooks
    return found
